import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import {
  type AttemptGuard,
  createGate,
  issueApiKey,
  keyAuthenticator,
  keyState,
  KeyStore,
  passwordAuthenticator,
  PasswordHasher,
  passwordIds,
  PasswordStore,
} from "../../../src/access/index.ts";
import {
  createTokenAuthenticator,
  RefreshTokenStore,
  SigningKeys,
  SigningKeyStore,
} from "../../../src/access/token/index.ts";
import { REFRESH_TOKENS_PER_IDENTITY } from "../../../src/access/token/refresh-token-store.ts";
import { SIGNING_KEY_TIMES } from "../../../src/access/token/signing-keys.ts";
import type { KeyWrapper } from "../../../src/platform/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";
import { grant, repositoriesRule } from "./gate-fixture.ts";
import { jwksHandler, tokenHandler, type TokenHttpServices } from "../../../src/auth/token-http.ts";

const DAY = 86_400_000;
const COST = { ln: 4, r: 1, p: 1 };
const database = bindings.DB;
const START = Date.UTC(2026, 10, 21);

interface Answer {
  readonly token: string;
  readonly scope: string;
  readonly refresh_token?: string;
}

let made = 0;

/** A registry's access over D1 as it is, with a user and a robot of its own, and a clock that can be moved. */
async function registry() {
  made += 1;
  const time = { now: START + made * 100 * DAY };
  const clock = () => time.now;
  const [user, robot] = [`alice-${made}`, `system:serviceaccount:team-a:ci-${made}`];
  const [passwords, keys] = [new PasswordStore(database, clock), new KeyStore(database, clock)];
  const hasher = new PasswordHasher({ cost: COST });
  await passwords.set(user, await hasher.hash("right password"));
  const issued = await issueApiKey(
    { keys, clock },
    { identity: robot, name: "key", createdBy: user, issuer: undefined },
  );
  const named = await issueApiKey({ keys, clock }, { identity: user, name: "named", createdBy: user, issuer: "corp" });
  const accounts = new Set([user, robot]);
  const grants = [grant([repositoriesRule(["pull", "push"], ["team-a/*"])])];

  const signingKeyStore = new SigningKeyStore(database);
  const refreshTokens = new RefreshTokenStore(database);
  const signingKeys = new SigningKeys({ store: signingKeyStore, wrapper: undefined, clock });
  const ids = passwordIds({
    adminPassword: undefined,
    htpasswd: undefined,
    passwords,
    hasher,
    salt: async () => new Uint8Array(32),
  });
  const standing = {
    async isActive({ id }: { readonly id?: string }, identity: string) {
      const key = id === undefined ? undefined : await keys.find(id);
      return key !== undefined && key.identity === identity && keyState(key, clock()) === "active";
    },
    isCurrent: (name: string, id: string) => ids.isCurrent(name, id),
  };
  const directory: Parameters<typeof createGate>[0]["directory"] = {
    async generation() {
      const row = await database.prepare("SELECT generation FROM access_generation").first<{ generation: number }>();
      return String(row?.generation);
    },
    account: async (name) => (accounts.has(name) ? { name, disabled: false } : undefined),
    teams: async () => [],
    grants: async (name) => (accounts.has(name) ? grants : []),
    clusterRole: async () => undefined,
    publicNamespaces: async () => new Set(["public"]),
  };
  const noGuard: AttemptGuard = {
    check: async () => ({ admitted: true }),
    failed: async () => {},
    dropped: async () => {},
    succeeded: async () => {},
  };
  const gate = createGate({
    address: () => undefined,
    audit: { recordFailedSignIn() {} },
    settings: { access: "closed", accessAssertion: false, challenge: { kind: "token", service: "entrepot" } },
    directory,
    authenticators: [
      createTokenAuthenticator({ keys: signingKeys, clock, service: "entrepot", standing }),
      keyAuthenticator({ keys, clock, log: quietLog, background: () => {} }),
      passwordAuthenticator({
        adminPassword: undefined,
        htpasswd: undefined,
        passwords,
        hasher,
        ids,
        guard: noGuard,
        hashing: async (work) => ({ ok: true, value: await work() }),
        address: () => undefined,
        clock,
        sleep: async () => {},
      }),
    ],
    settingsAccount: () => undefined,
    configured: async () => true,
    clock,
    log: quietLog,
  });
  const services: TokenHttpServices = {
    gate,
    audit: { recordFailedSignIn() {} },
    keys: signingKeys,
    clock,
    service: "entrepot",
    ttlSeconds: 300,
    external: false,
    refresh: { store: refreshTokens, standing, clock, service: "entrepot", ttlSeconds: 3600 },
  };
  const handle = tokenHandler(services);
  const basic = (name: string, password: string) => `Basic ${btoa(`${name}:${password}`)}`;

  /** A request to `/v2` as the registry answers it: its status and, if it was refused, the challenge. */
  async function v2(authorization: string | undefined, verb?: "pull" | "push", repository = "") {
    const headers = authorization === undefined ? {} : { authorization };
    const request = new Request(`https://registry.example/v2/${repository}`, { headers });
    const identity = await gate.authenticate(request);
    const about =
      verb === undefined ? {} : { scope: `repository:${repository}:${verb === "push" ? "pull,push" : verb}` };
    const challenge = gate.challenge(request, about);
    if (!identity.ok) return { status: 401, challenge };
    const anonymous = identity.value.credential.type === "none";
    const allowed = verb === undefined ? !anonymous : gate.allows(identity.value, verb, repository);
    if (allowed) return { status: 200, challenge };
    return { status: anonymous ? 401 : 403, challenge };
  }

  /** Does what a challenge says. */
  async function answerChallenge(challenge: string, authorization?: string, more = "") {
    const parameters = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    const query = new URLSearchParams({ service: parameters.get("service") ?? "" });
    const scope = parameters.get("scope");
    if (scope !== undefined) query.set("scope", scope);
    const response = await handle(
      new Request(`${parameters.get("realm")}?${query}${more}`, {
        headers: authorization === undefined ? {} : { authorization },
      }),
    );
    return { status: response.status, answer: await response.json<Answer>() };
  }

  async function refresh(token: string | undefined, scope: string) {
    const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: token ?? "", scope });
    const response = await handle(new Request("http://registry/auth/token", { method: "POST", body }));
    return { status: response.status, answer: await response.json<Answer>() };
  }

  return {
    time,
    user,
    robot,
    key: issued,
    named,
    passwords,
    keys,
    hasher,
    accounts,
    signingKeyStore,
    refreshTokens,
    signingKeys,
    services,
    basic,
    v2,
    answerChallenge,
    refresh,
  };
}

