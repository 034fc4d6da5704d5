import { describe, expect, test } from "vitest";
import { expectAnswer, expectError } from "./expectations.ts";
import { blob } from "./data.ts";
import { type Answer, json, nextPage, query, type Registry, type Repository } from "./registry-client.ts";
import { pushBlob, pushImage, putManifest } from "./steps.ts";

/** What Docker's registry answers to an `n` that it cannot use. */
export const PAGE_REFUSED = {
  status: 400,
  code: "PAGINATION_NUMBER_INVALID",
  message: "invalid number of results requested",
};

/** Values of `n` that are no whole number of results. */
export const BAD_COUNTS = ["-1", "ten", "1.5", "1e1", "0x10", "NaN", "1,2"];

/** Follows `Link` from the first page on, a bounded number of times; resolves to every page's answer. */
export async function pages(first: Answer, registry: Registry): Promise<readonly Answer[]> {
  const all = [first];
  let next = nextPage(first);
  while (next !== undefined && all.length < 50) {
    const answer = await registry.send("GET", next);
    all.push(answer);
    next = nextPage(answer);
  }
  return all;
}

/** Listing tags. @see distribution-spec, end-8 */
export function tagListTests(registry: Registry): void {
  describe("tags/list (Tag listing; end-8)", () => {
    const repository = registry.repository("listing");
    // ASCII order: digits, upper case, underscore, lower case.
    const sorted = ["1.0", "1.10", "1.9", "Latest", "_hidden", "a", "a-b", "aa", "b"];

    test("tags come in order, whatever order they were pushed in (end-8a)", async () => {
      const { manifest } = await pushImage(repository, "b");
      for (const tag of sorted.toReversed()) {
        expectAnswer(await putManifest(repository, tag, manifest), 201);
      }
      const answer = await repository.send("GET", "tags/list");
      expectAnswer(answer, 200, { link: null, "content-type": /^application\/json/ });
      expect(json(answer)).toEqual({ name: repository.name, tags: sorted });
    });

    test.each([1, 2, 4, 8])("n=%i: Link leads through all of them, each once (end-8b, RFC 8288)", async (n) => {
      const answers = await pages(await repository.send("GET", "tags/list", query("n", String(n))), registry);
      const lists = answers.map(tagsOf);
      expect(lists.flat()).toEqual(sorted);
      expect(lists.slice(0, -1).every((tags) => tags.length === n)).toBe(true);
      const last = lists[0]?.at(-1) ?? "";
      expect(answers[0]?.headers.get("link")).toBe(
        `</v2/${repository.name}/tags/list?n=${n}&last=${last}>; rel="next"`,
      );
    });

    test.each([9, 10, 100_000])("n=%i: no Link, since nothing follows (end-8b)", async (n) => {
      const answer = await repository.send("GET", "tags/list", query("n", String(n)));
      expectAnswer(answer, 200, { link: null });
      expect(tagsOf(answer)).toEqual(sorted);
    });

    test("n=0: an empty list and no Link (end-8b)", async () => {
      const answer = await repository.send("GET", "tags/list", query("n", "0"));
      expectAnswer(answer, 200, { link: null });
      expect(json(answer)).toEqual({ name: repository.name, tags: [] });
    });

    test.each(BAD_COUNTS)("n=%s is refused (Docker; PAGINATION_NUMBER_INVALID)", async (n) => {
      const entry = expectError(await repository.send("GET", "tags/list", query("n", n)), PAGE_REFUSED);
      expect(entry.detail).toBe(n);
    });

    test("last: tags after it, whether it exists or not (end-8b)", async () => {
      const after = async (last: string): Promise<readonly string[]> =>
        tagsOf(await repository.send("GET", "tags/list", query("last", last)));
      expect(await after("a")).toEqual(["a-b", "aa", "b"]);
      expect(await after("a0")).toEqual(["aa", "b"]);
      expect(await after("b")).toEqual([]);
      expect(await after("")).toEqual(sorted);
      const both = await repository.send("GET", "tags/list", query("last", "1.9"), query("n", "2"));
      expect(tagsOf(both)).toEqual(["Latest", "_hidden"]);
      expect(nextPage(both)).toContain("last=_hidden");
    });

    test("a repository that is not known is 404 NAME_UNKNOWN (suite: empty; end-8a)", async () => {
      expectError(await registry.repository("never-pushed").send("GET", "tags/list"), {
        status: 404,
        code: "NAME_UNKNOWN",
        message: "repository name not known to registry",
      });
    });

    test("a repository without tags has an empty list, not null (end-8a)", async () => {
      const bare = registry.repository("bare");
      await pushBlob(bare, blob());
      expect(json(await bare.send("GET", "tags/list"))).toEqual({ name: bare.name, tags: [] });
    });
  });
}

