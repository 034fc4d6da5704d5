import { type Descriptor, digestAlgorithm, digestBytes } from "../../oci/index.ts";
import type { TargetBlob } from "../ports.ts";
import { type BlobUpload, isTransient, RegistryError, type UploadState } from "../registry.ts";
import { retryWait } from "../with-retries.ts";
import { type BlobReader, readBlob, readBytes } from "./blob-reader.ts";
import { byteReports, type CopyContext } from "./copy-context.ts";
import { fanOut, type Sink } from "./fan-out.ts";
import type { TargetState } from "./target-state.ts";
import { uploadParts } from "./upload-parts.ts";

const LARGE_BLOB = 32 * 1024 * 1024;
const PART_SIZE = 16 * 1024 * 1024;
/** An upload session keeps what came of a part that breaks off, so larger ones cost nothing but what a crash loses. */
const DIRECT_PART_SIZE = 64 * 1024 * 1024;

/** What is kept of a blob that is being written in one go: whoever finds it knows that this did not come to its end. */
const BEGUN_WHOLE: UploadState = { location: "", offset: 0 };

/** Contents in descriptors are meant to be small. */
const MAX_EMBEDDED = 64 * 1024;

/** One target's part in the copy of one blob. */
interface Delivery {
  readonly state: TargetState;
  /** Failures since the last time it got further. */
  failures: number;
  /** How often what arrived was not what the digest says. */
  wrong: number;
  furthest: number;
  upload: BlobUpload | undefined;
  /** Whether something is kept about it that is to be removed. */
  noted: boolean;
  /** Why it was not the last try. */
  reason: string;
}

/**
 * Sends a blob from the source to targets that lack it, all by one reading, with as many tries as the rules allow. A
 * target that fails is marked so; this throws only when everything ends.
 */
export async function deliverBlob(
  context: CopyContext,
  blob: Descriptor,
  states: readonly TargetState[],
): Promise<void> {
  const { ports, rules } = context;
  let pending: readonly Delivery[] = states.map((state) => ({
    state,
    failures: 0,
    wrong: 0,
    furthest: 0,
    upload: undefined,
    noted: false,
    reason: "",
  }));
  for (;;) {
    context.stop();
    const { again, wait } = await round(context, blob, pending);
    if (again.length === 0) return;
    pending = again;
    for (const { state, reason } of again) {
      context.log("info", `sending ${blob.digest} to ${state.label} again: ${reason}`);
    }
    await ports.sleep(Math.min(wait, rules.retry.maximum), ports.signal);
  }
}

/** One reading of the source for all that wait. */
async function round(
  context: CopyContext,
  blob: Descriptor,
  pending: readonly Delivery[],
): Promise<{ readonly again: readonly Delivery[]; readonly wait: number }> {
  const { ports, rules } = context;
  const again: Delivery[] = [];
  let wait = 0;
  const failed = async (delivery: Delivery, error: unknown, source = false): Promise<void> => {
    if (context.isOver()) return;
    const wrong = isWrong(error) || (!source && isBrokenUpload(delivery, error));
    if (wrong ? delivery.wrong++ < 1 : !source && mayTryAgain(context, delivery, error)) {
      again.push(delivery);
      delivery.reason = error instanceof Error ? error.message : String(error);
      if (wrong) await discard(context, blob, delivery);
      else wait = Math.max(wait, retryWait(delivery.failures, rules.retry, error, ports.random));
      return;
    }
    if (!isTransient(error)) await discard(context, blob, delivery);
    delivery.state.fail(error);
  };

  const prepared: { readonly delivery: Delivery; readonly sink: Sink }[] = [];
  await Promise.all(
    pending.map(async (delivery) => {
      try {
        const sink = await prepare(context, blob, delivery);
        if (sink.from > delivery.furthest) delivery.failures = 0;
        delivery.furthest = Math.max(delivery.furthest, sink.from);
        prepared.push({ delivery, sink });
      } catch (error) {
        await failed(delivery, error);
      }
    }),
  );
  endIfOver(context);
  if (prepared.length === 0) return { again, wait };
  const from = Math.min(...prepared.map(({ sink }) => sink.from));
  const bytes = byteReports(context, blob.digest);
  const stopsAnywhere = isLarge(context, blob) && prepared.some(({ sink }) => sink.verifies);
  const out = await fanOut(
    openSource(context, blob, from),
    blob,
    prepared.map(({ sink }) => sink),
    {
      signal: ports.signal,
      onBytes: (count) => {
        bytes.add(count);
        // What goes straight to a storage is stopped anywhere: the next try goes on, or sends it in parts.
        if (stopsAnywhere) context.stop();
      },
    },
  );
  bytes.end();
  let arrived = false;
  for (const [index, { delivery, sink }] of prepared.entries()) {
    const error = out.sinks[index];
    if (error === undefined) {
      arrived = true;
      delivery.state.blobs.copied += 1;
      delivery.state.bytes += blob.size - sink.from;
      context.placed.add(delivery.state.target.registry.origin, blob.digest, delivery.state.target.repository.name);
    } else if (ports.signal.aborted) {
      abandon(context, blob, delivery);
    } else {
      await failed(delivery, out.source ?? error, out.source !== undefined);
    }
  }
  if (arrived && !out.verified && blob.size > 0) {
    context.log("info", `${blob.digest} went on from byte ${from}; its digest was verified by the target only`);
  }
  endIfOver(context);
  return { again, wait };
}

