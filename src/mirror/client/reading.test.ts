import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CLIENT_LIMITS } from "./limits.ts";
import { json, type Seen, testRegistry } from "./network.fixture.ts";
import { wholeList } from "./whole-list.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const BYTES = new TextEncoder().encode(`{"schemaVersion":2,"layers":[]}`);
const digestOf = (bytes: Uint8Array, algorithm = "sha256") =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
const DIGEST = digestOf(BYTES);
const signal = new AbortController().signal;

const pull = (answer: (request: Seen) => Response | undefined, url = "registry.example.com") => {
  const there = testRegistry(answer, { url });
  return { ...there, repository: there.registry.repository("a/b", "pull") };
};

describe("tags", () => {
  const list = (pages: Record<string, Response>) => pull(({ url }) => pages[url.pathname + url.search]);

  it("follow links, relative and absolute", async () => {
    const link = (target: string) => ({ headers: { link: `<${target}>; rel="next"` } });
    const { repository } = list({
      "/v2/a/b/tags/list?n=1000": json({ tags: ["1"] }, link("/v2/a/b/tags/list?last=1&n=1")),
      "/v2/a/b/tags/list?last=1&n=1": json({ tags: ["2"] }, link("https://registry.example.com/x?y=%2F")),
      "/x?y=%2F": json({ tags: ["3"] }, link("http://registry.example.com/end")),
      "/end": json({ name: "a/b", tags: null }),
    });
    expect(await Array.fromAsync(repository.tags())).toEqual([["1"], ["2"], ["3"]]);
  });

  it("do not follow links elsewhere", async () => {
    const { repository } = pull(() =>
      json({ tags: ["1"] }, { headers: { link: "<https://elsewhere.example.net/>; rel=next" } }),
    );
    await expect(Array.fromAsync(repository.tags())).rejects.toMatchObject({ failure: "forbidden-address" });
  });

  describe("are not taken for whole", () => {
    /** What was read until the list failed, and why it did. */
    async function broken(answer: (request: Seen, page: number) => Response) {
      let page = 0;
      const { repository, network } = pull((request) => answer(request, (page += 1)));
      const seen: string[] = [];
      let failure: unknown;
      try {
        for await (const some of repository.tags()) seen.push(...some);
      } catch (error) {
        failure = error;
      }
      return { seen, failure, requests: network.seen.length };
    }
    const tags = (page: number) => Array.from({ length: 2 }, (_, index) => `v${2 * page + index}`);
    const linked = (page: number, link: string) => json({ tags: tags(page) }, { headers: { link } });

    it.each([
      ["a link to themselves", "</v2/a/b/tags/list?n=1000>; rel=next", "read before"],
      ["a link without rel", "</v2/a/b/tags/list?last=v3>", "what it links to"],
      ["a link with an empty rel", '</v2/a/b/tags/list?last=v3>; rel=""', "what it links to"],
      ["a link beside one without rel", "</first>; rel=first, </next>", "what it links to"],
      ["a link without brackets", "/v2/a/b/tags/list?last=v3; rel=next", "cannot be read"],
      ["a link that is cut off", "</v2/a/b/tags/list?last=v3", "cannot be read"],
      ["a link to nowhere", "<http://:x>; rel=next", "cannot be read"],
      ["text after the link", '</x>; rel="next" and more', "cannot be read"],
    ])("with %s", async (_case, link, why) => {
      const { seen, failure, requests } = await broken((_request, page) => linked(page, link));
      expect(seen).toEqual(["v2", "v3"]);
      expect(failure).toMatchObject({ failure: "refused", message: expect.stringContaining("may not be whole") });
      expect(String(failure)).toContain(why);
      expect(requests).toBe(1);
    });

    it("in a circle of pages", async () => {
      const link = (page: number) => `</v2/a/b/tags/list?page=${page % 3}>; rel="next"`;
      const { seen, failure } = await broken((_request, page) => linked(page, link(page)));
      expect(seen).toHaveLength(8);
      expect(String(failure)).toContain("read before");
    });

    it("with a page that was there under another address", async () => {
      const { seen, failure } = await broken((_request, page) => linked(1, `</v2/next?page=${page}>; rel="next"`));
      expect(seen).toEqual(["v2", "v3"]);
      expect(String(failure)).toContain('"v2" came twice');
    });

    it("with more pages than any list has", () => {
      const list = wholeList("there: list tags");
      for (let page = 0; page < CLIENT_LIMITS.pages; page += 1) list.page([]);
      expect(() => list.page([])).toThrow("the list may not be whole: it has more than 10000 pages");
    });
  });

  it("end where a link leads only back", async () => {
    const { repository } = pull(() =>
      json({ tags: ["1"] }, { headers: { link: `</v2/first>; rel="first", </v2/before>; title="a, b>"; rel=prev` } }),
    );
    expect(await Array.fromAsync(repository.tags())).toEqual([["1"]]);
  });

  it("come in pages of the registry's size where it refuses ours", async () => {
    const { repository, network } = pull(({ url }) =>
      url.searchParams.get("n") === "1000"
        ? json({ errors: [{ code: "PAGINATION_NUMBER_INVALID" }] }, { status: 400 })
        : url.search === ""
          ? json({ tags: ["v1"] }, { headers: { link: `<${url.pathname}?last=v1&n=1>; rel="next"` } })
          : json({ tags: ["v2"] }),
    );
    expect(await Array.fromAsync(repository.tags())).toEqual([["v1"], ["v2"]]);
    expect(network.seen.map(({ url }) => url.search)).toEqual(["?n=1000", "", "?last=v1&n=1"]);
  });

  it("that are refused in any size are refused", async () => {
    const { repository } = pull(() => json({ errors: [{ code: "NAME_INVALID" }] }, { status: 400 }));
    await expect(Array.fromAsync(repository.tags())).rejects.toMatchObject({ failure: "refused" });
  });

  it("go on after the last where a full page has no link", async () => {
    const all = Array.from({ length: 2500 }, (_, index) => `t${String(index).padStart(4, "0")}`);
    const paged = pull(({ url }) => {
      const last = url.searchParams.get("last") ?? "";
      return json({ tags: all.filter((tag) => tag > last).slice(0, Number(url.searchParams.get("n"))) });
    });
    expect((await Array.fromAsync(paged.repository.tags())).flat()).toEqual(all);
    const deaf = pull(() => json({ tags: all.slice(0, 1000) }));
    await expect(Array.fromAsync(deaf.repository.tags())).rejects.toThrow("may not be whole");
    expect(deaf.network.seen).toHaveLength(2);
  });

  it.each([`{"tags":"v1"}`, "<html>", "[]"])("are not %j", async (body) => {
    await expect(Array.fromAsync(pull(() => new Response(body)).repository.tags())).rejects.toMatchObject({
      failure: "refused",
    });
  });
});

