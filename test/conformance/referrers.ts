import { describe, expect, test } from "vitest";
import {
  blob,
  type Content,
  content,
  descriptor,
  type Descriptor,
  imageIndex,
  imageManifest,
  MEDIA,
  type ManifestContent,
} from "./data.ts";
import { expectAnswer, expectError } from "./expectations.ts";
import { BAD_COUNTS, PAGE_REFUSED, pages } from "./listings.ts";
import { type Answer, json, query, type Registry, type Repository } from "./registry-client.ts";
import { pushBlob, putManifest } from "./steps.ts";

/** Listing what refers to a manifest. @see distribution-spec, end-12 */
export function referrerTests(registry: Registry): void {
  describe("referrers (Referrers; end-12)", () => {
    test("of a digest that nothing refers to, and of a repository that is not known: an empty index (suite: empty)", async () => {
      const known = registry.repository("known");
      await pushBlob(known, blob());
      for (const repository of [known, registry.repository("never-pushed")]) {
        for (const algorithm of ["sha256", "sha512"] as const) {
          const answer = await repository.send("GET", `referrers/${blob(1, algorithm).digest}`);
          expectAnswer(answer, 200, { "content-type": MEDIA.index, "oci-filters-applied": null, link: null });
          expect(json(answer)).toEqual({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] });
        }
      }
    });

    test("an empty answer still says that it was filtered (end-12b)", async () => {
      const filter = query("artifactType", MEDIA.example1);
      const answer = await registry.repository("never-pushed").send("GET", `referrers/${blob().digest}`, filter);
      expectAnswer(answer, 200, { "content-type": MEDIA.index, "oci-filters-applied": "artifactType" });
    });

    test.each(["latest", "sha256:short", "md5:d41d8cd98f00b204e9800998ecf8427e"])(
      "of %s, which is no digest: 400 (end-12)",
      async (reference) => {
        const answer = await registry.repository("referrers").send("GET", `referrers/${reference}`);
        expectError(answer, { status: 400, code: "DIGEST_INVALID" });
      },
    );

    test("artifactType: the field, else an image's config type, else nothing; annotations come along (spec.md, Listing Referrers)", async () => {
      const { repository, subject, config } = await withSubject(registry);
      const annotations = { "org.example.note": "kept \u00e9" };
      const stated = imageManifest(config, [], { subject, artifactType: MEDIA.example1, annotations });
      const image = imageManifest(config, [], { subject });
      const index = imageIndex([], { subject });
      const statedIndex = imageIndex([], { subject, artifactType: MEDIA.example2, annotations });
      for (const manifest of [stated, image, index, statedIndex]) await put(repository, manifest);
      const listed = await list(repository, subject.digest);
      expect(listed).toHaveLength(4);
      expect(find(listed, stated)).toEqual({ ...descriptor(stated), artifactType: MEDIA.example1, annotations });
      expect(find(listed, image)).toEqual({ ...descriptor(image), artifactType: MEDIA.config });
      expect(find(listed, index)).toEqual(descriptor(index));
      expect(find(listed, statedIndex)).toEqual({
        ...descriptor(statedIndex),
        artifactType: MEDIA.example2,
        annotations,
      });
      for (const [type, expected] of [
        [MEDIA.example1, stated],
        [MEDIA.config, image],
        [MEDIA.example2, statedIndex],
      ] as const) {
        const filtered = await repository.send("GET", `referrers/${subject.digest}`, query("artifactType", type));
        expectAnswer(filtered, 200, { "oci-filters-applied": "artifactType" });
        expect(manifestsOf(filtered).map(({ digest }) => digest)).toEqual([expected.digest]);
      }
    });

    test("annotations of a megabyte come along as well (spec.md, Listing Referrers)", async () => {
      const { repository, subject, config } = await withSubject(registry);
      const annotations = { "org.example.large": "A".repeat(1024 * 1024) };
      const large = imageManifest(config, [], { subject, annotations });
      await put(repository, large);
      const [only] = await list(repository, subject.digest);
      expect(only?.["annotations"]).toEqual(annotations);
    });

    test("they are listed before their subject is pushed, and after it was deleted (spec.md, Pushing Manifests with Subject)", async () => {
      const { repository, config } = await withSubject(registry);
      const image = imageManifest(config, [], { annotations: { unique: blob().digest } });
      const signature = imageManifest(config, [], { subject: descriptor(image), artifactType: MEDIA.example1 });
      await put(repository, signature);
      const digests = async (): Promise<string[]> => (await list(repository, image.digest)).map(({ digest }) => digest);
      expect(await digests()).toEqual([signature.digest]);
      await put(repository, image);
      expect(await digests()).toEqual([signature.digest]);
      expectAnswer(await repository.send("DELETE", `manifests/${image.digest}`), 202);
      expect(await digests()).toEqual([signature.digest]);
    });

    test("those of another repository are not listed (end-12a)", async () => {
      const { repository, subject, config } = await withSubject(registry);
      await put(repository, imageManifest(config, [], { subject }));
      expect(await list(registry.repository("stranger"), subject.digest)).toEqual([]);
    });

    test("subject and referrer may have digests of different algorithms (end-12a)", async () => {
      const { repository, config } = await withSubject(registry);
      const subject = { ...descriptor(blob(9, "sha512")), mediaType: MEDIA.manifest };
      const short = imageManifest(config, [], { subject });
      const long = imageManifest(config, [], { subject, algorithm: "sha512", artifactType: MEDIA.example1 });
      for (const manifest of [short, long]) await put(repository, manifest);
      const digests = (await list(repository, subject.digest)).map(({ digest }) => digest);
      expect(digests.sort()).toEqual([short.digest, long.digest].sort());
    });

    test("n: Link leads through all pages, and keeps the filter (spec.md, Listing Referrers; RFC 8288)", async () => {
      const { repository, subject, config } = await withSubject(registry);
      const types = [MEDIA.example1, MEDIA.example2];
      const pushed = Array.from({ length: 7 }, (_, position) =>
        imageManifest(config, [], {
          subject,
          artifactType: types[position % 2] ?? "",
          annotations: { position: String(position) },
        }),
      );
      for (const manifest of pushed) await put(repository, manifest);
      const path = `referrers/${subject.digest}`;
      const all = await pages(await repository.send("GET", path, query("n", "3")), registry);
      expect(all.map((page) => manifestsOf(page).length)).toEqual([3, 3, 1]);
      expect(digestsOf(all)).toEqual(pushed.map(({ digest }) => digest).sort());
      const parts = [query("n", "3"), query("artifactType", MEDIA.example1)];
      const filtered = await pages(await repository.send("GET", path, ...parts), registry);
      expect(filtered.map((page) => manifestsOf(page).length)).toEqual([3, 1]);
      for (const page of filtered) expectAnswer(page, 200, { "oci-filters-applied": "artifactType" });
      const matching = pushed.filter(({ artifactType }) => artifactType === MEDIA.example1);
      expect(digestsOf(filtered)).toEqual(matching.map(({ digest }) => digest).sort());
    });

    test("n=0 is an empty index without Link (end-12a)", async () => {
      const { repository, subject, config } = await withSubject(registry);
      await put(repository, imageManifest(config, [], { subject }));
      const none = await repository.send("GET", `referrers/${subject.digest}`, query("n", "0"));
      expectAnswer(none, 200, { link: null });
      expect(manifestsOf(none)).toEqual([]);
    });

    test.each(BAD_COUNTS)("n=%s is refused (PAGINATION_NUMBER_INVALID)", async (n) => {
      const answer = await registry.repository("referrers").send("GET", `referrers/${blob().digest}`, query("n", n));
      expectError(answer, PAGE_REFUSED);
    });
  });
}

