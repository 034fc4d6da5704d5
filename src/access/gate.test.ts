import { describe, expect, it } from "vitest";
import { err, ok, type Result } from "../platform/index.ts";
import type { Authenticator } from "./authenticator.ts";
import { createGate, type GatePorts, type GateSettings } from "./gate.ts";
import { ANONYMOUS, type AuthenticationFailure, GROUPS, type Identity, type Principal } from "./identity.ts";
import type { Grant, Rule } from "./policy.ts";

const rule = (verbs: string[], resourceNames: string[] = ["*"]): Rule => ({
  apiGroups: ["content.entrepot.dev"],
  resources: ["repositories"],
  resourceNames,
  verbs,
});

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const LOOPBACK = "http://127.0.0.1:8787";

type Proof = Result<Principal, AuthenticationFailure>;

const PRINCIPALS: Readonly<Record<string, Omit<Principal, "groups" | "credential"> & { readonly groups?: string[] }>> =
  {
    alice: { name: "alice" },
    bob: { name: "bob" },
    ghost: { name: "ghost" },
    listed: { name: "listed" },
    "disabled-listed": { name: "disabled-listed" },
    admin: { name: "admin" },
    "admin-by-issuer": { name: "admin", issuer: "google" },
    "bob-vouched": { name: "bob", vouched: true, groups: [GROUPS.masters] },
    elsewhere: { name: "elsewhere", vouched: true },
    limited: { name: "alice", scope: [{ type: "repository", name: "team-a/app", actions: ["pull", "delete"] }] },
    "limited-admin": {
      name: "admin",
      scope: [
        { type: "repository", name: "team-a/app", actions: ["*"] },
        { type: "registry", name: "catalog", actions: ["*"] },
      ],
    },
    "anonymous-token": { name: ANONYMOUS, scope: [{ type: "repository", name: "open/app", actions: ["pull"] }] },
    "by-grants": { name: "alice", vouched: true, grants: [{ rules: [rule(["pull"], ["app"])], source: "token" }] },
    "anonymous-by-grants": {
      name: ANONYMOUS,
      vouched: true,
      grants: [{ rules: [rule(["pull"], ["app"])], source: "t" }],
    },
    "anonymous-master": { name: ANONYMOUS, groups: [GROUPS.masters] },
    brief: { name: "alice", expiresAt: 5000 },
  };

/** As sessions are proved: by the cookie, unless another site had the browser send it. */
function session(cookie: string, request: Request): Proof {
  if (cookie !== "s1" || request.headers.get("origin") === "https://evil.example")
    return err({ reason: "unauthenticated" });
  return ok({ name: "alice", groups: [], credential: { type: "session", id: cookie } });
}

function fixture(settings: Partial<GateSettings> = {}, more: Partial<GatePorts> = {}) {
  const state = { now: 0, generation: "1", proofs: 0, accounts: 0, configured: 0, isConfigured: true };
  const warnings: unknown[] = [];
  const authenticator: Authenticator = {
    name: "fake",
    async authenticate(credential, request): Promise<Proof | undefined> {
      if (credential.scheme === "session") return session(credential.cookie, request);
      if (credential.scheme === "access-assertion") {
        state.proofs += 1;
        return ok({ name: "alice", groups: [], credential: { type: "access-assertion" } });
      }
      if (credential.scheme !== "bearer") return undefined;
      state.proofs += 1;
      if (credential.token === "locked") return err({ reason: "locked-out", retryAfterSeconds: 7 });
      const principal = PRINCIPALS[credential.token];
      if (principal === undefined) return err({ reason: "unauthenticated", detail: "unknown token" });
      return ok({ groups: [], credential: { type: "token", id: credential.token }, ...principal });
    },
  };
  const gate = createGate({
    address: () => undefined,
    audit: { recordFailedSignIn() {} },
    settings: {
      access: "closed",
      accessAssertion: false,
      challenge: { kind: "token", service: "entrepot" },
      ...settings,
    },
    directory: {
      generation: async () => state.generation,
      async account(name) {
        state.accounts += 1;
        if (name === "alice") return { name, disabled: false };
        return name === "bob" || name === "disabled-listed" ? { name, disabled: true } : undefined;
      },
      teams: async (name) => (name === "alice" ? ["team:a"] : []),
      async grants(name, groups) {
        const grants: Grant[] = [];
        if (groups.includes("team:a"))
          grants.push({ rules: [rule(["pull", "push"])], namespace: "team-a", source: "A" });
        if (name === "elsewhere") grants.push({ rules: [rule(["pull"])], source: "E" });
        return grants;
      },
      clusterRole: async (name) => (name === "pusher" ? [rule(["pull", "push"])] : undefined),
      publicNamespaces: async () => new Set(["open"]),
    },
    authenticators: [authenticator],
    settingsAccount: (name) => {
      if (name === "admin") return { groups: [GROUPS.masters], roles: [] };
      return name === "listed" || name === "disabled-listed" ? { groups: [], roles: ["pusher", "gone"] } : undefined;
    },
    configured: async () => {
      state.configured += 1;
      return state.isConfigured;
    },
    clock: () => state.now,
    log: { debug() {}, info() {}, error() {}, warn: (event, fields) => warnings.push([event, fields]) },
    ...more,
  });
  const authenticate = (headers: Record<string, string> = {}) =>
    gate.authenticate(new Request("https://reg.example/v2/", { headers }));
  async function identity(headers: Record<string, string> = {}): Promise<Identity> {
    const result = await authenticate(headers);
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    return result.value;
  }
  return { gate, state, warnings, authenticate, identity };
}

