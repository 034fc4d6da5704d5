import { describe, expect, it } from "vitest";
import type { Credential } from "../credential.ts";
import { json, type Seen, testRegistry } from "../network.fixture.ts";
import type { RemoteRegistryOptions } from "../remote-registry.ts";

const BASIC = { kind: "basic", username: "robot$me", password: "pässword" } as const;
const REALM = "https://auth.example.com/token";

/** A registry that takes bearer tokens, and its token service, which gives `token-1`, `token-2`, … */
function bearerRegistry(
  options: {
    credential?: Credential;
    challenge?: string;
    token?: (request: Seen, count: number) => Response;
    accepts?: (token: string, request: Seen) => boolean;
    more?: Partial<RemoteRegistryOptions>;
  } = {},
) {
  let count = 0;
  return testRegistry(
    (request) => {
      if (request.url.host !== "registry.example.com" || request.url.pathname.startsWith("/oauth2/")) {
        count += 1;
        return options.token?.(request, count) ?? json({ token: `token-${count}`, expires_in: 300 });
      }
      const token = /^Bearer (.*)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      if (token !== undefined && (options.accepts?.(token, request) ?? true)) return json({ tags: [] });
      const challenge = options.challenge ?? `Bearer realm="${REALM}",service="the service"`;
      return new Response("{}", { status: 401, headers: { "www-authenticate": challenge } });
    },
    { ...(options.credential === undefined ? {} : { credential: options.credential }), ...options.more },
  );
}

const tags = (registry: ReturnType<typeof testRegistry>["registry"], name = "a/b") =>
  Array.fromAsync(registry.repository(name, "pull").tags());

describe("bearer tokens", () => {
  it("are asked for once, with Basic, and kept per scope", async () => {
    const { registry, network } = bearerRegistry({ credential: BASIC });
    await tags(registry);
    await tags(registry);
    await tags(registry, "c");
    expect(network.lines()).toEqual([
      "GET https://registry.example.com/v2/a/b/tags/list?n=1000",
      `GET ${REALM}?service=the+service&scope=repository%3Aa%2Fb%3Apull`,
      "GET https://registry.example.com/v2/a/b/tags/list?n=1000",
      "GET https://registry.example.com/v2/a/b/tags/list?n=1000",
      `GET ${REALM}?service=the+service&scope=repository%3Ac%3Apull`,
      "GET https://registry.example.com/v2/c/tags/list?n=1000",
    ]);
    expect(network.seen[1]?.headers.get("authorization")).toBe(
      `Basic ${Buffer.from("robot$me:pässword").toString("base64")}`,
    );
  });

  it("are asked for over https where a registry behind a proxy names itself with http", async () => {
    const { registry, network } = bearerRegistry({
      credential: BASIC,
      challenge: `Bearer realm="http://registry.example.com/oauth2/token"`,
    });
    await tags(registry);
    expect(network.seen[1]?.url.origin).toBe("https://registry.example.com");
  });

  it("are asked for without a credential too, and once for requests at the same time", async () => {
    const { registry, network } = bearerRegistry();
    await tags(registry);
    await Promise.all([tags(registry, "c"), tags(registry, "c"), tags(registry, "c")]);
    const asked = network.seen.filter(({ url }) => url.host === "auth.example.com");
    expect(asked).toHaveLength(2);
    expect(asked[0]?.headers.has("authorization")).toBe(false);
  });

  it.each([
    [{ token: "t" }, 60],
    [{ access_token: "t", expires_in: 100 }, 100],
    [{ token: "t", expires_in: "100" }, 100],
    [{ token: "t", expires_in: -3 }, 60],
  ])("of the answer %j live %i seconds, less five", async (answer, seconds) => {
    let now = 1000;
    const { registry, network } = bearerRegistry({ token: () => json(answer), more: { clock: () => now } });
    const asked = () => network.seen.filter(({ url }) => url.host === "auth.example.com").length;
    await tags(registry);
    now += (seconds - 5) * 1000 - 1;
    await tags(registry);
    expect(asked()).toBe(1);
    now += 1;
    await tags(registry);
    expect(asked()).toBe(2);
  });

  it("that are refused are asked for anew, once", async () => {
    let good = "token-1";
    const { registry, network } = bearerRegistry({ accepts: (token) => token === good });
    await tags(registry);
    good = "token-2";
    await tags(registry);
    good = "none";
    const before = network.seen.length;
    await expect(tags(registry)).rejects.toMatchObject({ failure: "denied", status: 401 });
    expect(network.seen.length - before).toBe(3);
  });

  it("name what is demanded first, and from then on at once", async () => {
    const challenge = `Bearer realm="${REALM}",scope="repository:x/a:pull repository:a/b:push"`;
    const { registry, network } = bearerRegistry({ challenge });
    await tags(registry);
    await tags(registry);
    expect(network.seen[1]?.url.searchParams.getAll("scope")).toEqual([
      "repository:x/a:pull",
      "repository:a/b:push,pull",
    ]);
    expect(network.seen).toHaveLength(4);
  });

  it.each<[string, Partial<RemoteRegistryOptions>]>([
    ["http://auth.example.com/token", {}],
    ["http://auth.example.com/token", { insecure: true, url: "https://registry.example.com" }],
    ["https://10.0.0.1/token", { allowPrivate: true }],
    ["https://localhost/token", {}],
    ["https://me:secret@auth.example.com/token", {}],
    ["/token", {}],
  ])("are not asked for at %s", async (realm, more) => {
    const { registry, network } = bearerRegistry({ credential: BASIC, challenge: `Bearer realm="${realm}"`, more });
    await expect(tags(registry)).rejects.toMatchObject({ failure: "forbidden-address" });
    expect(network.seen).toHaveLength(1);
  });

  it.each([
    [json({ token: "" }), "refused"],
    [json({ token: "a\r\nx-evil: 1" }), "refused"],
    [json({ token: "x".repeat(70_000) }), "refused"],
    [new Response("x".repeat(200_000)), "refused"],
    [new Response("<html>"), "refused"],
    [new Response(`{"details":"incorrect username or password"}`, { status: 401 }), "denied"],
    [new Response("", { status: 503 }), "transient"],
  ])("that are none: case %#", async (answer, failure) => {
    const { registry } = bearerRegistry({ credential: BASIC, token: () => answer.clone() });
    await expect(tags(registry)).rejects.toMatchObject({ failure });
  });

  it("are not asked for when storage answers 401", async () => {
    const { registry, network } = testRegistry(({ url }) =>
      url.host === "registry.example.com"
        ? new Response(null, { status: 307, headers: { location: "https://storage.example.net/x" } })
        : new Response("", { status: 401, headers: { "www-authenticate": `Bearer realm="${REALM}"` } }),
    );
    await expect(tags(registry)).rejects.toMatchObject({ failure: "denied" });
    expect(network.seen).toHaveLength(2);
  });
});