/** A repository with a config blob, and a subject that it does not hold. */
async function withSubject(registry: Registry): Promise<{
  readonly repository: Repository;
  readonly subject: Descriptor;
  readonly config: Descriptor;
}> {
  const repository = registry.repository("referrers");
  const config: Content = content(new TextEncoder().encode("{}"), MEDIA.config);
  await pushBlob(repository, config);
  return { repository, subject: { ...descriptor(blob()), mediaType: MEDIA.manifest }, config: descriptor(config) };
}

async function put(repository: Repository, manifest: ManifestContent): Promise<void> {
  expectAnswer(await putManifest(repository, manifest.digest, manifest), 201, {
    "oci-subject": manifest.subject ?? null,
  });
}

async function list(repository: Repository, subject: string): Promise<readonly Descriptor[]> {
  return manifestsOf(await repository.send("GET", `referrers/${subject}`));
}

function manifestsOf(answer: Answer): readonly Descriptor[] {
  expectAnswer(answer, 200, { "content-type": MEDIA.index });
  return (json(answer) as { readonly manifests: readonly Descriptor[] }).manifests;
}

function digestsOf(answers: readonly Answer[]): string[] {
  return answers
    .flatMap(manifestsOf)
    .map(({ digest }) => digest)
    .sort();
}

function find(listed: readonly Descriptor[], manifest: ManifestContent): Descriptor | undefined {
  return listed.find(({ digest }) => digest === manifest.digest);
}
