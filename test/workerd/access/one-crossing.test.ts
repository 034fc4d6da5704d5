import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { hashApiKey, newApiKey } from "../../../src/access/api-key.ts";
import { digestBytes } from "../../../src/oci/index.ts";
import { distribution } from "../../../src/distribution/index.ts";
import { servicesOf } from "../../../src/services.ts";
import { bindings } from "../bindings.ts";
import { countedDatabase } from "../sync/counted-database.ts";

const { DB } = bindings;
const ORIGIN = "https://registry.example";
const ADMIN_PASSWORD = "correct horse battery staple";
const BASIC = `Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}`;
const PRIVATE = "team/app";
const PUBLIC = "open/app";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** Longer than lookups and rights are remembered, and shorter than credentials are. */
const A_WHILE = 10_000;
/** Longer than credentials are remembered, and shorter than that a password was right. */
const LONG = 100_000;

const { database, counted } = countedDatabase(DB);
const env = { ...bindings, DB: database as D1Database, ACCESS: "closed", ADMIN_PASSWORD, EDGE_CACHE: "false" };
const services = servicesOf(env);

const blob = new TextEncoder().encode("{}");
const blobDigest = digestBytes("sha256", blob);
const descriptor = { mediaType: "application/vnd.oci.image.config.v1+json", digest: blobDigest, size: blob.byteLength };
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: descriptor, layers: [] });
const manifestDigest = digestBytes("sha256", new TextEncoder().encode(manifest));

/** What is pulled. */
const PATHS = [`manifests/latest`, `manifests/${manifestDigest}`, `blobs/${blobDigest}`];
const PULLS = ["HEAD", "GET"].flatMap((method) => PATHS.map((path) => [method, path] as const));

const wait = (duration: number) => vi.setSystemTime(Date.now() + duration);

async function ask(method: string, path: string, authorization?: string, body?: string | Uint8Array) {
  const headers = { ...(authorization && { authorization }), "content-type": MANIFEST_TYPE };
  const before = counted.calls;
  const response = await distribution(
    services.distribution,
    new Request(`${ORIGIN}/v2/${path}`, { method, headers, ...(body !== undefined && { body: body as string }) }),
  );
  await response.arrayBuffer();
  return { status: response.status, calls: counted.calls - before };
}

async function token(repository: string): Promise<string> {
  const url = `${ORIGIN}/auth/token?service=entrepot&scope=repository:${repository}:pull`;
  const answer = await services.access.tokens(new Request(url, { headers: { authorization: BASIC } }));
  return `Bearer ${(await answer.json<{ token: string }>()).token}`;
}

async function apiKey(): Promise<string> {
  const { id, text } = newApiKey();
  await DB.batch([
    DB.prepare(
      "INSERT INTO access_keys (id, identity, name, hash, created_at, created_by) VALUES (?1, 'admin', 'k', ?2, ?3, 'admin')",
    ).bind(id, await hashApiKey(text), Date.now()),
    DB.prepare("UPDATE access_generation SET generation = generation + 1"),
  ]);
  return `Bearer ${text}`;
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await DB.prepare(
    `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
     VALUES ('', 'namespaces', '', 'open', 'open', 1, '{"metadata":{"name":"open"},"spec":{"visibility":"public"}}')`,
  ).run();
  for (const repository of [PRIVATE, PUBLIC]) {
    await ask("POST", `${repository}/blobs/uploads/?digest=${blobDigest}`, BASIC, blob);
    expect((await ask("PUT", `${repository}/manifests/latest`, BASIC, manifest)).status).toBe(201);
  }
});
afterAll(() => void vi.useRealTimers());

it.each(PULLS)("asks the database once, whoever is known and nothing else is: %s %s", async (method, path) => {
  const credentials = [BASIC, await token(PRIVATE), await apiKey()];
  wait(A_WHILE);
  for (const credential of credentials) {
    await ask(method, `${PRIVATE}/${path}`, credential);
    wait(A_WHILE);
    expect(await ask(method, `${PRIVATE}/${path}`, credential)).toEqual({ status: 200, calls: 1 });
    expect(await ask(method, `${PRIVATE}/${path}`, credential)).toEqual({ status: 200, calls: 0 });
  }
});

it.each(PULLS)("asks once for anybody, of what is public: %s %s", async (method, path) => {
  await ask(method, `${PUBLIC}/${path}`);
  wait(LONG);
  expect(await ask(method, `${PUBLIC}/${path}`)).toEqual({ status: 200, calls: 1 });
});

it.each(PULLS)("asks once with a token that is seen for the first time: %s %s", async (method, path) => {
  const fresh = await token(PRIVATE);
  wait(A_WHILE);
  expect(await ask(method, `${PRIVATE}/${path}`, fresh)).toEqual({ status: 200, calls: 1 });
});

// Whose key it is stands in its row, and whether a password is right is known when it was compared with what was read.
it.each(PULLS)("asks twice with a password or key that is seen for the first time: %s %s", async (method, path) => {
  wait(LONG);
  expect(await ask(method, `${PRIVATE}/${path}`, BASIC)).toEqual({ status: 200, calls: 2 });
  const key = await apiKey();
  wait(A_WHILE);
  await ask("HEAD", `${PRIVATE}/${path}`, BASIC);
  expect(await ask(method, `${PRIVATE}/${path}`, key)).toEqual({ status: 200, calls: 2 });
});

it("looks nothing up for those who may not have it, or whose credential is wrong", async () => {
  await ask("HEAD", `${PUBLIC}/${PATHS[0]}`);
  wait(A_WHILE);
  expect(await ask("HEAD", `${PRIVATE}/${PATHS[0]}`)).toEqual({ status: 401, calls: 1 });
  expect(await ask("HEAD", `${PRIVATE}/${PATHS[0]}`)).toEqual({ status: 401, calls: 0 });
  const forged = `${(await token(PRIVATE)).slice(0, -8)}AAAAAAAA`;
  expect(await ask("HEAD", `${PRIVATE}/${PATHS[0]}`, forged)).toEqual({ status: 401, calls: 0 });
});

it("answers the same of what is there and what is not to those who may not know, and remembers nothing for them", async () => {
  const elsewhere = await token(PUBLIC);
  wait(A_WHILE);
  const there = await ask("GET", `${PRIVATE}/${PATHS[0]}`, elsewhere);
  expect(there.status).toBe(401);
  expect(await ask("GET", `${PRIVATE}/manifests/none`, elsewhere)).toMatchObject({ status: 401 });
  await ask("HEAD", `${PUBLIC}/${PATHS[0]}`, BASIC);
  expect(await ask("GET", `${PRIVATE}/${PATHS[0]}`, BASIC)).toEqual({ status: 200, calls: 1 });
});

it("has what a revoked key asks for looked up, and not given out", async () => {
  const key = await apiKey();
  expect((await ask("GET", `${PRIVATE}/${PATHS[0]}`, key)).status).toBe(200);
  await DB.batch([
    DB.prepare("UPDATE access_keys SET revoked_at = ?1").bind(Date.now()),
    DB.prepare("UPDATE access_generation SET generation = generation + 1"),
  ]);
  wait(A_WHILE);
  expect((await ask("GET", `${PRIVATE}/${PATHS[0]}`, key)).status).toBe(401);
});
