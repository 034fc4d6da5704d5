import { describe, expect, test } from "vitest";
import {
  blob,
  content,
  type Content,
  descriptor,
  type Descriptor,
  imageIndex,
  imageManifest,
  jsonBytes,
  MEDIA,
  smallImage,
} from "./data.ts";
import { expectAbsent, expectAnswer, expectBytes, expectError } from "./expectations.ts";
import { body, json, query, type Registry, type Repository, streamed } from "./registry-client.ts";
import { pushBlob, pushImage, putManifest } from "./steps.ts";

const MIB = 1024 * 1024;

/** What manifests may be. @see distribution-spec, end-7; image-spec, manifest.md and image-index.md */
export function manifestPushTests(registry: Registry): void {
  describe("manifests that are taken (end-7)", () => {
    test("a manifest of 4 MiB to the byte, and one by chunked coding (spec.md, Pushing Manifests: at least 4 MB)", async () => {
      const repository = registry.repository("large");
      for (const send of [body, streamed]) {
        const manifest = await padded(repository, 4 * MIB);
        const answer = await repository.send("PUT", "manifests/large", send(manifest.bytes, manifest.mediaType));
        expectAnswer(answer, 201, { "docker-content-digest": manifest.digest });
        expectBytes(await repository.send("GET", "manifests/large"), manifest.bytes);
      }
    });

    test("bytes are kept as they are: order, spaces, escapes, unknown fields, repeated keys (end-3)", async () => {
      const repository = registry.repository("bytes");
      const { manifest, blobs } = smallImage();
      for (const each of blobs) await pushBlob(repository, each);
      const fields = new TextDecoder().decode(manifest.bytes).slice(1);
      const odd = `\n{ "org.example.unknown" : {"deep":[1e3, null,"\\u00e9/\\/"]},\r\n\t"zz":1,"zz":2, ${fields}  \n`;
      const kept = content(new TextEncoder().encode(odd), MEDIA.manifest);
      expectAnswer(await putManifest(repository, "odd", kept), 201, { "docker-content-digest": kept.digest });
      for (const reference of ["odd", kept.digest]) {
        expectBytes(await repository.send("GET", `manifests/${reference}`), kept.bytes);
      }
    });

    test.each([
      ["an image", MEDIA.manifest, {}],
      ["an index", MEDIA.index, { manifests: [] }],
      ["a Docker image", MEDIA.dockerManifest, {}],
      ["a Docker list", MEDIA.dockerList, { manifests: [] }],
    ])("%s without the field mediaType is what Content-Type says (end-7)", async (_what, type, fields) => {
      const repository = registry.repository("untyped");
      const [config] = await pushBlobs(repository, 1);
      const contents = "manifests" in fields ? fields : { config, layers: [] };
      const manifest = content(jsonBytes({ schemaVersion: 2, ...contents }), type);
      expectAnswer(await putManifest(repository, "untyped", manifest), 201);
      const got = await repository.send("GET", "manifests/untyped");
      expectAnswer(got, 200, { "content-type": type });
      expectBytes(got, manifest.bytes);
    });

    test("parameters of Content-Type are not part of the type (end-3, end-7)", async () => {
      const repository = registry.repository("parameters");
      const { manifest, blobs } = smallImage();
      for (const each of blobs) await pushBlob(repository, each);
      const typed = { ...manifest, mediaType: `${MEDIA.manifest}; charset=utf-8` };
      expectAnswer(await putManifest(repository, "parameters", typed), 201);
      expectAnswer(await repository.send("GET", "manifests/parameters"), 200, { "content-type": MEDIA.manifest });
    });

    test("a layer that registries need not hold may be absent; any other may not (image-spec, layer.md)", async () => {
      const repository = registry.repository("foreign");
      const [config] = await pushBlobs(repository, 1);
      for (const type of [
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      ]) {
        const absent = descriptor(blob(100, "sha256", type));
        const manifest = imageManifest(config, [absent]);
        expectAnswer(await putManifest(repository, "foreign", manifest), 201);
        await expectAbsent(repository, `blobs/${absent.digest}`);
      }
    });

    test("an index may name blobs of its repository, as BuildKit's cache does (image-index.md: any media type)", async () => {
      const repository = registry.repository("cache");
      const [layer, config] = await pushBlobs(repository, 2);
      const types = [MEDIA.layerGzip, "application/vnd.buildkit.cacheconfig.v0"];
      const children = [layer, config].map((child, position) => ({ ...child, mediaType: types[position] ?? "" }));
      const index = imageIndex(children);
      expectAnswer(await putManifest(repository, "cache", index), 201);
      expectBytes(await repository.send("GET", "manifests/cache"), index.bytes);
    });

    test("a subject may be absent, and OCI-Subject says that it was understood (end-7, Manifest put with subject)", async () => {
      const repository = registry.repository("subject");
      const subject = { ...descriptor(blob(77)), mediaType: MEDIA.manifest };
      const { manifest, blobs } = smallImage({ subject });
      for (const each of blobs) await pushBlob(repository, each);
      expectAnswer(await putManifest(repository, manifest.digest, manifest), 201, { "oci-subject": subject.digest });
      const plain = await pushImage(repository, "plain");
      expectAnswer(await putManifest(repository, "plain", plain.manifest), 201, { "oci-subject": null });
    });

    test("pushing the same manifest again is no error, and moves the tag (end-7a)", async () => {
      const repository = registry.repository("again");
      const first = await pushImage(repository, "latest");
      const second = await pushImage(repository, "latest");
      for (const { manifest } of [first, second, first]) {
        expectAnswer(await putManifest(repository, "latest", manifest), 201);
        expectAnswer(await repository.send("HEAD", "manifests/latest"), 200, {
          "docker-content-digest": manifest.digest,
        });
      }
    });
  });

  describe("?tag= on a push by digest (Manifest put with tag params; end-7b)", () => {
    test("ten tags at once, each echoed in OCI-Tag (spec.md: at least 10)", async () => {
      const repository = registry.repository("tags");
      const { manifest, blobs } = smallImage();
      for (const each of blobs) await pushBlob(repository, each);
      const tags = Array.from({ length: 10 }, (_, position) => `tag-${position}`);
      const answer = await putManifest(repository, manifest.digest, manifest, ...tags.map((tag) => query("tag", tag)));
      expectAnswer(answer, 201, { "oci-tag": tags.join(", "), "docker-content-digest": manifest.digest });
      expect(await listTags(repository)).toEqual(tags);
      for (const tag of tags) {
        expectAnswer(await repository.send("HEAD", `manifests/${tag}`), 200, {
          "docker-content-digest": manifest.digest,
        });
      }
    });

    test("sha512 manifests get tags this way (end-7b)", async () => {
      const repository = registry.repository("tags");
      const { manifest, blobs } = smallImage({ algorithm: "sha512" });
      for (const each of blobs) await pushBlob(repository, each);
      expectAnswer(await putManifest(repository, manifest.digest, manifest, query("tag", "long")), 201, {
        "docker-content-digest": manifest.digest,
        "oci-tag": "long",
      });
      const got = await repository.send("GET", "manifests/long");
      expectAnswer(got, 200, { "docker-content-digest": manifest.digest });
      expectBytes(got, manifest.bytes);
    });

    test("more than a hundred tags refuse the push (414)", async () => {
      const repository = registry.repository("tags");
      const { manifest, blobs } = smallImage();
      for (const each of blobs) await pushBlob(repository, each);
      const tags = Array.from({ length: 101 }, (_, position) => query("tag", `tag-${position}`));
      expectError(await putManifest(repository, manifest.digest, manifest, ...tags), {
        status: 414,
        code: "TAG_INVALID",
      });
      await expectAbsent(repository, `manifests/${manifest.digest}`);
    });

    test("one malformed tag refuses the push, tags and all (400 TAG_INVALID)", async () => {
      const repository = registry.repository("tags");
      const { manifest, blobs } = smallImage();
      for (const each of blobs) await pushBlob(repository, each);
      const tags = [query("tag", "good"), query("tag", "-bad")];
      expectError(await putManifest(repository, manifest.digest, manifest, ...tags), {
        status: 400,
        code: "TAG_INVALID",
      });
      await expectAbsent(repository, `manifests/${manifest.digest}`);
      expect(await listTags(repository)).toEqual([]);
    });
  });

  describe("names of tags (spec.md, Pulling manifests)", () => {
    test.each(["a", "_", "0.1-rc.1_x", "UPPER", "t".repeat(128), "list", "sha256-abc"])("%s is one", async (tag) => {
      const repository = registry.repository("tag");
      const { manifest } = await pushImage(repository, tag);
      expectAnswer(await repository.send("GET", `manifests/${tag}`), 200, { "docker-content-digest": manifest.digest });
      expect(await listTags(repository)).toEqual([tag]);
    });
  });

  describe("names of repositories (spec.md, Pulling manifests)", () => {
    test.each(["single", "a/b/c/d/e/f", "a.b_c__d---e/0", "team/tags/list", "x/blobs/uploads", "y/manifests/latest"])(
      "%s is one",
      async (name) => {
        const repository = registry.named(name);
        const { manifest, blobs } = await pushImage(repository, "latest");
        expectBytes(await repository.send("GET", "manifests/latest"), manifest.bytes);
        expectAnswer(await repository.send("HEAD", `blobs/${blobs[0].digest}`), 200);
        expect(await listTags(repository)).toEqual(["latest"]);
      },
    );
  });
}

/** An image manifest of exactly `size` bytes, its blobs pushed. */
async function padded(repository: Repository, size: number): Promise<Content> {
  const { manifest, blobs } = smallImage({ annotations: { padding: "" } });
  for (const each of blobs) await pushBlob(repository, each);
  const text = new TextDecoder().decode(manifest.bytes);
  const filled = text.replace('"padding":""', `"padding":"${"p".repeat(size - text.length)}"`);
  return content(new TextEncoder().encode(filled), manifest.mediaType);
}

async function pushBlobs(repository: Repository, count: 1): Promise<[Descriptor]>;
async function pushBlobs(repository: Repository, count: 2): Promise<[Descriptor, Descriptor]>;
async function pushBlobs(repository: Repository, count: number): Promise<Descriptor[]> {
  const blobs = Array.from({ length: count }, () => blob(60, "sha256", MEDIA.config));
  for (const each of blobs) await pushBlob(repository, each);
  return blobs.map(descriptor);
}

async function listTags(repository: Repository): Promise<readonly string[]> {
  const answer = await repository.send("GET", "tags/list");
  expectAnswer(answer, 200);
  return (json(answer) as { readonly tags: readonly string[] }).tags;
}