describe("the head of a manifest", () => {
  const headers = {
    "content-type": `${MANIFEST}; charset=utf-8`,
    "docker-content-digest": DIGEST,
    "content-length": String(BYTES.length),
  };
  const head = { mediaType: MANIFEST, digest: DIGEST, size: BYTES.length };

  it("costs one HEAD", async () => {
    const { repository, network } = pull(() => new Response(null, { headers }));
    expect(await repository.head("v1")).toEqual(head);
    expect(network.lines()).toEqual(["HEAD https://registry.example.com/v2/a/b/manifests/v1"]);
    expect(network.seen[0]?.headers.get("accept")).toContain(`${INDEX}, ${MANIFEST}, application/vnd.docker`);
  });

  it.each(["content-type", "docker-content-digest", "content-length"])(
    "is computed where %s is absent",
    async (absent) => {
      const { repository, acquired } = pull(({ method }) => {
        const given = new Headers(headers);
        if (method === "HEAD") given.delete(absent);
        return new Response(method === "HEAD" ? null : BYTES, { headers: given });
      });
      expect(await repository.head("v1")).toEqual(head);
      expect(acquired).toEqual(["request", "manifest-get"]);
    },
  );

  it("is read by GET where HEAD is not known", async () => {
    const { repository } = pull(({ method }) =>
      method === "HEAD" ? new Response(null, { status: 405 }) : new Response(BYTES, { headers }),
    );
    expect(await repository.head("v1")).toEqual(head);
  });

  it("of another digest than asked for is corrupt", async () => {
    const { repository } = pull(() => new Response(null, { headers }));
    await expect(repository.head(digestOf(new Uint8Array()))).rejects.toMatchObject({ failure: "corrupt" });
  });
});