describe("the docker dance", () => {
  it("of a push: ping, challenge, token, push; and nothing else with that token", async () => {
    const { v2, answerChallenge, basic, user } = await registry();
    const ping = await v2(undefined);
    expect(ping).toEqual({
      status: 401,
      challenge: 'Bearer realm="https://registry.example/auth/token",service="entrepot"',
    });
    const login = await answerChallenge(
      ping.challenge,
      basic(user, "right password"),
      "&account=alice&client_id=docker",
    );
    expect(login).toMatchObject({ status: 200, answer: { scope: "" } });
    expect(await v2(`Bearer ${login.answer.token}`)).toMatchObject({ status: 200 });

    const push = await v2(undefined, "push", "team-a/app");
    expect(push).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('scope="repository:team-a/app:pull,push"'),
    });
    const { answer } = await answerChallenge(push.challenge, basic(user, "right password"));
    expect(answer.scope).toBe("repository:team-a/app:pull,push");
    const bearer = `Bearer ${answer.token}`;
    expect(await v2(bearer, "push", "team-a/app")).toMatchObject({ status: 200 });
    expect(await v2(bearer, "pull", "team-a/app")).toMatchObject({ status: 200 });
    expect(await v2(bearer, "pull", "team-a/other")).toMatchObject({ status: 403 });
    expect(await v2(bearer, "push", "public/app")).toMatchObject({ status: 403 });
  });

  it("refuses a wrong password", async () => {
    const { v2, answerChallenge, basic, user } = await registry();
    const { challenge } = await v2(undefined);
    expect(await answerChallenge(challenge, basic(user, "wrong password"))).toMatchObject({ status: 401 });
    expect(await answerChallenge(challenge, basic("nobody", "right password"))).toMatchObject({ status: 401 });
  });

  it("of an anonymous pull", async () => {
    const { v2, answerChallenge } = await registry();
    const { challenge } = await v2(undefined, "pull", "team-a/app");
    const nothing = await answerChallenge(challenge);
    expect(nothing).toMatchObject({ status: 200, answer: { scope: "" } });
    expect(await v2(`Bearer ${nothing.answer.token}`, "pull", "team-a/app")).toMatchObject({ status: 403 });
    const all = challenge.replace("team-a/app", "public/app");
    const { answer } = await answerChallenge(all);
    expect(answer.scope).toBe("repository:public/app:pull");
    expect(await v2(`Bearer ${answer.token}`, "pull", "public/app")).toMatchObject({ status: 200 });
    expect(await v2(`Bearer ${answer.token}`, "push", "public/app")).toMatchObject({ status: 403 });
  });
});

