import { beforeAll, describe, expect, it } from "vitest";
import { verifyIdentityToken } from "./identity-token.ts";
import { lifetimeOf } from "./documents.ts";
import { published, type TestIssuer, testIssuer, testNetwork } from "./test-issuer.ts";

const ISSUER = "https://ci.example.com";
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const KEYS = `${ISSUER}/keys`;
const MINUTE = 60_000;

let ci: TestIssuer;
let next: TestIssuer;
beforeAll(async () => {
  ci = await testIssuer(ISSUER);
  next = await testIssuer(ISSUER, "key-2");
});

/** What comes of a token, as one word. */
async function outcome(network: ReturnType<typeof testNetwork>, token: string, source = {}): Promise<string> {
  const expected = { source: { issuer: ISSUER, ...source }, audiences: ["entrepot"] };
  const verified = await verifyIdentityToken(token, expected, network);
  return verified.ok ? "verified" : [verified.error.reason, verified.error.detail].filter(Boolean).join(" ");
}

describe("keys are found", () => {
  it("by discovery", async () => {
    const network = testNetwork(published(ci));
    expect(await outcome(network, await ci.token())).toBe("verified");
    expect(network.seen).toEqual([DISCOVERY, KEYS]);
  });

  it("at an address", async () => {
    const network = testNetwork({ "https://keys.example.com/set": { keys: [ci.publicJwk] } });
    const source = { jwksUrl: "https://keys.example.com/set" };
    expect(await outcome(network, await ci.token(), source)).toBe("verified");
    expect(network.seen).toEqual(["https://keys.example.com/set"]);
  });

  it("inline, without the network", async () => {
    const network = testNetwork({});
    const source = { jwks: JSON.stringify({ keys: [ci.publicJwk] }) };
    expect(await outcome(network, await ci.token(), source)).toBe("verified");
    expect(await outcome(network, await next.token(), source)).toBe("unknown-key");
    expect(network.seen).toEqual([]);
  });
});

describe("keys are not taken", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["of a discovery document about another issuer", { issuer: "https://evil.example.com" }, "wrong-issuer"],
    ["of an issuer that differs by a slash", { issuer: `${ISSUER}/` }, "wrong-issuer"],
    ["from an address without TLS", { jwks_uri: "http://ci.example.com/keys" }, "bad-document"],
    ["from an address that is none", { jwks_uri: "keys" }, "bad-document"],
    ["from a private address", { jwks_uri: "https://127.0.0.1/keys" }, "private-address"],
  ])("%s", async (_, metadata, detail) => {
    const network = testNetwork(published(ci, metadata));
    expect(await outcome(network, await ci.token())).toBe(`keys-unavailable ${detail}`);
  });

  it("from a private address that a public issuer names, wherever private ones may be called", async () => {
    const network = testNetwork(published(ci, { jwks_uri: "https://10.0.0.1/keys" }), true);
    expect(await outcome(network, await ci.token())).toBe("keys-unavailable private-address");
    expect(network.seen).toEqual([DISCOVERY]);
    // One that is configured is another matter.
    const configured = testNetwork({ "https://10.0.0.1/keys": { keys: [ci.publicJwk] } }, true);
    expect(await outcome(configured, await ci.token(), { jwksUrl: "https://10.0.0.1/keys" })).toBe("verified");
  });

  it.each<[string, unknown, string]>([
    ["that are not JSON", new Response("<html>"), "bad-document"],
    ["that are no key set", { keys: "none" }, "bad-document"],
    ["with an error", new Response("no", { status: 404 }), "bad-status"],
    ["that do not end", new Response(`{"keys":[],"x":"${"x".repeat(300 * 1024)}"}`), "bad-document"],
    [
      "from where TLS ends",
      new Response(null, { status: 302, headers: { location: "http://ci.example.com/keys2" } }),
      "bad-redirect",
    ],
  ])("%s", async (_, answer, detail) => {
    const network = testNetwork({ ...published(ci), [KEYS]: answer });
    expect(await outcome(network, await ci.token())).toBe(`keys-unavailable ${detail}`);
  });

  it.each(["not json", "{}", '{"keys":[1]}'])("inline, from %s", async (jwks) => {
    expect(await outcome(testNetwork({}), await ci.token(), { jwks })).toBe("keys-unavailable bad-document");
  });

  it.each(["ci", "file:///etc/keys", "https://ci.example.com/?tenant=1"])("of the issuer %s", async (issuer) => {
    const network = testNetwork({});
    const found = await network.keys.keysOf({ issuer });
    expect(found).toEqual({ ok: false, error: { reason: "bad-address" } });
    expect(network.seen).toEqual([]);
  });
});