/** `_catalog`, which is Docker's: the specification only reserves the name. */
export function catalogTests(registry: Registry): void {
  describe("_catalog (Docker Registry HTTP API V2, Listing Repositories)", () => {
    // Sorts after every other repository of this server, so that the list has a known end.
    const prefix = "zzz/catalog-";
    const names = ["a", "a-b", "a.b", "a/b", "b"].map((name) => prefix + name).sort();

    test("repositories that hold a manifest, in order (Docker)", async () => {
      for (const name of names.toReversed()) await pushImage(registry.named(name), "latest");
      await pushBlob(registry.named(`${prefix}blobs-only`), blob());
      const answer = await registry.send("GET", `/v2/_catalog?last=${prefix}`);
      expectAnswer(answer, 200, { link: null, "content-type": /^application\/json/ });
      expect(json(answer)).toEqual({ repositories: names });
    });

    test.each([1, 2, 3])("n=%i: Link leads through all of them, each once (RFC 8288)", async (n) => {
      const answers = await pages(await registry.send("GET", `/v2/_catalog?n=${n}&last=${prefix}`), registry);
      const lists = answers.map(repositoriesOf);
      expect(lists.flat()).toEqual(names);
      expect(lists.slice(0, -1).every((list) => list.length === n)).toBe(true);
      expect(answers[0]?.headers.get("link")).toMatch(/^<\/v2\/_catalog\?n=\d+&last=[^>]+>; rel="next"$/);
    });

    test("n=5 is all of them: no Link", async () => {
      const answer = await registry.send("GET", `/v2/_catalog?n=5&last=${prefix}`);
      expectAnswer(answer, 200, { link: null });
      expect(repositoriesOf(answer)).toEqual(names);
    });

    test("n=0 is an empty list without Link", async () => {
      const answer = await registry.send("GET", "/v2/_catalog?n=0");
      expectAnswer(answer, 200, { link: null });
      expect(json(answer)).toEqual({ repositories: [] });
    });

    test.each(BAD_COUNTS)("n=%s is refused (PAGINATION_NUMBER_INVALID)", async (n) => {
      expectError(await registry.send("GET", "/v2/_catalog", query("n", n)), PAGE_REFUSED);
    });

    test("a repository whose last manifest went is listed no longer", async () => {
      const repository: Repository = registry.named(`${prefix}gone`);
      const { manifest } = await pushImage(repository, "latest");
      const listed = async (): Promise<boolean> =>
        repositoriesOf(await registry.send("GET", `/v2/_catalog?last=${prefix}`)).includes(repository.name);
      expect(await listed()).toBe(true);
      expectAnswer(await repository.send("DELETE", `manifests/${manifest.digest}`), 202);
      expect(await listed()).toBe(false);
    });
  });
}

function tagsOf(answer: Answer): readonly string[] {
  expectAnswer(answer, 200);
  return (json(answer) as { readonly tags: readonly string[] }).tags;
}

function repositoriesOf(answer: Answer): readonly string[] {
  expectAnswer(answer, 200);
  return (json(answer) as { readonly repositories: readonly string[] }).repositories;
}