describe("a manifest", () => {
  const sha512 = digestOf(BYTES, "sha512");
  it.each([
    ["v1", {}, DIGEST],
    ["v1", { "docker-content-digest": DIGEST }, DIGEST],
    ["v1", { "docker-content-digest": sha512 }, sha512],
    ["v1", { "docker-content-digest": "blake3:00" }, DIGEST],
    [DIGEST, {}, DIGEST],
    [sha512, { "docker-content-digest": DIGEST }, sha512],
  ])("%s with %j is verified", async (reference, headers, digest) => {
    const { repository } = pull(() => new Response(BYTES, { headers: { "content-type": MANIFEST, ...headers } }));
    expect(await repository.manifest(reference)).toEqual({ mediaType: MANIFEST, digest, bytes: BYTES });
  });

  it.each([
    [digestOf(new Uint8Array()), {}],
    ["v1", { "docker-content-digest": digestOf(new Uint8Array()) }],
  ])("%s with %j is corrupt", async (reference, headers) => {
    const { repository } = pull(() => new Response(BYTES, { headers }));
    await expect(repository.manifest(reference)).rejects.toMatchObject({ failure: "corrupt" });
  });

  it.each([
    [
      `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}`,
      "application/vnd.docker.distribution.manifest.v2+json",
    ],
    [`{"schemaVersion":2,"manifests":[]}`, INDEX],
    [`{"schemaVersion":2,"layers":[]}`, MANIFEST],
    ["what", "application/octet-stream"],
  ])("%s says itself what it is", async (text, mediaType) => {
    const { repository } = pull(() => new Response(text, { headers: { "content-type": "text/plain" } }));
    expect(await repository.manifest("v1")).toMatchObject({ mediaType });
  });

  it.each([
    ["application/vnd.docker.distribution.manifest.v1+prettyjws", "{}"],
    ["application/json", `{"schemaVersion":1}`],
  ])("of schema 1 (%s) is unsupported", async (type, text) => {
    const { repository } = pull(() => new Response(text, { headers: { "content-type": type } }));
    await expect(repository.manifest("v1")).rejects.toMatchObject({ failure: "unsupported" });
  });

  it("of more than 8 MiB is refused", async () => {
    const { repository } = pull(() => new Response(new Uint8Array(8 * 1024 * 1024 + 1)));
    await expect(repository.manifest("v1")).rejects.toMatchObject({ failure: "refused" });
  });

  it.each(["../../v1", "a b", "", "sha256:short", "v1?x"])(
    "of the reference %j is not asked for",
    async (reference) => {
      const { repository, network } = pull(() => json({}));
      await expect(repository.manifest(reference)).rejects.toMatchObject({ failure: "refused" });
      expect(network.seen).toEqual([]);
    },
  );
});

it.each(["../a", "a//b", "A/b", "a/b/", "", "a?b", "a".repeat(256)])("the name %j is refused", (name) => {
  expect(() => testRegistry(() => json({})).registry.repository(name, "pull")).toThrow("not the name of a repository");
});