describe("a credential", () => {
  it.each([
    ["alice", "alice", [GROUPS.authenticated, "team:a"]],
    ["listed", "listed", [GROUPS.authenticated]],
    ["admin", "admin", [GROUPS.authenticated, GROUPS.masters]],
    ["bob-vouched", "bob", [GROUPS.authenticated, GROUPS.masters]],
    ["elsewhere", "elsewhere", [GROUPS.authenticated]],
    ["by-grants", "alice", [GROUPS.authenticated]],
    ["anonymous-token", ANONYMOUS, [GROUPS.unauthenticated]],
    ["anonymous-by-grants", ANONYMOUS, [GROUPS.unauthenticated]],
    ["anonymous-master", ANONYMOUS, [GROUPS.unauthenticated]],
  ])("of %s", async (token, name, groups) => {
    expect(await fixture().identity(bearer(token))).toMatchObject({ name, groups, credential: { id: token } });
  });

  it.each([
    ["of nobody", bearer("wrong"), { reason: "unauthenticated", detail: "unknown token" }],
    ["of a user that is gone", bearer("ghost"), { reason: "unauthenticated", detail: "unknown account" }],
    ["of a user that is disabled", bearer("bob"), { reason: "unauthenticated", detail: "disabled account" }],
    ["of a disabled user that a file lists", bearer("disabled-listed"), { detail: "disabled account" }],
    ["of whom an issuer names like the administrator", bearer("admin-by-issuer"), { detail: "unknown account" }],
    ["after too many", bearer("locked"), { reason: "locked-out", retryAfterSeconds: 7 }],
    ["that nothing takes", basic("alice:secret"), { reason: "unauthenticated" }],
    ["that is not well-formed", { authorization: "Bearer a, Bearer b" }, { reason: "unauthenticated" }],
    ["that is empty", { authorization: "" }, { reason: "unauthenticated" }],
  ])("%s is refused", async (_what, headers, error) => {
    expect(await fixture().authenticate(headers)).toMatchObject({ ok: false, error });
  });

  it.each([
    { "x-remote-user": "admin" },
    { "x-forwarded-user": "admin", "x-forwarded-email": "admin@example.com" },
    { "remote-user": "admin", "x-auth-request-user": "admin" },
    { "cf-access-authenticated-user-email": "admin@example.com" },
    { "cf-access-jwt-assertion": "alice" },
    { "impersonate-user": "admin", "impersonate-group": "system:masters" },
    { cookie: "entrepot_session=alice" },
  ])("is none of %j", async (headers) => {
    const { identity, gate } = fixture();
    const somebody = await identity(headers);
    expect(somebody).toMatchObject({ name: ANONYMOUS, groups: [GROUPS.unauthenticated] });
    expect(gate.allows(somebody, "pull", "team-a/app")).toBe(false);
    expect(await identity({ ...headers, ...bearer("alice") })).toMatchObject({ name: "alice" });
  });
});

