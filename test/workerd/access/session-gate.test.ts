import { expect, it } from "vitest";
import { createGate } from "../../../src/access/index.ts";
import { createCsrf, sessionAuthenticator, Sessions, SessionStore } from "../../../src/access/session/index.ts";
import { instanceHmacKey, InstanceStore } from "../../../src/platform/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

const ORIGIN = "https://registry.example";
const clock = () => Date.now();
const csrf = createCsrf({
  key: instanceHmacKey(new InstanceStore(bindings.DB, undefined), "csrf"),
  publicScheme: undefined,
});
const sessions = new Sessions({ store: new SessionStore(bindings.DB), clock, lifetime: 3_600_000 });

const gate = createGate({
  address: () => undefined,
  audit: { recordFailedSignIn() {} },
  settings: { access: "closed", accessAssertion: false, challenge: { kind: "token", service: "entrepot" } },
  directory: {
    generation: async () =>
      String(await bindings.DB.prepare("SELECT generation FROM access_generation").first("generation")),
    account: async (name) => ({ name, disabled: false }),
    teams: async () => [],
    grants: async () => [],
    clusterRole: async () => undefined,
    publicNamespaces: async () => new Set(),
  },
  authenticators: [
    sessionAuthenticator({
      sessions,
      stands: async () => true,
      isForged: (request, id) => csrf.isForged(request, id),
    }),
  ],
  settingsAccount: (name) => (name === "admin" ? { groups: ["system:masters"], roles: [] } : undefined),
  configured: async () => true,
  clock,
  log: quietLog,
});

const ask = (method: string, headers: Record<string, string>) =>
  gate.authenticate(new Request(`${ORIGIN}/auth/kubeconfig`, { method, headers }));
const FORGED = { ok: false, error: { reason: "forged" } };

it("a session that the gate has seen is checked against forgery all the same", async () => {
  const { secret, id } = await sessions.start({ identity: "alice", credential: "1" });
  const cookie = `__Host-entrepot_session=${secret}`;
  const other = await csrf.token("another session");
  const own = { cookie, origin: ORIGIN, "sec-fetch-site": "same-origin", "x-csrf-token": await csrf.token(id) };
  for (let round = 0; round < 2; round += 1) {
    expect(await ask("GET", { cookie })).toMatchObject({ ok: true, value: { name: "alice" } });
    expect(await ask("POST", own)).toMatchObject({ ok: true, value: { name: "alice" } });
    expect(await ask("POST", { cookie })).toMatchObject(FORGED);
    expect(await ask("POST", { ...own, origin: "https://evil.example", "sec-fetch-site": "cross-site" })).toMatchObject(
      FORGED,
    );
    expect(await ask("DELETE", { ...own, "x-csrf-token": other })).toMatchObject(FORGED);
    expect(await ask("GET", { cookie, upgrade: "websocket", origin: "https://evil.example" })).toMatchObject(FORGED);
  }
});

it("a session that was ended is refused at once", async () => {
  const { secret, id } = await sessions.start({ identity: "alice", credential: "1" });
  const cookie = `__Host-entrepot_session=${secret}`;
  expect(await ask("GET", { cookie })).toMatchObject({ ok: true });
  await sessions.end(id);
  expect(await ask("GET", { cookie })).toMatchObject({ ok: false });
});

it("the first administrator is one by password, not by a provider's word", async () => {
  const groups = async (issuer?: string) => {
    const { secret } = await sessions.start({ identity: "admin", credential: "1", ...(issuer && { issuer }) });
    const proof = await ask("GET", { cookie: `__Host-entrepot_session=${secret}` });
    return proof.ok ? proof.value.groups : [];
  };
  expect(await groups()).toContain("system:masters");
  expect(await groups("corp")).not.toContain("system:masters");
});
