import { describe, expect, test } from "vitest";
import { type Content, type Descriptor, MEDIA, type ManifestContent } from "./data.ts";
import { DATA_SET_NAMES, dataSet } from "./data-sets.ts";
import { expectAbsent, expectAnswer, expectBlob, expectBytes, expectError } from "./expectations.ts";
import { header, json, location, query, type Repository } from "./registry-client.ts";
import { useRegistry } from "./registry-fixture.ts";
import { pushBlob, putManifest } from "./steps.ts";

const { registry } = useRegistry();

/** What the conformance suite sends when it pulls. */
const ACCEPT = [header("accept", MEDIA.index), header("accept", MEDIA.manifest)];

/** The steps of each data set follow one another, as in the suite: push, list, head, pull, referrers, delete. */
describe.each(DATA_SET_NAMES)("data set %s", (name) => {
  const set = dataSet(name);
  const repository = registry.repository(name);

  test("blobs are pushed (API states Blob push, Blob post put; end-4a, end-6)", async () => {
    await Promise.all(set.blobs.map((blob) => pushBlob(repository, blob)));
  });

  test("manifests are pushed by digest (Manifest put by digest, with subject, with tag params; end-7)", async () => {
    for (const manifest of set.manifests) {
      const tags = set.tagParameters ? tagsOf(set.tags, manifest) : [];
      const pushed = await putManifest(repository, manifest.digest, manifest, ...tags.map((tag) => query("tag", tag)));
      expectAnswer(pushed, 201, {
        "docker-content-digest": manifest.digest,
        "oci-subject": manifest.subject ?? null,
        "oci-tag": tags.length === 0 ? null : tags.join(", "),
      });
      const got = await repository.send("GET", location(pushed), ...ACCEPT);
      expectManifest(got, manifest);
      expectBytes(got, manifest.bytes);
    }
  });

  test("manifests are pushed by tag (Manifest put by tag; end-7a)", async () => {
    for (const [tag, manifest] of set.tagParameters ? [] : set.tags) {
      const pushed = await putManifest(repository, tag, manifest);
      expectAnswer(pushed, 201, {
        "docker-content-digest": manifest.digest,
        "oci-subject": manifest.subject ?? null,
        location: new RegExp(`/v2/${repository.name}/manifests/${manifest.digest}$`),
      });
    }
  });

  test("tags are listed, and `last` leaves out those up to it (Tag listing; end-8a, end-8b)", async () => {
    const tags = [...set.tags.keys()].sort();
    expect(await listTags(repository)).toEqual(tags);
    for (const [position, last] of tags.entries()) {
      expect(await listTags(repository, last)).toEqual(tags.slice(position + 1));
    }
  });

  test("HEAD finds everything (Manifest head by tag, by digest, Blob head; end-2, end-3)", async () => {
    for (const [reference, manifest] of references(set)) {
      const answer = await repository.send("HEAD", `manifests/${reference}`, ...ACCEPT);
      expectManifest(answer, manifest);
      expect(answer.bytes).toHaveLength(0);
    }
    for (const { digest, bytes } of set.blobs) {
      const answer = await repository.send("HEAD", `blobs/${digest}`);
      expectAnswer(answer, 200, { "content-length": String(bytes.byteLength), "docker-content-digest": digest });
    }
  });

  test("GET brings the bytes that were pushed (Manifest get by tag, by digest, Blob get; end-2, end-3)", async () => {
    for (const [reference, manifest] of references(set)) {
      const answer = await repository.send("GET", `manifests/${reference}`, ...ACCEPT);
      expectManifest(answer, manifest);
      expectBytes(answer, manifest.bytes);
    }
    await Promise.all(set.blobs.map((blob) => expectBlob(repository, blob)));
  });

  test("referrers are listed, and filtered by artifact type (Referrers; end-12a, end-12b)", async () => {
    const subjects = new Set(set.manifests.map(({ subject }) => subject).filter((subject) => subject !== undefined));
    for (const subject of subjects) {
      const expected = set.manifests.filter((manifest) => manifest.subject === subject).map(referrer);
      expect(await listReferrers(repository, subject)).toEqual(inOrder(expected));
      for (const artifactType of new Set(expected.map((each) => each.artifactType ?? ""))) {
        const matching = expected.filter((each) => each.artifactType === artifactType);
        expect(await listReferrers(repository, subject, artifactType)).toEqual(inOrder(matching));
      }
    }
  });

  test("deletes are seen by the next request (Tag, Manifest and Blob delete, all atomic; end-9, end-10)", async () => {
    for (const tag of set.tags.keys()) {
      expectAnswer(await repository.send("DELETE", `manifests/${tag}`), 202);
      await expectAbsent(repository, `manifests/${tag}`);
    }
    for (const { digest } of set.manifests.toReversed()) {
      expectAnswer(await repository.send("DELETE", `manifests/${digest}`), 202);
      await expectAbsent(repository, `manifests/${digest}`);
    }
    for (const { digest } of set.blobs) {
      expectAnswer(await repository.send("DELETE", `blobs/${digest}`), 202);
      await expectAbsent(repository, `blobs/${digest}`);
    }
  });
});