describe("keys are remembered", () => {
  it("for ten minutes", async () => {
    const network = testNetwork(published(ci));
    const token = await ci.token({ exp: 2 ** 32 });
    await outcome(network, token);
    network.time.now += 10 * MINUTE - 1;
    await outcome(network, token);
    expect(network.seen).toHaveLength(2);
    network.time.now += 1;
    await outcome(network, token);
    expect(network.seen).toEqual([DISCOVERY, KEYS, DISCOVERY, KEYS]);
  });

  it("and fetched for a kid that is not known, at most every 30 seconds", async () => {
    const network = testNetwork(published(ci));
    expect(await outcome(network, await ci.token())).toBe("verified");
    network.answers[KEYS] = { keys: [ci.publicJwk, next.publicJwk] };
    expect(await outcome(network, await next.token())).toBe("unknown-key");
    network.time.now += 30_000;
    expect(await outcome(network, await next.token())).toBe("verified");
    const fetched = network.seen.length;
    const unknown = await (await testIssuer(ISSUER, "key-3")).token();
    for (let turn = 0; turn < 5; turn += 1) expect(await outcome(network, unknown)).toBe("unknown-key");
    expect(network.seen).toHaveLength(fetched);
  });

  it("and used when their server is away, for a day", async () => {
    const network = testNetwork(published(ci));
    const token = await ci.token({ exp: 2 ** 32 });
    await outcome(network, token);
    for (const url of [DISCOVERY, KEYS]) delete network.answers[url];
    network.time.now += 60 * MINUTE;
    expect(await outcome(network, token)).toBe("verified");
    network.time.now += 24 * 60 * MINUTE;
    expect(await outcome(network, token)).toBe("keys-unavailable unreachable");
  });

  it("and a server that is away is not asked for each token", async () => {
    const network = testNetwork({});
    const token = await ci.token();
    for (let turn = 0; turn < 5; turn += 1) await outcome(network, token);
    expect(network.seen).toHaveLength(1);
    network.time.now += 5000;
    Object.assign(network.answers, published(ci));
    expect(await outcome(network, token)).toBe("verified");
  });

  it("and are asked for by a few at a time, however many tokens wait for them", async () => {
    const network = testNetwork(published(ci));
    const source = { jwksUrl: KEYS };
    const token = await ci.token();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(network, token, source)));
    expect(network.seen).toHaveLength(4);
    expect(outcomes.filter((each) => each === "keys-unavailable busy")).toHaveLength(16);
    expect(await outcome(network, token, source)).toBe("verified");
  });

  it.each([
    [null, 10 * MINUTE],
    ["public", 10 * MINUTE],
    ["public, max-age=3600", 60 * MINUTE],
    ["max-age=1", MINUTE],
    ["max-age=99999999", 24 * 60 * MINUTE],
    ["no-store", MINUTE],
    ["max-age=3600, no-cache", MINUTE],
    ["s-maxage=3600", 10 * MINUTE],
  ])("as Cache-Control %j says", (header, lifetime) => {
    expect(lifetimeOf(header)).toBe(lifetime);
  });
});
