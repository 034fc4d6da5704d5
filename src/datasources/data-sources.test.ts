import { describe, expect, it } from "vitest";
import { systemIdentity } from "../access/index.ts";
import { err, ok, Outbound } from "../platform/index.ts";
import {
  type AdmissionAttributes,
  type GroupBuilder,
  type RequestContext,
  type ResourceClient,
  serveKind,
  type ObjectRef,
} from "../resources/index.ts";
import type { SecretDecrypter } from "../secrets/index.ts";
import { dataSourceGroups } from "./index.ts";

interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

type Answers = Readonly<Record<string, (call: Call) => Response>>;

const SECRETS: Readonly<Record<string, string>> = { token: "t0ken", user: "robot", password: "pa55" };

/** The groups over one data source, `ds` in namespace `team`, and a network that answers by address. */
function world(spec: Record<string, unknown>, answers: Answers = {}, allowPrivate = false) {
  const calls: Call[] = [];
  const decrypted: string[] = [];
  const outbound = new Outbound({
    async fetch(url, init) {
      const body = init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : undefined;
      const headers = Object.fromEntries(new Headers(init.headers as Headers));
      const call: Call = { url, method: init.method ?? "GET", headers, body };
      calls.push(call);
      return answers[url]?.(call) ?? new Response("nothing", { status: 404 });
    },
    allowPrivate,
    sleep: async () => {},
  });
  const decrypter: SecretDecrypter = {
    async decrypt(service, namespace, names) {
      decrypted.push(...names.map((name) => `${service} ${namespace}/${name}`));
      return new Map(
        names.map((name) => {
          const value = SECRETS[name];
          return [name, value === undefined ? err("not-authorized") : ok(value)] as const;
        }),
      );
    },
  };
  const client = {
    find: async (_kind: unknown, { namespace, name }: ObjectRef) =>
      namespace === "team" && name === "ds" ? { spec } : undefined,
  } as unknown as ResourceClient;
  const groups = dataSourceGroups({ outbound, decrypter, client: () => client });
  const context: RequestContext = { identity: systemIdentity("x"), dryRun: false, fieldManager: "x", warn: () => {} };
  async function connect(
    type: string,
    subresource: string,
    path = "",
    init: RequestInit & { query?: string; dryRun?: boolean; name?: string } = {},
  ) {
    const group = groups.find((candidate) => candidate.group.startsWith(`${type}.`));
    const connecter = group?.kinds[0]?.connecters?.find((candidate) => candidate.subresource === subresource);
    if (connecter === undefined) throw new Error(`no ${type} ${subresource}`);
    const { query = "", dryRun = false, name = "ds", ...request } = init;
    const target = { namespace: "team", name, path };
    return connecter.connect({ ...context, dryRun }, target, new Request(`http://registry/${query}`, request));
  }
  return { calls, decrypted, connect, groups };
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  () =>
    Response.json(body, { status, headers });

describe("groups", () => {
  const { groups } = world({});

  it("are one for each type", () => {
    expect(groups.map(({ group }) => group)).toEqual([
      "gitea.datasource.entrepot.dev",
      "http.datasource.entrepot.dev",
      "oci.datasource.entrepot.dev",
    ]);
  });

  it.each(groups.map((group) => [group.group, group] as const))("%s can be served", (name, group) => {
    const [kind] = group.kinds;
    if (kind === undefined) throw new Error("no kind");
    const served = serveKind(name, "v1", kind.declaration);
    expect(Object.keys(served.schema.properties?.["spec"]?.properties ?? {})).toEqual(
      expect.arrayContaining(["title", "url", "secure"]),
    );
  });

  it.each([
    ["https://example.com", false, undefined],
    ["https://user:secret@example.com", false, "without credentials"],
    ["file:///etc/passwd", false, "must be an http"],
    ["http://10.0.0.1", false, "OUTBOUND_PRIVATE"],
    ["http://[::ffff:169.254.169.254]/", false, "OUTBOUND_PRIVATE"],
    ["http://10.0.0.1", true, undefined],
  ])("check the address %s (private allowed: %s)", async (url, allowed, problem) => {
    const group = world({}, {}, allowed).groups[0] as GroupBuilder;
    const attributes = { operation: "CREATE", object: { spec: { title: "x", url } } } as unknown as AdmissionAttributes;
    const causes = (await group.validate?.(attributes)) ?? [];
    if (problem === undefined) expect(causes).toEqual([]);
    else
      expect(causes).toEqual([
        expect.objectContaining({ field: "spec.url", message: expect.stringContaining(problem) as string }),
      ]);
    expect(JSON.stringify(causes)).not.toContain("secret@");
  });
});

describe("gitea", () => {
  const spec = { title: "Git", url: "https://git.example.com/base", secure: { token: { name: "token" } } };

  it("is well when it answers and takes the token", async () => {
    const { connect, calls, decrypted } = world(spec, {
      "https://git.example.com/base/api/v1/version": json({ version: "1.24.0" }),
      "https://git.example.com/base/api/v1/repos/search?limit=1": json({ data: [] }),
    });
    expect(await (await connect("gitea", "health")).json()).toMatchObject({
      status: "OK",
      details: { version: "1.24.0" },
    });
    expect(decrypted).toEqual(["datasource.entrepot.dev team/token"]);
    expect(calls.map(({ headers }) => headers["authorization"])).toEqual(["token t0ken", "token t0ken"]);
  });

  it("is not well with a token that is refused, or not there, or at a private address", async () => {
    const refused = world(spec, {
      "https://git.example.com/base/api/v1/version": json({ version: "1.24.0" }),
      "https://git.example.com/base/api/v1/repos/search?limit=1": json({}, 401),
    });
    expect(await (await refused.connect("gitea", "health")).json()).toMatchObject({
      status: "ERROR",
      message: expect.stringContaining("token") as string,
    });
    const unreadable = world({ ...spec, secure: { token: { name: "other" } } });
    expect(await (await unreadable.connect("gitea", "health")).json()).toEqual({
      status: "ERROR",
      message: 'spec.secure.token: the SecureValue "other" cannot be read: not-authorized',
    });
    expect(unreadable.calls).toEqual([]);
    const inside = world({ ...spec, url: "http://127.0.0.1" });
    expect(await (await inside.connect("gitea", "health")).json()).toMatchObject({ status: "ERROR" });
    expect(inside.calls).toEqual([]);
  });

  it("lists repositories and what is below them", async () => {
    const { connect } = world(spec, {
      "https://git.example.com/base/api/v1/repos/search?limit=2&q=x": json(
        { data: [{ full_name: "a/b", private: true, permissions: { admin: true } }] },
        200,
        { "x-total-count": "7" },
      ),
      "https://git.example.com/base/api/v1/repos/a/b/tags": json([{ name: "v1" }]),
    });
    expect(await (await connect("gitea", "resource", "repos", { query: "?limit=2&q=x&evil=1" })).json()).toEqual({
      repos: [{ fullName: "a/b", private: true }],
      total: 7,
    });
    expect(await (await connect("gitea", "resource", "repos/a/b/tags")).json()).toEqual({ tags: [{ name: "v1" }] });
    expect(await (await connect("gitea", "resource")).json()).toHaveProperty("resources.repos");
    await expect(connect("gitea", "resource", "admin/users")).rejects.toMatchObject({ reason: "NotFound" });
    await expect(connect("gitea", "resource", "repos/../b/tags")).rejects.toMatchObject({ reason: "BadRequest" });
  });

  it("shows one owner only, if so configured", async () => {
    const { connect, calls } = world({ ...spec, owner: "team" });
    await expect(connect("gitea", "resource", "repos/other/b/tags")).rejects.toMatchObject({ reason: "NotFound" });
    expect(calls).toEqual([]);
  });
});

describe("oci", () => {
  const spec = {
    title: "Hub",
    url: "https://hub.example.com",
    secure: { username: { name: "user" }, password: { name: "password" } },
  };
  const challenge = (realm: string) => (call: Call) =>
    call.headers["authorization"] === "Bearer granted"
      ? Response.json({ tags: ["1", "2"] })
      : new Response(null, {
          status: 401,
          headers: { "www-authenticate": `Bearer realm="${realm}",service="hub",scope="repository:a/b:pull"` },
        });

  it("gets a token from the service that the registry names", async () => {
    const token = "https://auth.example.com/token?service=hub&scope=repository%3Aa%2Fb%3Apull";
    const { connect, calls } = world(spec, {
      "https://hub.example.com/v2/a/b/tags/list": challenge("https://auth.example.com/token"),
      [token]: json({ token: "granted" }),
    });
    expect(await (await connect("oci", "resource", "repositories/a/b/tags")).json()).toEqual({
      name: "a/b",
      tags: ["1", "2"],
    });
    expect(calls.map(({ url, headers }) => [url, headers["authorization"]])).toEqual([
      ["https://hub.example.com/v2/a/b/tags/list", undefined],
      [token, `Basic ${btoa("robot:pa55")}`],
      ["https://hub.example.com/v2/a/b/tags/list", "Bearer granted"],
    ]);
  });

  it("sends no password in clear to another host, and nothing to a private one", async () => {
    const plain = world(spec, { "https://hub.example.com/v2/": challenge("http://auth.example.com/token") });
    await plain.connect("oci", "health");
    expect(plain.calls[1]).toMatchObject({ url: expect.stringContaining("http://auth.example.com/") as string });
    expect(plain.calls[1]?.headers).not.toHaveProperty("authorization");
    for (const allowPrivate of [false, true]) {
      const answers = { "https://hub.example.com/v2/": challenge("https://169.254.169.254/token") };
      const inside = world(spec, answers, allowPrivate);
      expect(await (await inside.connect("oci", "health")).json()).toMatchObject({ status: "ERROR" });
      expect(inside.calls).toHaveLength(1);
    }
  });

  it("takes a token service beside a registry that is private itself", async () => {
    const token = "https://10.0.0.2/token?service=hub&scope=repository%3Aa%2Fb%3Apull";
    const answers = {
      "https://10.0.0.1/v2/": challenge("https://10.0.0.2/token"),
      [token]: json({ token: "granted" }),
    };
    const { connect, calls } = world({ ...spec, url: "https://10.0.0.1" }, answers, true);
    expect(await (await connect("oci", "health")).json()).toMatchObject({ status: "OK" });
    expect(calls[1]?.headers["authorization"]).toBe(`Basic ${btoa("robot:pa55")}`);
  });

  it("answers Basic", async () => {
    const { connect } = world(spec, {
      "https://hub.example.com/v2/": ({ headers }) =>
        headers["authorization"] === `Basic ${btoa("robot:pa55")}`
          ? Response.json({})
          : new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }),
    });
    expect(await (await connect("oci", "health")).json()).toMatchObject({ status: "OK" });
  });

  it("lists what is configured, or what the registry lists", async () => {
    const configured = world({ ...spec, repositories: ["a/b"] });
    expect(await (await configured.connect("oci", "resource", "repositories")).json()).toEqual({
      repositories: ["a/b"],
    });
    await expect(configured.connect("oci", "resource", "repositories/c/tags")).rejects.toMatchObject({
      reason: "NotFound",
    });
    const listed = world(spec, { "https://hub.example.com/v2/_catalog?n=5": json({ repositories: ["x"] }) });
    expect(await (await listed.connect("oci", "resource", "repositories", { query: "?n=5" })).json()).toEqual({
      repositories: ["x"],
    });
  });
});

