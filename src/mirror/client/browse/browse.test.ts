import { describe, expect, it } from "vitest";
import { json, type Seen, testRegistry } from "../network.fixture.ts";
import type { RemoteRegistryOptions } from "../remote-registry.ts";

const BASIC = { kind: "basic", username: "me", password: "secret" } as const;

const connect = (more: Partial<RemoteRegistryOptions>, answer: (request: Seen) => Response) =>
  testRegistry(answer, more);

describe("the catalog", () => {
  it("is read by pages, its projects are first components", async () => {
    const { registry, network } = connect({}, ({ url }) =>
      url.searchParams.has("last")
        ? json({ repositories: ["b/c", "top"] })
        : json(
            { repositories: ["a/b", "a/c/d", "ab/c"] },
            { headers: { link: `</v2/_catalog?last=ab/c&n=3>; rel="next"` } },
          ),
    );
    expect(await registry.projects()).toEqual(["a", "ab", "b", "top"]);
    expect(await Array.fromAsync(registry.repositories("a"))).toEqual([["a/b", "a/c/d"]]);
    expect(await Array.fromAsync(registry.repositories())).toEqual([
      ["a/b", "a/c/d", "ab/c"],
      ["b/c", "top"],
    ]);
    expect(network.lines().slice(0, 2)).toEqual([
      "GET https://registry.example.com/v2/_catalog?n=1000",
      "GET https://registry.example.com/v2/_catalog?last=ab/c&n=3",
    ]);
  });

  it("fails where it does not come to an end", async () => {
    const { registry } = connect({}, () =>
      json({ repositories: ["a/b"] }, { headers: { link: "</v2/_catalog?last=a/b>" } }),
    );
    await expect(Array.fromAsync(registry.repositories("other"))).rejects.toThrow("may not be whole");
  });

  it.each(["ghcr.io", "registry.gitlab.com"])("of %s there is none", async (url) => {
    const { registry, network } = connect({ url }, () => json({}));
    const failure = { failure: "unsupported", message: expect.stringContaining("exact names") as unknown };
    await expect(registry.projects()).rejects.toMatchObject(failure);
    await expect(Array.fromAsync(registry.repositories("a"))).rejects.toMatchObject(failure);
    expect(network.seen).toEqual([]);
    expect(registry.capabilities().catalog).toBe(false);
  });
});

describe("Harbor", () => {
  const harbor = (answer: (request: Seen) => Response) => connect({ type: "harbor", credential: BASIC }, answer);

  it("lists projects and repositories by its own API", async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ name: `p${index}` }));
    const { registry, network } = harbor(({ url }) => {
      if (url.pathname.endsWith("/projects"))
        return json(url.searchParams.get("page") === "1" ? many : [{ name: "last" }]);
      return json([{ name: "last/app" }, { name: "last/deep/app" }]);
    });
    expect(await registry.projects()).toHaveLength(101);
    expect(await Array.fromAsync(registry.repositories("last"))).toEqual([["last/app", "last/deep/app"]]);
    expect(network.lines().at(-1)).toBe(
      "GET https://registry.example.com/api/v2.0/projects/last/repositories?page=1&page_size=100",
    );
    expect(network.seen[0]?.headers.get("authorization")).toBe(`Basic ${btoa("me:secret")}`);
  });

  it("fails where the same page comes again", async () => {
    const page = Array.from({ length: 100 }, (_, index) => ({ name: `team/${index}` }));
    const { registry } = harbor(() => json(page));
    await expect(Array.fromAsync(registry.repositories("team"))).rejects.toThrow("may not be whole");
  });

  it("gets a private project made, once, if it has none", async () => {
    const { registry, network } = harbor(({ method }) => new Response(null, { status: method === "HEAD" ? 404 : 201 }));
    await registry.prepare("team/app");
    await registry.prepare("team/other");
    expect(network.lines()).toEqual([
      "HEAD https://registry.example.com/api/v2.0/projects?project_name=team",
      "POST https://registry.example.com/api/v2.0/projects",
    ]);
    expect(JSON.parse(new TextDecoder().decode(network.seen[1]?.body))).toEqual({
      project_name: "team",
      metadata: { public: "false" },
    });
  });

  it.each([200, 401, 403])("is left alone when it answers %i", async (status) => {
    const { registry, network } = harbor(() => new Response(null, { status }));
    await registry.prepare("team/app");
    expect(network.seen).toHaveLength(1);
  });

  it("deletes a tag by its own API, names encoded twice", async () => {
    const { registry, network } = harbor(() => new Response(null, { status: 200 }));
    await registry.repository("team/deep/app", "push").deleteTag("v1");
    expect(network.lines()).toEqual([
      "DELETE https://registry.example.com/api/v2.0/projects/team/repositories/deep%252Fapp/artifacts/v1/tags/v1",
    ]);
    const immutable = harbor(() => new Response("{}", { status: 412 }));
    await expect(immutable.registry.repository("team/app", "push").deleteTag("v1")).rejects.toMatchObject({
      failure: "conflict",
    });
  });
});

