import { describe, expect, test } from "vitest";
import {
  blob,
  content,
  type Content,
  descriptor,
  imageIndex,
  jsonBytes,
  type ManifestContent,
  MEDIA,
  smallImage,
} from "./data.ts";
import { expectAbsent, expectAnswer, expectBytes, expectError } from "./expectations.ts";
import { header, json, type Registry, type Repository } from "./registry-client.ts";
import { pushBlob, pushImage, putManifest } from "./steps.ts";

/** Pulling and deleting manifests. @see distribution-spec, end-3 and end-9 */
export function manifestPullTests(registry: Registry): void {
  test("GET and HEAD by tag and by digest name length, digest, entity tag and type (end-3)", async () => {
    const repository = registry.repository("manifest");
    const { manifest } = await pushImage(repository, "latest");
    for (const reference of ["latest", manifest.digest, manifest.digest.replace(":", "%3A")]) {
      for (const method of ["GET", "HEAD"]) {
        expectAnswer(await repository.send(method, `manifests/${reference}`), 200, {
          "content-type": MEDIA.manifest,
          "content-length": String(manifest.bytes.byteLength),
          "docker-content-digest": manifest.digest,
          etag: `"${manifest.digest}"`,
          "cache-control": reference === "latest" ? /no-cache, no-transform$/ : /immutable, no-transform$/,
        });
      }
      expectBytes(await repository.send("GET", `manifests/${reference}`), manifest.bytes);
    }
  });

  test("If-None-Match: 304 until the tag moves (RFC 9110 section 13.1.2)", async () => {
    const repository = registry.repository("etag");
    const { manifest } = await pushImage(repository, "latest");
    const known = header("if-none-match", `"${manifest.digest}"`);
    for (const method of ["GET", "HEAD"]) {
      const unchanged = await repository.send(method, "manifests/latest", known);
      expectAnswer(unchanged, 304, { etag: `"${manifest.digest}"`, "docker-content-digest": manifest.digest });
      expect(unchanged.bytes).toHaveLength(0);
    }
    const bare = header("if-none-match", manifest.digest);
    expectAnswer(await repository.send("GET", "manifests/latest", bare), 304);
    const moved = await pushImage(repository, "latest");
    expectBytes(await repository.send("GET", "manifests/latest", known), moved.manifest.bytes);
    expectBytes(await repository.send("GET", `manifests/${manifest.digest}`), manifest.bytes);
  });

  test("manifests that are not there, by tag and by digest (suite: missing-manifest; end-3)", async () => {
    const unknown = { status: 404, code: "MANIFEST_UNKNOWN", message: "manifest unknown" };
    const repository = registry.repository("missing");
    for (const reference of ["missing", blob().digest]) {
      expectError(await repository.send("GET", `manifests/${reference}`), unknown);
    }
    await pushImage(repository, "latest");
    for (const reference of ["missing", blob().digest]) {
      expectError(await repository.send("GET", `manifests/${reference}`), unknown);
    }
  });

  describe("Accept: an index for a client that takes images only", () => {
    const image = "application/vnd.docker.distribution.manifest.v2+json";

    test.each([MEDIA.index, MEDIA.dockerList])("a tag of %s gives such a client linux/amd64 (Docker)", async (type) => {
      const repository = registry.repository("accept");
      const { index, amd64 } = await pushIndex(repository, type, ["arm64", "amd64"]);
      for (const accept of [image, MEDIA.manifest, `${image}, ${MEDIA.manifest};q=0.5, application/json`]) {
        for (const method of ["GET", "HEAD"]) {
          const answer = await repository.send(method, "manifests/latest", header("accept", accept));
          expectAnswer(answer, 200, { "content-type": amd64.mediaType, "docker-content-digest": amd64.digest });
          if (method === "GET") expectBytes(answer, amd64.bytes);
        }
        // A digest is never answered with other bytes than its own.
        const exact = await repository.send("GET", `manifests/${index.digest}`, header("accept", accept));
        expectAnswer(exact, 200, { "content-type": type });
        expectBytes(exact, index.bytes);
      }
    });

    test.each([
      ["an index too", `${image}, ${MEDIA.index}`],
      ["a Docker list too", `${image}, ${MEDIA.dockerList}`],
      ["anything", "*/*"],
      ["an image, or anything", `${image}, */*;q=0.1`],
      ["any application type", "application/*"],
    ])("a client that accepts %s gets the index itself (end-3, RFC 9110 section 12.5.1)", async (_what, accept) => {
      const repository = registry.repository("accept");
      const { index } = await pushIndex(repository, MEDIA.index, ["amd64"]);
      const answer = await repository.send("GET", "manifests/latest", header("accept", accept));
      expectAnswer(answer, 200, { "docker-content-digest": index.digest });
      expectBytes(answer, index.bytes);
    });

    test("an index without linux/amd64 is sent as it is (end-3)", async () => {
      const repository = registry.repository("accept");
      const { index } = await pushIndex(repository, MEDIA.index, ["arm64"]);
      const answer = await repository.send("GET", "manifests/latest", header("accept", image));
      expectAnswer(answer, 200, { "docker-content-digest": index.digest });
    });
  });

  describe("deleting manifests", () => {
    test("a tag: the manifest stays, and so do its other tags (Tag delete; end-9)", async () => {
      const repository = registry.repository("untag");
      const { manifest } = await pushImage(repository, "one");
      expectAnswer(await putManifest(repository, "two", manifest), 201);
      expectAnswer(await repository.send("HEAD", "manifests/one"), 200);
      expectAnswer(await repository.send("DELETE", "manifests/one"), 202);
      await expectAbsent(repository, "manifests/one");
      expectAnswer(await repository.send("HEAD", "manifests/two"), 200);
      expectAnswer(await repository.send("HEAD", `manifests/${manifest.digest}`), 200);
      expectError(await repository.send("DELETE", "manifests/one"), { status: 404, code: "MANIFEST_UNKNOWN" });
    });

    test("a digest: all its tags go, and the next request sees it (Manifest delete atomic; end-9)", async () => {
      const repository = registry.repository("delete");
      const { manifest } = await pushImage(repository, "one");
      expectAnswer(await putManifest(repository, "two", manifest), 201);
      const other = await pushImage(repository, "three");
      for (const reference of ["one", "two", manifest.digest]) {
        expectAnswer(await repository.send("HEAD", `manifests/${reference}`), 200);
      }
      expectAnswer(await repository.send("DELETE", `manifests/${manifest.digest}`), 202);
      for (const reference of ["one", "two", manifest.digest]) await expectAbsent(repository, `manifests/${reference}`);
      const tags = json(await repository.send("GET", "tags/list")) as { readonly tags: readonly string[] };
      expect(tags.tags).toEqual(["three"]);
      expectAnswer(await repository.send("HEAD", `manifests/${other.manifest.digest}`), 200);
      expectError(await repository.send("DELETE", `manifests/${manifest.digest}`), {
        status: 404,
        code: "MANIFEST_UNKNOWN",
      });
    });

    test("a deleted referrer is listed no longer (end-9, end-12a)", async () => {
      const repository = registry.repository("referrer");
      const { manifest } = await pushImage(repository, "latest");
      const referrer = await pushImage(repository, "signature", { subject: descriptor(manifest) });
      const list = async (): Promise<unknown> =>
        (
          json(await repository.send("GET", `referrers/${manifest.digest}`)) as {
            readonly manifests: readonly unknown[];
          }
        ).manifests;
      expect(await list()).toHaveLength(1);
      expectAnswer(await repository.send("DELETE", `manifests/${referrer.manifest.digest}`), 202);
      expect(await list()).toEqual([]);
    });
  });
}

/** An index with an image for each architecture, under the tag `latest`. */
async function pushIndex(
  repository: Repository,
  type: string,
  architectures: readonly string[],
): Promise<{ readonly index: Content; readonly amd64: ManifestContent }> {
  const images: ManifestContent[] = [];
  for (const _architecture of architectures) {
    const { manifest, blobs } = smallImage();
    for (const each of blobs) await pushBlob(repository, each);
    expectAnswer(await putManifest(repository, manifest.digest, manifest), 201);
    images.push(manifest);
  }
  const children = images.map((image, position) => ({
    ...descriptor(image),
    platform: { os: "linux", architecture: architectures[position] },
  }));
  const { bytes } = imageIndex(children);
  const body = { ...(JSON.parse(new TextDecoder().decode(bytes)) as object), mediaType: type };
  const index = content(jsonBytes(body), type);
  expectAnswer(await putManifest(repository, "latest", index), 201);
  const amd64 = images[architectures.indexOf("amd64")] ?? images[0];
  if (amd64 === undefined) throw new Error("an index for the tests has an image");
  return { index, amd64 };
}