describe("data sets that this registry refuses", () => {
  test("sparse: an image without one of its layers, an index without one of its images (end-7, MANIFEST_BLOB_UNKNOWN)", async () => {
    const repository = registry.repository("sparse");
    const { blobs, manifests } = dataSet("index");
    const [image, other, index] = manifests;
    const [layer, ...rest] = blobs;
    if (image === undefined || other === undefined || index === undefined || layer === undefined) throw new Error();
    await Promise.all(rest.map((blob) => pushBlob(repository, blob)));
    await expectRefused(repository, image, layer.digest);
    expectAnswer(await putManifest(repository, other.digest, other), 201);
    await expectRefused(repository, index, image.digest);
  });

  test("bad-digest-image: the manifest has other bytes than its digest says (end-7, DIGEST_INVALID)", async () => {
    const repository = registry.repository("bad-digest");
    const { blobs, manifests } = dataSet("image");
    await Promise.all(blobs.map((blob) => pushBlob(repository, blob)));
    for (const manifest of manifests) {
      const padded = { ...manifest, bytes: Buffer.concat([manifest.bytes, Buffer.from("  ")]) };
      expectError(await putManifest(repository, manifest.digest, padded), { status: 400, code: "DIGEST_INVALID" });
      await expectAbsent(repository, `manifests/${manifest.digest}`);
    }
  });
});

async function expectRefused(repository: Repository, manifest: ManifestContent, missing: string): Promise<void> {
  const entry = expectError(await putManifest(repository, manifest.digest, manifest), {
    status: 400,
    code: "MANIFEST_BLOB_UNKNOWN",
    message: new RegExp(missing),
  });
  expect(entry.detail).toEqual([{ digest: missing }]);
  await expectAbsent(repository, `manifests/${manifest.digest}`);
}

function expectManifest(answer: Parameters<typeof expectAnswer>[0], manifest: Content): void {
  expectAnswer(answer, 200, {
    "content-type": manifest.mediaType,
    "content-length": String(manifest.bytes.byteLength),
    "docker-content-digest": manifest.digest,
  });
}

function tagsOf(tags: ReadonlyMap<string, ManifestContent>, manifest: ManifestContent): string[] {
  return [...tags].filter(([, tagged]) => tagged === manifest).map(([tag]) => tag);
}

function references({ tags, manifests }: ReturnType<typeof dataSet>): [string, ManifestContent][] {
  return [...tags, ...manifests.map((manifest): [string, ManifestContent] => [manifest.digest, manifest])];
}

async function listTags(repository: Repository, last?: string): Promise<readonly string[]> {
  const answer = await repository.send("GET", "tags/list", ...(last === undefined ? [] : [query("last", last)]));
  expectAnswer(answer, 200, { link: null });
  const list = json(answer) as { readonly name: string; readonly tags: readonly string[] };
  expect(list.name).toBe(repository.name);
  return list.tags;
}

function referrer(manifest: ManifestContent): Descriptor {
  const { mediaType, digest, bytes, artifactType, annotations } = manifest;
  return {
    mediaType,
    digest,
    size: bytes.byteLength,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

async function listReferrers(repository: Repository, subject: string, artifactType?: string): Promise<Descriptor[]> {
  const filter = artifactType === undefined ? [] : [query("artifactType", artifactType)];
  const answer = await repository.send("GET", `referrers/${subject}`, ...filter);
  const applied = artifactType === undefined ? null : "artifactType";
  expectAnswer(answer, 200, { "content-type": MEDIA.index, "oci-filters-applied": applied, link: null });
  const { manifests, ...index } = json(answer) as { readonly manifests: Descriptor[] };
  expect(index).toEqual({ schemaVersion: 2, mediaType: MEDIA.index });
  return inOrder(manifests);
}

/** The specification gives referrers no order. */
function inOrder(descriptors: readonly Descriptor[]): Descriptor[] {
  return descriptors.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}