describe("what one may do", () => {
  it.each([
    [undefined, ["pull open/app"]],
    ["alice", ["pull open/app", "pull team-a/app", "push team-a/app", "catalog"]],
    [
      "listed",
      ["pull app", "push app", "pull open/app", "push open/app", "pull team-a/app", "push team-a/app", "catalog"],
    ],
    ["elsewhere", ["pull app", "pull open/app", "pull team-a/app", "catalog"]],
    ["limited", ["pull team-a/app"]],
    ["limited-admin", ["pull team-a/app", "push team-a/app", "delete team-a/app", "catalog"]],
    ["by-grants", ["pull app", "catalog"]],
    ["anonymous-token", ["pull open/app"]],
    ["anonymous-by-grants", ["pull app"]],
    ["anonymous-master", ["pull open/app"]],
  ])("with %s", async (token, expected) => {
    const { gate, identity } = fixture();
    const somebody = await identity(token === undefined ? {} : bearer(token));
    const allowed: string[] = [];
    for (const repository of ["app", "open/app", "team-a/app"]) {
      for (const verb of ["pull", "push", "delete"] as const)
        if (gate.allows(somebody, verb, repository)) allowed.push(`${verb} ${repository}`);
    }
    if (gate.allows(somebody, "catalog")) allowed.push("catalog");
    expect(allowed).toEqual(expected);
  });

  it("of a limited credential ends at its scope, whatever the policy allows", async () => {
    const { gate, identity } = fixture();
    const admin = await identity(bearer("limited-admin"));
    const request = { verb: "pull", group: "content.entrepot.dev", resource: "repositories", subresource: "" };
    const about = { ...request, namespace: "team-a", name: "team-a/app" };
    expect(gate.decide(admin, about)).toEqual({ allowed: true, reason: "masters" });
    for (const other of [
      { ...about, name: "team-a/app2" },
      { ...about, name: "team-a/*" },
      { ...about, verb: "get" },
      { ...about, subresource: "tags" },
      { ...about, group: "iam.entrepot.dev", resource: "users" },
      { ...about, resource: "tags" },
    ])
      expect(gate.decide(admin, other)).toEqual({ allowed: false, reason: "out-of-scope" });
  });

  it("of a role that is not there is nothing, and is logged", async () => {
    const { identity, warnings } = fixture();
    await identity(bearer("listed"));
    expect(warnings).toEqual([["access.role-missing", { role: "gone", setting: "HTPASSWD_ROLE" }]]);
  });
});

describe("a proof is remembered", () => {
  it("for a minute", async () => {
    const { state, identity } = fixture();
    const first = await identity(bearer("alice"));
    state.now = 59_999;
    expect(await identity(bearer("alice"))).toBe(first);
    expect([state.proofs, state.accounts]).toEqual([1, 1]);
    state.now = 60_000;
    await identity(bearer("alice"));
    expect([state.proofs, state.accounts]).toEqual([2, 2]);
  });

  it("no longer than the credential is good", async () => {
    const { state, identity } = fixture();
    await identity(bearer("brief"));
    state.now = 4999;
    expect(await identity(bearer("brief"))).toMatchObject({ expiresAt: 5000 });
    expect(state.proofs).toBe(1);
    state.now = 5000;
    await identity(bearer("brief"));
    expect(state.proofs).toBe(2);
  });

  it("within one generation of the directory", async () => {
    const { state, identity } = fixture();
    const nobody = await identity();
    expect(await identity()).toBe(nobody);
    await identity(bearer("alice"));
    state.generation = "2";
    await identity(bearer("alice"));
    expect(await identity()).not.toBe(nobody);
    expect(state.proofs).toBe(2);
  });

  it("not if the generation changed while it was being proved", async () => {
    const { state, identity, gate } = fixture();
    const headers = new Headers(bearer("alice"));
    const slow = gate.authenticate(new Request("https://reg.example/v2/", { headers }));
    state.generation = "2";
    await identity();
    await slow;
    state.proofs = 0;
    await identity(bearer("alice"));
    expect(state.proofs).toBe(1);
  });

  it("of a session for no other request, which another site may have had the browser send", async () => {
    const { identity, authenticate } = fixture();
    const cookie = { cookie: "__Host-entrepot_session=s1" };
    expect(await identity(cookie)).toMatchObject({ name: "alice", credential: { type: "session", id: "s1" } });
    expect((await authenticate({ ...cookie, origin: "https://evil.example" })).ok).toBe(false);
    expect((await authenticate({ cookie: "__Host-entrepot_session=s2" })).ok).toBe(false);
  });

  it("by the whole credential and its kind; failures are not", async () => {
    const { state, identity, authenticate } = fixture();
    await identity(bearer("alice"));
    expect((await authenticate(bearer("alice2"))).ok).toBe(false);
    expect((await authenticate({ cookie: `__Host-entrepot_session=${bearer("alice").authorization}` })).ok).toBe(false);
    await authenticate(bearer("wrong"));
    await authenticate(bearer("wrong"));
    expect(state.proofs).toBe(4);
  });
});

