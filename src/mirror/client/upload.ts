import { type BlobUpload, isTransient, RegistryError, type UploadState } from "../registry.ts";
import { checkedDigest } from "./names.ts";
import { discard, type HttpAnswer } from "./http-client.ts";
import { handedAddress } from "./link.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import type { RepositoryContext } from "./repository-context.ts";

const OCTETS = { "content-type": "application/octet-stream" };

/** Where an upload is, as a registry says in `Location`. Throws `refused` if it does not. */
export function uploadLocation(answer: HttpAnswer, describe: string): URL {
  const location = handedAddress(answer.headers.get("location") ?? undefined, answer.url);
  if (location !== undefined) return location;
  throw new RegistryError("refused", `${describe}: the registry does not say where`, { status: answer.status });
}

/** The address that closes an upload. The query that the registry put there stays as it is. */
export function closingAddress(location: URL, digest: string): URL {
  const url = new URL(location);
  url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(checkedDigest(digest))}`;
  return url;
}

/** Begins an upload; answers where it is and the least length of a part. */
export async function beginUpload({ client, name, scopes }: RepositoryContext) {
  const what = `begin upload to ${name}`;
  const answer = await client.call({ method: "POST", to: `${name}/blobs/uploads/`, what, scopes, expect: [202] });
  await discard(answer);
  return { location: uploadLocation(answer, `${client.registry}: ${what}`), minimum: leastPart(answer) };
}

/** Removes an upload, as well as that goes. */
export async function cancelUpload(location: URL, { client, name, scopes }: RepositoryContext): Promise<void> {
  const signal = AbortSignal.timeout(CLIENT_LIMITS.cancel);
  const call = {
    method: "DELETE",
    to: location,
    what: `cancel upload to ${name}`,
    scopes,
    expect: [200, 202, 204, 404],
  };
  await client.call({ ...call, signal, detached: true }).then(discard, () => undefined);
}

/**
 * Begins an upload, or goes on where the registry says that an old one stands: its word counts, not the state that was
 * saved. @see distribution-spec, "Pushing a blob in chunks"
 */
export async function openUpload(resume: UploadState | undefined, context: RepositoryContext): Promise<BlobUpload> {
  const { client, name, scopes, capabilities } = context;
  const old = resume === undefined ? undefined : await uploadStatus(resume, context);
  const begun = old ?? { ...(await beginUpload(context)), offset: 0 };
  let { location, offset } = begun;

  async function append(stream: ReadableStream<Uint8Array>, length: number): Promise<UploadState> {
    const what = `upload to ${name} from byte ${offset}`;
    const answer = await client.call({
      method: "PATCH",
      to: location,
      headers: { ...OCTETS, "content-range": `${offset}-${offset + length - 1}` },
      body: { stream, length },
      what,
      scopes,
      expect: [201, 202, 204, 404, 405, 416],
    });
    if (answer.status === 416) await reseek();
    if (answer.status === 405) capabilities.lower("chunks");
    if (answer.status >= 400) {
      const error = await client.error(answer, what);
      // The bytes are gone, but sending them in another way may do.
      throw new RegistryError("transient", error.message, { status: answer.status, cause: error });
    }
    await discard(answer);
    if (answer.headers.has("location")) location = uploadLocation(answer, `${client.registry}: ${what}`);
    const sent = offset + length;
    offset = confirmed(answer.headers, sent) ?? sent;
    return { location: location.href, offset };
  }

  async function reseek(): Promise<void> {
    const now = await uploadStatus({ location: location.href, offset }, context);
    if (now !== undefined) ({ location, offset } = now);
  }

  return {
    get state() {
      return { location: location.href, offset };
    },
    get resumable() {
      return capabilities.current().chunks;
    },
    ...(begun.minimum === undefined ? {} : { minimumLength: begun.minimum }),
    append,
    async close(digest) {
      const answer = await client.call({
        method: "PUT",
        to: closingAddress(location, digest),
        headers: OCTETS,
        body: new Uint8Array(),
        patience: CLIENT_LIMITS.settle,
        what: `close upload to ${name} of ${digest}`,
        scopes,
        expect: [200, 201, 204],
      });
      await discard(answer);
    },
    cancel: () => cancelUpload(location, context),
  };
}

/**
 * How far an upload got; `undefined` if the registry does not have it any more or does not say, whatever it answers:
 * an address that has run out may be a 403.
 */
async function uploadStatus(state: UploadState, { client, name, scopes }: RepositoryContext) {
  if (!URL.canParse(state.location)) return undefined;
  const location = new URL(state.location);
  const call = { method: "GET", to: location, what: `status of upload to ${name}`, scopes, expect: [200, 202, 204] };
  let answer: HttpAnswer;
  try {
    answer = await client.call(call);
  } catch (error) {
    if (error instanceof RegistryError && !isTransient(error)) return undefined;
    throw error;
  }
  await discard(answer);
  const offset = confirmed(answer.headers, state.offset);
  if (offset === undefined) return undefined;
  const next = handedAddress(answer.headers.get("location") ?? undefined, answer.url) ?? location;
  return { location: next, offset, minimum: leastPart(answer) };
}

/** `Range: 0-<last byte>`; some say `0-0` for nothing at all, and some for one byte. */
function confirmed(headers: Headers, expected: number): number | undefined {
  const last = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(headers.get("range")?.trim() ?? "")?.[1];
  if (last === undefined) return undefined;
  return last === "0" && expected !== 1 ? 0 : Number(last) + 1;
}

function leastPart(answer: HttpAnswer): number | undefined {
  const text = answer.headers.get("oci-chunk-min-length") ?? "";
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
