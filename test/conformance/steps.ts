import { expectAnswer } from "./expectations.ts";
import { type CommonFields, type Content, type ManifestContent, smallImage } from "./data.ts";
import { type Answer, body, location, query, type Repository, type RequestPart } from "./registry-client.ts";

/** Opens an upload (end-4a) and resolves to its `Location`. */
export async function openUpload(repository: Repository, ...parts: RequestPart[]): Promise<string> {
  const opened = await repository.send("POST", "blobs/uploads/", ...parts);
  expectAnswer(opened, 202);
  return location(opened);
}

/** Pushes a blob in two requests (end-4a, end-6). */
export async function pushBlob(repository: Repository, blob: Content): Promise<void> {
  const upload = await openUpload(repository);
  expectAnswer(await repository.send("PUT", upload, query("digest", blob.digest), body(blob.bytes)), 201);
}

/** Sends a manifest (end-7); the caller judges the answer. */
export async function putManifest(
  repository: Repository,
  reference: string,
  manifest: Content,
  ...parts: RequestPart[]
): Promise<Answer> {
  return repository.send("PUT", `manifests/${reference}`, body(manifest.bytes, manifest.mediaType), ...parts);
}

/** Pushes an image of its own under a tag, blobs included. */
export async function pushImage(
  repository: Repository,
  tag: string,
  fields: CommonFields = {},
): Promise<{ readonly manifest: ManifestContent; readonly blobs: readonly [config: Content, layer: Content] }> {
  const image = smallImage(fields);
  for (const blob of image.blobs) await pushBlob(repository, blob);
  expectAnswer(await putManifest(repository, tag, image.manifest), 201);
  return image;
}