describe("who was named by an issuer", () => {
  it("is noted in the tokens and refresh tokens that a key of theirs makes", async () => {
    const { v2, answerChallenge, basic, user, named, refresh } = await registry();
    const { challenge } = await v2(undefined, "push", "team-a/app");
    const { answer } = await answerChallenge(challenge, basic("token", named.token), "&offline_token=true");
    const claims = decodeJwt(answer.token);
    expect([claims.sub, claims["by"]]).toEqual([user, "corp"]);
    const again = await refresh(answer.refresh_token, "repository:team-a/app:pull");
    expect(decodeJwt(again.answer.token)["by"]).toBe("corp");
    const own = await answerChallenge(challenge, basic(user, "right password"));
    expect(decodeJwt(own.answer.token)["by"]).toBeUndefined();
  });
});

describe("revocation", () => {
  it("of a key ends its tokens and refresh tokens at once", async () => {
    const { v2, answerChallenge, basic, robot, key, keys, refresh } = await registry();
    const { challenge } = await v2(undefined, "push", "team-a/app");
    const { answer } = await answerChallenge(challenge, basic("token", key.token), "&offline_token=true");
    expect(await v2(`Bearer ${answer.token}`, "push", "team-a/app")).toMatchObject({ status: 200 });
    expect(await refresh(answer.refresh_token, "repository:team-a/app:pull repository:team-b/app:pull")).toMatchObject({
      status: 200,
      answer: { scope: "repository:team-a/app:pull" },
    });
    await keys.revoke(robot, key.id);
    expect(await v2(`Bearer ${answer.token}`, "push", "team-a/app")).toMatchObject({ status: 401 });
    expect(await refresh(answer.refresh_token, "")).toMatchObject({ status: 401 });
  });

  it("by a new password", async () => {
    const { v2, answerChallenge, basic, user, passwords, hasher, time, refresh } = await registry();
    const { challenge } = await v2(undefined, "push", "team-a/app");
    const { answer } = await answerChallenge(challenge, basic(user, "right password"), "&offline_token=true");
    time.now += 1;
    await passwords.set(user, await hasher.hash("another password"));
    expect(await v2(`Bearer ${answer.token}`, "push", "team-a/app")).toMatchObject({ status: 401 });
    expect(await refresh(answer.refresh_token, "")).toMatchObject({ status: 401 });
    expect(answer.refresh_token).toBeDefined();
    const renewed = await answerChallenge(challenge, basic(user, "another password"));
    expect(await v2(`Bearer ${renewed.answer.token}`, "push", "team-a/app")).toMatchObject({ status: 200 });
  });

  it("by the end of the account, and of the token", async () => {
    const { v2, answerChallenge, basic, key, robot, accounts, time, refresh } = await registry();
    const { challenge } = await v2(undefined, "push", "team-a/app");
    const { answer } = await answerChallenge(challenge, basic("", key.token), "&offline_token=true");
    time.now += 361_000;
    expect(await v2(`Bearer ${answer.token}`, "push", "team-a/app")).toMatchObject({ status: 401 });
    const again = await refresh(answer.refresh_token, "repository:team-a/app:push");
    expect(again.status).toBe(200);
    accounts.delete(robot);
    expect(await refresh(answer.refresh_token, "")).toMatchObject({ status: 401 });
  });
});