describe("without any credential", () => {
  it("a closed server refuses everyone, and notices when there is one", async () => {
    const { state, authenticate } = fixture();
    state.isConfigured = false;
    for (const headers of [{}, bearer("alice"), bearer("wrong")])
      expect(await authenticate(headers)).toEqual({ ok: false, error: { reason: "not-configured" } });
    expect(state.configured).toBe(1);
    state.isConfigured = true;
    state.generation = "2";
    expect((await authenticate(bearer("alice"))).ok).toBe(true);
    state.generation = "3";
    await authenticate({});
    expect(state.configured).toBe(2);
  });

  it("an open server lets everyone do everything, until there is one", async () => {
    const { state, gate, authenticate, identity } = fixture({ access: "open" });
    state.isConfigured = false;
    for (const headers of [{}, bearer("wrong"), { authorization: "" }]) {
      const everyone = await gate.authenticate(new Request(`${LOOPBACK}/v2/`, { method: "DELETE", headers }));
      if (!everyone.ok) throw new Error(everyone.error.reason);
      expect(everyone.value.name).toBe(ANONYMOUS);
      expect(gate.allows(everyone.value, "delete", "team-a/app")).toBe(true);
      expect(gate.allows(everyone.value, "catalog")).toBe(true);
    }
    state.isConfigured = true;
    state.generation = "2";
    expect(gate.allows(await identity(), "pull", "team-a/app")).toBe(false);
    expect((await authenticate(bearer("wrong"))).ok).toBe(false);
  });
});

describe("an open server and the pages in a browser", () => {
  async function ask(method: string, headers: Record<string, string>, origin = LOOPBACK) {
    const { state, gate } = fixture({ access: "open" });
    state.isConfigured = false;
    const proof = await gate.authenticate(new Request(`${origin}/v2/`, { method, headers }));
    return proof.ok ? "everyone" : proof.error;
  }

  it.each([
    ["POST", { origin: "https://evil.example" }],
    ["POST", { origin: "null" }],
    ["POST", { origin: "http://127.0.0.1:3000" }],
    ["PUT", { "sec-fetch-site": "cross-site" }],
    ["DELETE", { "sec-fetch-site": "same-site", origin: LOOPBACK }],
    ["GET", { upgrade: "websocket", origin: "https://evil.example" }],
  ])("of other sites: %s with %j is refused", async (method, headers) => {
    expect(await ask(method, headers)).toEqual({ reason: "forged" });
  });

  it.each([
    ["POST", {}],
    ["POST", { origin: LOOPBACK }],
    ["POST", { "sec-fetch-site": "same-origin", origin: LOOPBACK }],
    ["GET", { "sec-fetch-site": "cross-site" }],
    ["GET", { "sec-fetch-site": "none" }],
  ])("of its own, and clients that are no browser: %s with %j is served", async (method, headers) => {
    expect(await ask(method, headers)).toBe("everyone");
  });

  it.each(["http://localhost:8787", "http://[::1]:8787"])("is reached as %s", async (origin) => {
    expect(await ask("GET", {}, origin)).toBe("everyone");
  });

  it.each([
    "http://evil.example:8787",
    "http://127.0.0.1.evil.example",
    "https://registry.example.com",
    "http://8.8.8.8",
    "http://host.docker.internal:8787",
    "http://registry:5000",
  ])("is not reached as %s, which anyone can have lead here", async (origin) => {
    expect(await ask("GET", {}, origin)).toEqual({ reason: "not-configured" });
  });
});

describe("a silly server", () => {
  it.each([
    [basic("carol:whatever"), "carol"],
    [basic(":whatever"), "silly"],
    [bearer("anything"), "silly"],
    [{ authorization: "Nonsense" }, "silly"],
    [{ authorization: "" }, "silly"],
  ])("takes %j for a proof", async (headers, name) => {
    const { gate, identity, state } = fixture({ access: "silly" });
    state.isConfigured = false;
    const somebody = await identity(headers);
    expect(somebody.name).toBe(name);
    expect(gate.allows(somebody, "delete", "team-a/app")).toBe(true);
  });

  it("takes nothing else", async () => {
    const { gate, identity } = fixture({ access: "silly" });
    const nobody = await identity();
    expect(nobody.name).toBe(ANONYMOUS);
    expect(gate.allows(nobody, "pull", "team-a/app")).toBe(false);
  });
});

