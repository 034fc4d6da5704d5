import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { hashSync } from "bcryptjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { basic, json, query, type Registry } from "../conformance/registry-client.ts";
import { bearer, clientOf, formBody, IAM, jsonBody, PASSWORDS } from "../support/access-world.ts";
import { signIn, withCookie } from "../support/browser-session.ts";
import { type Server, startServer } from "../support/server.ts";

const DORA = "password of dora";
const CHANGED = "quite another password";

let data: string;
let server: Server | undefined;

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "entrepot-credentials-"));
});
afterEach(async () => {
  await server?.stop();
  rmSync(data, { recursive: true, force: true });
});

const entries = { dora: hashSync(DORA, 4), changed: hashSync(CHANGED, 4) };

/** Starts the server anew, with these settings. */
async function restart(adminPassword: string, dora: string): Promise<Registry> {
  await server?.stop();
  const env = { ADMIN_PASSWORD: adminPassword, HTPASSWD: `dora:${dora}`, LOGIN_ATTEMPTS: "1000" };
  server = await startServer({ data, env: { ...env, READ_STALENESS_MS: "0" } });
  return clientOf(server);
}

/** All that a password gives. */
async function signedIn(registry: Registry, name: string, password: string) {
  const { cookie } = await signIn(registry, name, password);
  const answer = await registry.send("GET", "/auth/token", query("offline_token", "true"), basic(name, password));
  const { token, refresh_token: refresh } = json(answer) as { readonly token: string; readonly refresh_token: string };
  return { cookie, token, refresh };
}

/** What of it is still good. */
async function stillGood(registry: Registry, had: Awaited<ReturnType<typeof signedIn>>) {
  const session = json(await registry.send("GET", "/auth/session", withCookie(had.cookie)));
  const form = { grant_type: "refresh_token", refresh_token: had.refresh };
  return {
    session: (session as { readonly user: unknown }).user !== null,
    token: (await registry.send("GET", "/v2/", bearer(had.token))).status === 200,
    refresh: (await registry.send("POST", "/auth/token", formBody(form))).status === 200,
  };
}

const ALL = { session: true, token: true, refresh: true };
const NONE = { session: false, token: false, refresh: false };

test("what was made of a password of the settings ends when that is another, and not before", async () => {
  let registry = await restart(PASSWORDS.admin, entries.dora);
  const admin = await signedIn(registry, "admin", PASSWORDS.admin);
  const dora = await signedIn(registry, "dora", DORA);
  registry = await restart(PASSWORDS.admin, entries.dora);
  expect(await stillGood(registry, admin)).toEqual(ALL);
  expect(await stillGood(registry, dora)).toEqual(ALL);
  registry = await restart(CHANGED, entries.dora);
  expect(await stillGood(registry, admin)).toEqual(NONE);
  expect(await stillGood(registry, dora)).toEqual(ALL);
  registry = await restart(CHANGED, entries.changed);
  expect(await stillGood(registry, dora)).toEqual(NONE);
  expect(await stillGood(registry, await signedIn(registry, "admin", CHANGED))).toEqual(ALL);
  expect(await stillGood(registry, await signedIn(registry, "dora", CHANGED))).toEqual(ALL);
});

test("what was made of a user's password ends when that is another", async () => {
  const registry = await restart(PASSWORDS.admin, entries.dora);
  const admin = basic("admin", PASSWORDS.admin);
  const user = (password: string) =>
    jsonBody({ apiVersion: "iam.entrepot.dev/v1", kind: "User", metadata: { name: "alice" }, spec: { password } });
  expect((await registry.send("POST", `${IAM}/users`, admin, user(PASSWORDS.alice))).status).toBe(201);
  const alice = await signedIn(registry, "alice", PASSWORDS.alice);
  expect(await stillGood(registry, alice)).toEqual(ALL);
  expect((await registry.send("PUT", `${IAM}/users/alice`, admin, user(CHANGED))).status).toBe(200);
  expect(await stillGood(registry, alice)).toEqual(NONE);
});