describe("in D1", () => {
  it("no token is found, only hashes", async () => {
    const { v2, answerChallenge, basic, key } = await registry();
    const { challenge } = await v2(undefined, "push", "team-a/app");
    const { answer } = await answerChallenge(challenge, basic("", key.token), "&offline_token=true");
    const { results } = await database.prepare("SELECT * FROM access_refresh_tokens").all();
    expect(answer.refresh_token).toMatch(/^entr_/);
    expect(JSON.stringify(results)).not.toContain(answer.refresh_token);
    expect(JSON.stringify(results)).not.toContain(answer.token);
  });

  it("isolates that start together agree on one signing key, and verify each other's tokens", async () => {
    const { time, signingKeyStore } = await registry();
    const clock = () => time.now;
    const isolates = Array.from(
      { length: 5 },
      () => new SigningKeys({ store: signingKeyStore, wrapper: undefined, clock }),
    );
    const signers = await Promise.all(isolates.map((each) => each.signer()));
    const names = new Set(signers.map(({ kid }) => kid));
    expect(names.size).toBe(1);
    const [kid = ""] = names;
    for (const each of isolates) expect(await each.verifier(kid)).toBeDefined();
  });

  it("a key that is not encrypted is followed by one that is, and verifies no longer than its tokens live", async () => {
    const { time, signingKeyStore, signingKeys } = await registry();
    const clock = () => time.now;
    const open = await signingKeys.signer();
    const wrapper: KeyWrapper = {
      wrap: async (key, place) => ({ masterKey: "m", wrapped: `${place} ${key.toBase64()}` }),
      unwrap: async ({ wrapped }) => Uint8Array.fromBase64(wrapped.split(" ")[1] ?? ""),
    };
    const isolates = Array.from({ length: 3 }, () => new SigningKeys({ store: signingKeyStore, wrapper, clock }));
    const names = new Set((await Promise.all(isolates.map((each) => each.signer()))).map(({ kid }) => kid));
    const [kid] = names;
    expect([names.size, names.has(open.kid)]).toEqual([1, false]);
    const rows = new Map((await signingKeyStore.list(time.now)).map((row) => [row.kid, row]));
    expect(rows.get(kid ?? "")?.privateJwk).not.toContain("kty");
    expect(rows.get(open.kid)?.expiresAt).toBe(time.now + SIGNING_KEY_TIMES.verifiesAfter);
  });

  it("a key that is too old is followed by one, and goes when no token of it can be left", async () => {
    const { time, signingKeyStore, signingKeys, services } = await registry();
    const first = await signingKeys.signer();
    time.now += SIGNING_KEY_TIMES.signs;
    const others = Array.from(
      { length: 4 },
      () => new SigningKeys({ store: signingKeyStore, wrapper: undefined, clock: () => time.now }),
    );
    const seconds = await Promise.all(others.map((each) => each.signer()));
    expect(new Set(seconds.map(({ kid }) => kid)).size).toBe(1);
    expect(seconds[0]?.kid).not.toBe(first.kid);
    await signingKeyStore.prune(time.now);
    const kids = async () => (await signingKeyStore.list(0)).map(({ kid }) => kid);
    expect(await kids()).toContain(first.kid);
    time.now += SIGNING_KEY_TIMES.verifiesAfter;
    await signingKeyStore.prune(time.now);
    expect(await kids()).toEqual([seconds[0]?.kid]);
    const published = await jwksHandler(services)(new Request("http://registry/.well-known/jwks.json"));
    expect(await published.json()).toMatchObject({ keys: [{ kid: seconds[0]?.kid }] });
  });

  it("an identity keeps its newest refresh tokens, and expired ones are pruned", async () => {
    const { robot, refreshTokens, time } = await registry();
    const token = (index: number) => ({
      id: `${robot}-${String(index).padStart(4, "0")}`,
      hash: `${robot}-${index}`,
      identity: robot,
      credential: { type: "api-key", id: "key" } as const,
      issuer: index === 1 ? "corp" : undefined,
      service: "entrepot",
      clientId: "docker",
      createdAt: time.now + index,
      expiresAt: time.now + 1000 + index,
    });
    for (let index = 0; index <= REFRESH_TOKENS_PER_IDENTITY; index += 1) await refreshTokens.add(token(index));
    expect(await refreshTokens.byHash(`${robot}-0`)).toBeUndefined();
    expect(await refreshTokens.byHash(`${robot}-1`)).toEqual(token(1));
    const pruned = await refreshTokens.prune(time.now + 1010, 1000);
    expect(pruned).toBeGreaterThanOrEqual(10);
    expect(await refreshTokens.byHash(`${robot}-10`)).toBeUndefined();
    expect(await refreshTokens.byHash(`${robot}-11`)).toBeDefined();
  });
});
