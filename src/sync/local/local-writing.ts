import { parseReference, parseRepositoryName, parseTag, type RepositoryName } from "../../oci/index.ts";
import { type Content, type UploadAddress } from "../../content/index.ts";
import { type BlobUpload, RegistryError, type TargetRepository, type UploadState } from "../../mirror/index.ts";
import { attempted, contentError } from "./content-error.ts";
import { digestOf } from "./local-reading.ts";

/** What writing works with. */
export interface LocalWritingPorts {
  readonly content: Pick<Content, "blobs" | "manifests" | "names" | "uploads">;
  /** Whether blobs may be taken over from a repository. */
  readonly mayRead: (repository: RepositoryName) => boolean;
}

type Writing = Pick<TargetRepository, "hasBlob" | "mount" | "putBlob" | "upload" | "putManifest" | "deleteTag">;

/** One repository of this registry, to write to. `place` checks its name and that it may be written. */
export function localWriting(place: () => RepositoryName, { content, mayRead }: LocalWritingPorts): Writing {
  const { blobs, manifests, names, uploads } = content;
  return {
    async hasBlob(text) {
      const repository = place();
      const digest = digestOf(text);
      return (await attempted(`looking for ${digest}`, () => blobs.find(repository, digest, true))).ok;
    },
    async mount(text, from) {
      const repository = place();
      const digest = digestOf(text);
      const source = parseRepositoryName(from);
      if (source === undefined || !mayRead(source)) return false;
      return await attempted(`mounting ${digest}`, () => blobs.mount(repository, digest, source, mayRead));
    },
    async putBlob({ digest: text, size }, stream) {
      const repository = place();
      const digest = digestOf(text);
      const pushed = await attempted(`writing ${digest}`, () =>
        uploads.push(repository, digest, ofLength(stream, size), size),
      );
      if (!pushed.ok) throw contentError(pushed.error, `writing ${digest}`);
    },
    async upload(resume) {
      const repository = place();
      const resumed = resume === undefined ? undefined : await resumedUpload(repository, resume, uploads);
      if (resumed !== undefined) return resumed;
      const address = await attempted("opening an upload", () => uploads.open(repository, "sha256"));
      return uploadAt(address, 0, uploads);
    },
    async putManifest(text, { mediaType, bytes }) {
      const repository = place();
      const reference = parseReference(text);
      if (!reference.ok) throw new RegistryError("refused", `this registry: ${text}: ${reference.error.reason}`);
      const what = `writing ${repository}:${text}`;
      const put = await attempted(what, () =>
        manifests.put({ repository, reference: reference.value, tags: [], bytes, contentType: mediaType }),
      );
      if (!put.ok) throw contentError(put.error, what);
      return { subject: put.value.subject !== undefined };
    },
    async deleteTag(text) {
      const repository = place();
      const tag = parseTag(text);
      if (tag === undefined) throw new RegistryError("refused", `this registry: ${text} is not a tag`);
      // A tag that is gone already is as good.
      await attempted(`deleting ${repository}:${tag}`, () => names.removeTag(repository, tag));
    },
  };
}

async function resumedUpload(
  repository: RepositoryName,
  { location }: UploadState,
  uploads: Content["uploads"],
): Promise<BlobUpload | undefined> {
  const [id = "", state = ""] = location.split("?");
  const address = { repository, id, state };
  const size = await attempted("going on with an upload", () => uploads.status(address));
  return size.ok ? uploadAt(address, size.value, uploads) : undefined;
}

/** An upload session. Its location is `<id>?<proof>`, of no use outside this registry. */
function uploadAt(address: UploadAddress, from: number, uploads: Content["uploads"]): BlobUpload {
  const location = `${address.id}?${address.state}`;
  let offset = from;
  const state = (): UploadState => ({ location, offset });
  return {
    get state() {
      return state();
    },
    resumable: true,
    async append(stream, length) {
      const body = { stream: ofLength(stream, length), length, offset };
      const size = await attempted("sending a part", () => uploads.append(address, body));
      if (!size.ok) {
        if (size.error.reason === "upload-interrupted") offset = size.error.received;
        throw contentError(size.error, "sending a part");
      }
      offset = size.value;
      return state();
    },
    async close(text) {
      const digest = digestOf(text);
      const what = `closing the upload of ${digest}`;
      const closed = await attempted(what, () => uploads.close(address, digest, { stream: null, length: 0 }));
      if (!closed.ok) throw contentError(closed.error, what);
    },
    async cancel() {
      await uploads.cancel(address).catch(() => undefined);
    },
  };
}

/** Stores want to know how long a stream is. */
function ofLength(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  return stream.pipeThrough(new FixedLengthStream(length));
}