it("images without a namespace are in Docker Hub's library", async () => {
  const { registry, network } = testRegistry(() => new Response(null, { status: 404 }), { url: "docker.io" });
  await registry.repository("nginx", "pull").head("1");
  expect(network.lines()).toEqual(["HEAD https://registry-1.docker.io/v2/library/nginx/manifests/1"]);
  expect(registry.repository("nginx", "pull").name).toBe("library/nginx");
});

describe("a blob", () => {
  const part = (status: number, range?: string) =>
    new Response("cdef", { status, headers: range === undefined ? {} : { "content-range": range } });
  it.each([
    ["a part", part(206, "bytes 2-5/6"), 2],
    ["all of it", new Response("abcdef"), 0],
    ["another part", part(206, "bytes 1-5/6"), 0],
    ["a part of nothing in particular", part(206), 0],
    ["a range that is not there", new Response("", { status: 416 }), 0],
  ])("from an offset: %s", async (_, first, start) => {
    const { repository } = pull(({ headers }) =>
      headers.get("range") === "bytes=2-" ? first : new Response("abcdef"),
    );
    const blob = await repository.blob(DIGEST, 2, signal);
    expect(blob?.start).toBe(start);
    expect(await new Response(blob?.stream).text()).toBe("abcdef".slice(start));
  });

  it("that is not there", async () => {
    expect(await pull(() => new Response("", { status: 404 })).repository.blob(DIGEST, 2, signal)).toBeUndefined();
  });

  it("ends with its own signal", async () => {
    const controller = new AbortController();
    const { repository } = pull(() => new Response(new ReadableStream()));
    const blob = await repository.blob(DIGEST, 0, controller.signal);
    const read = expect(blob?.stream.getReader().read()).rejects.toThrow("enough");
    controller.abort(new Error("enough"));
    await read;
  });
});

describe("referrers", () => {
  const entry = (digest: string) => ({
    mediaType: MANIFEST,
    digest,
    size: 3,
    artifactType: "x/y",
    annotations: { a: "b" },
  });
  const [first, second] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];
  const index = (digests: string[], init: ResponseInit = {}) =>
    json({ schemaVersion: 2, mediaType: INDEX, manifests: digests.map(entry) }, init);

  it("come by pages of the API", async () => {
    const { repository } = pull(({ url }) =>
      url.search === ""
        ? index([first], { headers: { link: `<${url.pathname}?page=2>; rel="next"` } })
        : index([second]),
    );
    expect(await repository.referrers(DIGEST)).toEqual([entry(first), entry(second)]);
  });

  it("are read though fields are null, or one of them is nonsense", async () => {
    const { mediaType, digest, size } = entry(first);
    const manifests = [
      { mediaType, digest, size, artifactType: null, annotations: null, platform: null },
      { digest: 1 },
    ];
    const { repository, registry } = pull(() => json({ schemaVersion: 2, manifests }));
    expect(await repository.referrers(DIGEST)).toEqual([{ mediaType, digest, size }]);
    expect(registry.capabilities().referrers).toBe(true);
  });

  it.each([
    ["404", () => new Response("404 page not found", { status: 404 }), false],
    ["no index", () => new Response("<html>"), false],
    ["no repository", () => new Response(`{"errors":[{"code":"NAME_UNKNOWN"}]}`, { status: 404 }), true],
  ])("come by the tag that stands in for the API: %s", async (_, refusal, still) => {
    const { registry, repository, network } = pull(({ url }) =>
      url.pathname.endsWith(`/manifests/${DIGEST.replace(":", "-")}`) ? index([first]) : refusal(),
    );
    expect(await repository.referrers(DIGEST)).toEqual([entry(first)]);
    expect(registry.capabilities().referrers).toBe(still);
    await repository.referrers(DIGEST);
    expect(network.seen).toHaveLength(still ? 4 : 3);
  });

  it("are none where there is nothing at all", async () => {
    expect(await pull(() => new Response("", { status: 404 })).repository.referrers(DIGEST)).toEqual([]);
  });
});
