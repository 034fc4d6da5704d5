import { someBytes } from "./bytes.ts";
import { imageOf, type Kernel, pushBlob, pushManifest, repositoryName } from "./fixture.ts";

/** An image, and its sizes in bytes: the manifest alone, and with what it names. */
export interface PushedImage {
  readonly digest: string;
  readonly size: number;
  readonly bytes: number;
}

/** Pushes an image of a config and a layer, the same each time but for `more`. */
export async function pushImage(
  kernel: Kernel,
  name: string,
  tags: readonly string[],
  more: object = {},
): Promise<PushedImage> {
  const repository = repositoryName(name);
  const contents = [someBytes(1, 11), someBytes(2, 22)];
  const blobs = [];
  for (const bytes of contents) blobs.push(await pushBlob(kernel, repository, bytes));
  const body = imageOf(
    blobs.map(({ digest }) => digest),
    more,
  );
  let digest = "";
  for (const tag of tags) {
    const pushed = await pushManifest(kernel, repository, body, tag);
    if (!pushed.ok) throw new Error(pushed.error.reason);
    ({ digest } = pushed.value);
  }
  const size = JSON.stringify(body).length;
  return { digest, size, bytes: contents.reduce((sum, bytes) => sum + bytes.byteLength, size) };
}