describe("http", () => {
  it("reads the documents that are configured, and no others", async () => {
    const spec = {
      title: "Index",
      url: "https://packages.example.com/v1",
      header: "X-Api-Key",
      resources: { packages: "/index.json" },
      secure: { headerValue: { name: "token" } },
    };
    const { connect, calls } = world(spec, { "https://packages.example.com/v1/index.json": json(["a"]) });
    expect(await (await connect("http", "resource", "packages")).json()).toEqual(["a"]);
    expect(calls[0]?.headers).toMatchObject({ "x-api-key": "t0ken" });
    await expect(connect("http", "resource", "constructor")).rejects.toMatchObject({ reason: "NotFound" });
    await expect(connect("http", "resource", "index.json")).rejects.toMatchObject({ reason: "NotFound" });
  });
});

describe("the proxy", () => {
  const spec = { title: "API", url: "https://api.example.com/v1", secure: { token: { name: "token" } } };

  it("passes on what may be passed on, with the credentials", async () => {
    const { connect, calls } = world(spec, {
      "https://api.example.com/v1/things/1?a=b": () =>
        new Response("done", {
          status: 201,
          headers: {
            "content-type": "text/html",
            etag: '"1"',
            "set-cookie": "a=b",
            "access-control-allow-origin": "*",
          },
        }),
    });
    const response = await connect("http", "proxy", "things/1", {
      query: "?a=b",
      method: "POST",
      body: "the body",
      headers: {
        authorization: "Bearer mine",
        cookie: "session=1",
        "x-forwarded-for": "10.0.0.1",
        "content-type": "text/plain",
      },
    });
    expect(calls).toEqual([
      {
        url: "https://api.example.com/v1/things/1?a=b",
        method: "POST",
        headers: { authorization: "Bearer t0ken", "content-type": "text/plain" },
        body: "the body",
      },
    ]);
    expect(response.status).toBe(201);
    expect(await response.text()).toBe("done");
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "text/html",
      etag: '"1"',
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
    });
  });

  it.each(["../admin", "a/../../admin", "..%2fadmin", "%2e%2e/admin", "..\\admin"])(
    "does not leave the base by %s",
    async (path) => {
      const { connect, calls } = world(spec);
      await expect(connect("http", "proxy", path)).rejects.toMatchObject({ reason: "BadRequest" });
      expect(calls).toEqual([]);
    },
  );

  it.each(["https://other.example.com/v1/x", "/admin", "http://api.example.com/v1/x", "http://127.0.0.1/v1/x"])(
    "does not follow a redirect to %s",
    async (location) => {
      const { connect, calls } = world(
        spec,
        { "https://api.example.com/v1/x": () => new Response(null, { status: 302, headers: { location } }) },
        true,
      );
      await expect(connect("http", "proxy", "x")).rejects.toMatchObject({ name: "StatusError" });
      expect(calls).toHaveLength(1);
    },
  );

  it("does not hand on a 401 as its own", async () => {
    const { connect } = world(spec, {
      "https://api.example.com/v1/x": () =>
        new Response("who?", { status: 401, headers: { "www-authenticate": "Basic" } }),
    });
    const response = await connect("http", "proxy", "x");
    expect(response.status).toBe(502);
    expect(response.headers.has("www-authenticate")).toBe(false);
  });

  it("takes no dry run, no endless body and no data source that is not there", async () => {
    const { connect, calls } = world(spec);
    await expect(connect("http", "proxy", "x", { method: "DELETE", dryRun: true })).rejects.toMatchObject({
      reason: "BadRequest",
    });
    const body = "x".repeat(8 * 1024 * 1024 + 1);
    await expect(connect("http", "proxy", "x", { method: "PUT", body })).rejects.toMatchObject({
      reason: "RequestEntityTooLarge",
    });
    await expect(connect("http", "proxy", "x", { name: "other" })).rejects.toMatchObject({ reason: "NotFound" });
    expect(calls).toEqual([]);
  });
});