it("identifies whoever was checked otherwise, unless they are gone", async () => {
  const { gate } = fixture();
  const credential = { type: "password", id: "7" } as const;
  const alice = await gate.identify({ name: "alice", groups: [], credential });
  expect(alice).toMatchObject({
    ok: true,
    value: { name: "alice", groups: [GROUPS.authenticated, "team:a"], credential },
  });
  for (const name of ["bob", "ghost"]) expect((await gate.identify({ name, groups: [], credential })).ok).toBe(false);
});

it("challenges with the address by which clients reach it", () => {
  const { gate } = fixture({ challenge: { kind: "token", service: "entrepot", publicScheme: "https" } });
  const challenge = gate.challenge(new Request("http://reg.example/v2/"), { scope: "repository:app:pull" });
  expect(challenge).toBe(
    'Bearer realm="https://reg.example/auth/token",service="entrepot",scope="repository:app:pull"',
  );
});

describe("an assertion of Cloudflare Access, which browsers have sent by whatever page", () => {
  const send = (gate: ReturnType<typeof createGate>, method: string, headers: Record<string, string>) =>
    gate.authenticate(
      new Request("https://registry.example/api/v1/apply", {
        method,
        headers: { "cf-access-jwt-assertion": "eyJ.eyJ.s", ...headers },
      }),
    );

  it.each([
    ["POST", { "sec-fetch-site": "cross-site" }, false],
    ["POST", { "sec-fetch-site": "same-site" }, false],
    ["DELETE", { origin: "https://evil.example" }, false],
    ["POST", { "sec-fetch-site": "same-origin" }, true],
    ["POST", { origin: "https://registry.example" }, true],
    ["POST", {}, true],
    ["GET", { "sec-fetch-site": "cross-site" }, true],
  ])("%s with %j", async (method, headers, counts) => {
    const { gate } = fixture({ accessAssertion: true });
    expect((await send(gate, method, headers)).ok).toBe(counts);
  });

  it("is proved for each request", async () => {
    const { gate, state } = fixture({ accessAssertion: true });
    await send(gate, "GET", {});
    expect((await send(gate, "POST", { "sec-fetch-site": "cross-site" })).ok).toBe(false);
    await send(gate, "GET", {});
    expect(state.proofs).toBe(2);
  });
});

describe("someone who wrote something earlier", () => {
  const writer = { name: "alice", credential: "password", isNamedElsewhere: false } as const;

  it("holds what they hold now, and nothing without an account", async () => {
    const { gate } = fixture();
    const alice = await gate.standing(writer);
    expect(alice).toMatchObject({ ok: true, value: { name: "alice", credential: { type: "password" } } });
    expect(await gate.standing({ ...writer, name: "nobody-here" })).toMatchObject({ ok: false });
    expect(await gate.standing({ ...writer, name: "disabled-listed" })).toMatchObject({ ok: false });
  });

  it("is not whom the settings name, if another party named them", async () => {
    const { gate } = fixture();
    const admin = { ...writer, name: "admin" };
    expect(await gate.standing(admin)).toMatchObject({
      ok: true,
      value: { groups: expect.arrayContaining([GROUPS.masters]) },
    });
    expect(await gate.standing({ ...admin, isNamedElsewhere: true })).toMatchObject({ ok: false });
  });

  it("is everyone as long as the server is open", async () => {
    const nobody = { name: ANONYMOUS, credential: "none", isNamedElsewhere: false } as const;
    const { gate, state } = fixture({ access: "open" });
    state.isConfigured = false;
    expect(await gate.standing(nobody)).toMatchObject({ value: { groups: [GROUPS.unauthenticated, GROUPS.masters] } });
    const closed = fixture();
    expect(await closed.gate.standing(nobody)).toMatchObject({ value: { groups: [GROUPS.unauthenticated] } });
  });

  it("is the platform, where it was the platform", async () => {
    const { gate } = fixture();
    const system = { name: "system:entrepot", credential: "internal", isNamedElsewhere: false } as const;
    expect(await gate.standing(system)).toMatchObject({ value: { name: "system:entrepot", groups: [GROUPS.masters] } });
  });
});