function isWrong(error: unknown): boolean {
  return error instanceof RegistryError && error.failure === "corrupt";
}

/** Whether the target refuses what was uploaded so far, or lost it. Then it is sent once more from its start. */
function isBrokenUpload({ upload }: Delivery, error: unknown): boolean {
  if (upload === undefined || !(error instanceof RegistryError)) return false;
  if (error.failure !== "missing" && error.failure !== "refused") return false;
  return error.status === undefined || [400, 404, 416].includes(error.status);
}

/** Whether a failure that is not the source's content is worth another try. */
function mayTryAgain({ rules }: CopyContext, delivery: Delivery, error: unknown): boolean {
  if (!isTransient(error)) return false;
  delivery.failures += 1;
  if (delivery.failures >= rules.retry.attempts) return false;
  if (!(error instanceof RegistryError)) return false;
  return error.failure !== "delayed" && (error.retryAfter ?? 0) <= rules.retry.maximum;
}

async function prepare(context: CopyContext, blob: Descriptor, delivery: Delivery): Promise<Sink> {
  const { rules, ports } = context;
  const { registry, repository } = delivery.state.target;
  const { direct } = registry;
  const verifies = direct !== undefined;
  const whole: Sink = { from: 0, verifies, consume: (stream) => repository.putBlob(blob, stream) };
  if (!isLarge(context, blob) || !registry.capabilities().chunks) {
    // The registry may have turned out to take no parts.
    await discard(context, blob, delivery);
    return whole;
  }
  const key = targetBlob(delivery.state, blob);
  const saved = delivery.upload?.state ?? (await ports.checkpoints.load(key));
  delivery.noted = true;
  if (direct !== undefined && saved === undefined && blob.size <= direct.wholeBlob) {
    await ports.checkpoints.save(key, BEGUN_WHOLE);
    const consume = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
      await whole.consume(stream);
      await ports.checkpoints.remove(key);
    };
    return { ...whole, consume };
  }
  let upload = await repository.upload(saved?.location === BEGUN_WHOLE.location ? undefined : saved);
  if (upload.state.offset > blob.size) {
    await upload.cancel();
    upload = await repository.upload();
  }
  delivery.upload = upload;
  if (!upload.resumable) {
    await discard(context, blob, delivery);
    return whole;
  }
  const from = upload.state.offset;
  if (from > 0)
    context.log("info", `${blob.digest} goes on at ${delivery.state.label} from byte ${from} of ${blob.size}`);
  await ports.checkpoints.save(key, { location: upload.state.location, offset: from });
  return {
    from,
    verifies,
    consume: (stream) =>
      uploadParts(upload, blob, stream, {
        partSize: Math.max(rules.partSize ?? (verifies ? DIRECT_PART_SIZE : PART_SIZE), upload.minimumLength ?? 0),
        checkpoints: ports.checkpoints,
        key,
        stop: () => context.stop(),
      }),
  };
}

/** Removes what was uploaded: it is wrong, or will not be gone on with. */
async function discard({ ports }: CopyContext, blob: Descriptor, delivery: Delivery): Promise<void> {
  if (!delivery.noted) return;
  await delivery.upload?.cancel();
  delivery.upload = undefined;
  delivery.noted = false;
  delivery.furthest = 0;
  await ports.checkpoints.remove(targetBlob(delivery.state, blob));
}

/** Keeps the upload for another run if there is something in it. */
function abandon(context: CopyContext, blob: Descriptor, delivery: Delivery): void {
  if (delivery.upload?.state.offset !== 0) return;
  // Whatever is to be said to the target must not hold up the end.
  discard(context, blob, delivery).catch(() => {});
}

function endIfOver(context: CopyContext): void {
  if (context.isOver()) context.stop();
}

/** Whether a blob is sent in parts, where that is possible. */
export function isLarge({ rules }: CopyContext, blob: Descriptor): boolean {
  return blob.size > (rules.largeBlob ?? LARGE_BLOB);
}

/** Under what it is kept how far an upload is. */
export function targetBlob({ target }: TargetState, blob: Descriptor): TargetBlob {
  return { origin: target.registry.origin, repository: target.repository.name, digest: blob.digest };
}

function openSource(context: CopyContext, blob: Descriptor, from: number): BlobReader {
  const embedded = from === 0 ? embeddedContent(blob) : undefined;
  if (embedded !== undefined) return readBytes(embedded);
  const { rules, ports, source } = context;
  return readBlob(source.repository, blob, from, {
    retry: rules.retry,
    signal: ports.signal,
    sleep: ports.sleep,
    random: ports.random,
    onInterruption: (message) => context.log("info", message),
  });
}

/** What the descriptor has in itself, if it is what the digest says. @see OCI image-spec, descriptor.md, "data" */
function embeddedContent({ data, digest, size }: Descriptor): Uint8Array | undefined {
  if (data === undefined || size > MAX_EMBEDDED) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
  return bytes.byteLength === size && digestBytes(digestAlgorithm(digest), bytes) === digest ? bytes : undefined;
}