describe("a refresh token", () => {
  const credential = { kind: "identity", token: "refresh", username: "me" } as const;

  it("is posted", async () => {
    const { registry, network } = bearerRegistry({ credential });
    await tags(registry);
    expect(network.seen[1]?.method).toBe("POST");
    expect(Object.fromEntries(new URLSearchParams(new TextDecoder().decode(network.seen[1]?.body)))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "refresh",
      client_id: "entrepot",
      service: "the service",
      scope: "repository:a/b:pull",
    });
  });

  it.each([404, 405])("is a password where posting is answered with %i", async (status) => {
    const { registry, network } = bearerRegistry({
      credential,
      token: ({ method }) => (method === "POST" ? new Response("", { status }) : json({ token: "t" })),
    });
    await tags(registry);
    expect(network.seen[2]?.headers.get("authorization")).toBe(`Basic ${btoa("me:refresh")}`);
  });

  it("of Azure comes from the registry itself", async () => {
    const { registry, network } = bearerRegistry({
      credential: { kind: "acr", accessToken: "entra", tenant: "company" },
      challenge: `Bearer realm="https://registry.example.com/oauth2/token",service="registry.example.com"`,
      token: ({ url }) =>
        json(url.pathname === "/oauth2/exchange" ? { refresh_token: "refresh" } : { access_token: "t" }),
    });
    await tags(registry);
    await tags(registry, "c");
    expect(network.lines().filter((line) => line.includes("oauth2"))).toEqual([
      "POST https://registry.example.com/oauth2/exchange",
      "POST https://registry.example.com/oauth2/token",
      "POST https://registry.example.com/oauth2/token",
    ]);
    expect(new TextDecoder().decode(network.seen[1]?.body)).toBe(
      "grant_type=access_token&service=registry.example.com&access_token=entra&tenant=company",
    );
  });
});

describe("a check", () => {
  /** A registry that wants user name and password; `open` lets in whoever shows nothing. */
  const basicRegistry = (credential: Credential, open = false) =>
    testRegistry(
      ({ headers }) => {
        const shown = headers.get("authorization");
        const good = shown === `Basic ${btoa("me:right")}` || (open && shown === null);
        return new Response("{}", good ? {} : { status: 401, headers: { "www-authenticate": `Basic realm="x"` } });
      },
      { credential },
    ).registry;

  it.each([false, true])("proves user name and password; open to all: %s", async (open) => {
    await basicRegistry({ kind: "basic", username: "me", password: "right" }, open).check();
    await expect(
      basicRegistry({ kind: "basic", username: "me", password: "wrong" }, open).check(),
    ).rejects.toMatchObject({ failure: "denied" });
  });

  it("of a registry that wants them fails without", async () => {
    await expect(basicRegistry({ kind: "anonymous" }).check()).rejects.toMatchObject({
      failure: "denied",
      status: 401,
    });
  });

  it("proves a token as it is", async () => {
    const options = { accepts: (token: string) => token === "good" };
    await bearerRegistry({ ...options, credential: { kind: "token", token: "good" } }).registry.check();
    const bad = bearerRegistry({ ...options, credential: { kind: "token", token: "bad" } });
    await expect(bad.registry.check()).rejects.toMatchObject({ failure: "denied" });
    expect(bad.network.seen).toHaveLength(1);
  });

  it("does not take something else for a registry", async () => {
    const { registry } = testRegistry(() => new Response("", { status: 404 }));
    await expect(registry.check()).rejects.toMatchObject({ failure: "missing" });
  });
});