describe("Docker Hub", () => {
  const hub = (next?: string, credential: RemoteRegistryOptions["credential"] = BASIC) =>
    connect({ url: "docker.io", credential }, ({ url }) => {
      if (url.pathname === "/v2/auth/token") return json({ access_token: "jwt" });
      if (url.searchParams.get("page") === "2")
        return json({ next: null, results: [{ name: "redis", namespace: "library" }] });
      return json({
        next: next ?? "https://hub.docker.com/v2/namespaces/library/repositories?page=2",
        results: [{ name: "nginx" }],
      });
    });

  it("lists a namespace, signed in", async () => {
    const { registry, network } = hub();
    expect(await Array.fromAsync(registry.repositories("library"))).toEqual([["library/nginx"], ["library/redis"]]);
    expect(network.lines()).toEqual([
      "POST https://hub.docker.com/v2/auth/token",
      "GET https://hub.docker.com/v2/namespaces/library/repositories?page_size=100",
      "GET https://hub.docker.com/v2/namespaces/library/repositories?page=2",
    ]);
    expect(network.seen[1]?.headers.get("authorization")).toBe("Bearer jwt");
    expect(await registry.projects()).toEqual(["me", "library"]);
  });

  it("lists without a credential what is public, but never everything", async () => {
    const { registry, network } = hub(undefined, { kind: "anonymous" });
    expect((await Array.fromAsync(registry.repositories("library"))).flat()).toHaveLength(2);
    expect(network.seen[0]?.headers.has("authorization")).toBe(false);
    await expect(Array.fromAsync(registry.repositories())).rejects.toMatchObject({ failure: "unsupported" });
  });

  it.each([{ results: [{ name: "nginx" }] }, { next: "http://:x", results: [] }])(
    "fails where %j does not say how the list goes on",
    async (answer) => {
      const { registry } = connect({ url: "docker.io", credential: { kind: "anonymous" } }, () => json(answer));
      await expect(Array.fromAsync(registry.repositories("library"))).rejects.toThrow("may not be whole");
    },
  );

  it("does not lead elsewhere", async () => {
    const { registry } = hub("https://evil.example.net/");
    await expect(Array.fromAsync(registry.repositories("library"))).rejects.toMatchObject({
      failure: "forbidden-address",
    });
  });
});

describe("Quay", () => {
  it("lists a namespace by its own API, and by the catalog what that refuses", async () => {
    const open = connect({ url: "quay.io" }, ({ url }) =>
      json(
        url.searchParams.has("next_page")
          ? { repositories: [{ namespace: "team", name: "b" }] }
          : { repositories: [{ namespace: "team", name: "a" }], next_page: "x=" },
      ),
    );
    expect(await Array.fromAsync(open.registry.repositories("team"))).toEqual([["team/a"], ["team/b"]]);
    expect(open.network.lines()).toEqual([
      "GET https://quay.io/api/v1/repository?namespace=team&public=true",
      "GET https://quay.io/api/v1/repository?namespace=team&public=true&next_page=x%3D",
    ]);
    const closed = connect({ url: "quay.io", credential: { ...BASIC, username: "team+robot" } }, ({ url }) =>
      url.pathname.startsWith("/api/")
        ? new Response("{}", { status: 401 })
        : json({ repositories: ["other/x", "team/a"] }),
    );
    expect(await Array.fromAsync(closed.registry.repositories("team"))).toEqual([["team/a"]]);
    expect(await closed.registry.projects()).toEqual(["team"]);
  });

  it("fails where its next page is always the same", async () => {
    const { registry } = connect({ url: "quay.io" }, () => json({ repositories: [], next_page: "x=" }));
    await expect(Array.fromAsync(registry.repositories("team"))).rejects.toThrow("may not be whole");
  });
});
