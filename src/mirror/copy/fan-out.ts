import { createHash } from "node:crypto";
import type { Descriptor } from "../../oci/index.ts";
import { RegistryError } from "../registry.ts";
import { type AbortScope, abortScope, untilAborted } from "./abort.ts";
import type { BlobReader } from "./blob-reader.ts";

/** Somebody who takes a blob, from `from` on. */
export interface Sink {
  readonly from: number;
  /** Whether whoever takes the stream compares it with the digest, and fails with "corrupt": then that is not done here as well. */
  readonly verifies?: boolean;
  /** Takes the stream, which ends well only if all of the blob was right. */
  readonly consume: (stream: ReadableStream<Uint8Array>) => Promise<void>;
}

/** How a reading for several ended. */
export interface FannedOut {
  /** Why the source failed; then all failed that had not ended. */
  readonly source?: unknown;
  /** For each sink its error, or `undefined` if it ended well. */
  readonly sinks: readonly unknown[];
  /** Whether all bytes were compared with the digest, here or by each sink. */
  readonly verified: boolean;
}

/** `Promise.withResolvers`, which Node 20 does not have. */
interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

interface Branch {
  readonly from: number;
  readonly stream: ReadableStream<Uint8Array>;
  controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  open: boolean;
  /** Resolves when the branch takes another piece, or takes no more. */
  ready: Deferred;
}

/**
 * Reads once and feeds all sinks, at the pace of the slowest: each holds at most one piece. A sink that fails is left
 * behind and the others go on. The last piece is passed on only when digest and size are right, so that nobody
 * completes an upload of something else; that is checked when the reading begins with the first byte, unless every sink
 * does it.
 * @param ports `onBytes` may throw, which ends the reading
 */
export async function fanOut(
  reader: BlobReader,
  blob: Descriptor,
  sinks: readonly Sink[],
  ports: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<FannedOut> {
  const branches = sinks.map(({ from }) => branchFrom(from));
  const consumers = sinks.map(async (sink, index): Promise<unknown> => {
    const branch = branches[index];
    if (branch === undefined) return undefined;
    try {
      await untilAborted(sink.consume(branch.stream), ports.signal);
      return undefined;
    } catch (error) {
      return error ?? new Error("failed without a reason");
    } finally {
      leave(branch);
    }
  });
  const sinksVerify = sinks.every((sink) => sink.verifies === true);
  const hash = !sinksVerify && reader.position === 0 ? createHash(algorithmOf(blob.digest)) : undefined;
  let source: unknown;
  let verified = false;
  try {
    verified = (await pump(reader, blob, branches, hash, ports)) || sinksVerify;
  } catch (error) {
    source = error;
    for (const branch of branches) leave(branch, error);
  } finally {
    reader.cancel();
  }
  const ended = await Promise.all(consumers);
  return { sinks: ended, verified, ...(source === undefined ? {} : { source }) };
}

async function pump(
  reader: BlobReader,
  blob: Descriptor,
  branches: readonly Branch[],
  hash: ReturnType<typeof createHash> | undefined,
  ports: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<boolean> {
  const scope = abortScope(ports.signal);
  try {
    return await pumpPieces(reader, blob, branches, hash, { ...ports, scope });
  } finally {
    scope.end();
  }
}

async function pumpPieces(
  reader: BlobReader,
  blob: Descriptor,
  branches: readonly Branch[],
  hash: ReturnType<typeof createHash> | undefined,
  ports: { readonly scope: AbortScope; readonly onBytes: (bytes: number) => void },
): Promise<boolean> {
  for (;;) {
    const waiting = branches.filter((branch) => branch.open && branch.from <= reader.position);
    await ports.scope.until(Promise.all(waiting.map((branch) => branch.ready.promise)));
    if (branches.every((branch) => !branch.open)) return false;
    const start = reader.position;
    const piece = await reader.read();
    if (piece !== undefined) {
      hash?.update(piece);
      ports.onBytes(piece.byteLength);
    }
    const last = reader.position === blob.size;
    if (last && hash !== undefined) {
      const actual = `${algorithmOf(blob.digest)}:${hash.digest("hex")}`;
      if (actual !== blob.digest)
        throw new RegistryError("corrupt", `the blob ${blob.digest} has other content: ${actual}`);
    }
    if (piece !== undefined) feed(branches, piece, start);
    if (!last) continue;
    for (const branch of branches) if (branch.open) branch.controller?.close();
    return hash !== undefined;
  }
}

function feed(branches: readonly Branch[], piece: Uint8Array, start: number): void {
  for (const branch of branches) {
    const before = Math.max(0, branch.from - start);
    if (!branch.open || before >= piece.byteLength) continue;
    branch.ready = deferred();
    // Whoever gets a piece may transfer its buffer, so no two get the same.
    branch.controller?.enqueue(branches.length > 1 ? piece.slice(before) : piece.subarray(before));
  }
}

function branchFrom(from: number): Branch {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (own) => {
      controller = own;
    },
    pull: () => branch.ready.resolve(),
    cancel: () => {
      branch.open = false;
      branch.ready.resolve();
    },
  });
  const branch: Branch = { from, stream, controller, open: true, ready: deferred() };
  return branch;
}

function leave(branch: Branch, error: unknown = new Error("no longer read")): void {
  branch.ready.resolve();
  if (!branch.open) return;
  branch.open = false;
  try {
    branch.controller?.error(error);
  } catch {
    // It had ended.
  }
}

function algorithmOf(digest: string): "sha256" | "sha512" {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}
