import { afterEach, expect, it, vi } from "vitest";
import { newObjectKey } from "../../src/content/object-key.ts";
import { ResourceStore } from "../../src/resources/storage/resource-store.ts";
import { servicesOf } from "../../src/services.ts";
import { bindings } from "./bindings.ts";
import { countedDatabase } from "./sync/counted-database.ts";

// Ten thousand rows of each table are written first.
vi.setConfig({ testTimeout: 300_000 });
afterEach(() => void vi.useRealTimers());

const { DB } = bindings;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** All steps of the clock. */
const STEPS = [
  "sync-tick",
  "sync-sweep",
  "seal-audit",
  "sweep",
  "sweep-dependents",
  "expire-objects",
  "prune-secret-audit",
  "collect-secrets",
  "rewrap-secrets",
  "reencrypt-secrets",
  "compact-changes",
  "collect-usage",
  "prune-audit",
  "prune-access",
  "prune-sync",
  "reconcile",
];

/** Objects of the store: `reconcile` lists them all, and looks each up. */
const OBJECTS = 20;
const SECRETS_KEY = `now:${new Uint8Array(32).fill(7).toBase64()}`;

/** The whole platform, over a database that counts rows, and with a queue that keeps its messages. */
function platform() {
  const { database, counted } = countedDatabase(DB);
  const sent: unknown[] = [];
  const queue = { send: async (message: unknown) => void sent.push(message) } as unknown as Queue;
  const { maintenance } = servicesOf({
    ...bindings,
    DB: database as D1Database,
    MAINTENANCE: queue,
    SYNC: queue,
    SECRETS_KEY,
  });
  const settle = async () => {
    for (let next = sent.shift(); next !== undefined; next = sent.shift()) await maintenance.run(next);
  };
  return { maintenance, store: new ResourceStore(database, Date.now), counted, sent, settle };
}

/** Fills each table with rows `from` to `to`: none of them is left to be cleaned up. */
async function fill(from: number, to: number): Promise<void> {
  const old = Date.now() - 2 * HOUR;
  const later = Date.now() + HOUR;
  const rows = `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to})`;
  const object = `json_object('metadata', json_object('name', 'o' || i, 'finalizers', json_array('x')))`;
  const digest = `'sha256:' || printf('%064x', i)`;
  const task = `json_object('metadata', json_object('name', 't' || i, 'creationTimestamp', '2026-01-01T00:00:00Z'),
    'spec', json_object('enabled', json('true'), 'schedule', json_object('interval', '1h')))`;
  const id = `printf('%036d', i)`;
  const secret = `json_object('metadata', json_object('name', 'token', 'annotations',
    json_object('secret.entrepot.dev/current', '1/' || ${id})))`;
  const repository = "(SELECT id FROM repositories WHERE name = 'team/' || (i % 10))";
  const statements = [
    `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
     ${rows} SELECT 'g.dev', 'tasks', 'team', 'o' || i, 'u' || i, i + 1, ${object} FROM n`,
    `INSERT INTO resource_owners (owner_uid, uid) ${rows} SELECT 'u0', 'u' || i FROM n WHERE i > 0`,
    `INSERT INTO resource_events (api_group, resource, namespace, name, type, object, occurred_at)
     ${rows} SELECT 'g.dev', 'tasks', 'team', 'o' || i, 'ADDED', ${object}, ${old} FROM n`,
    `INSERT INTO resource_events (api_group, resource, namespace, name, type, object, occurred_at)
     ${rows} SELECT 'coordination.k8s.io', 'leases', 'team', 'o' || i, 'ADDED', ${object}, ${old} FROM n`,
    `INSERT INTO repositories (name, namespace, created_at)
     ${rows} SELECT 'team/' || i, 'team', ${old} FROM n WHERE i < 10`,
    `INSERT INTO blobs (digest, size, storage_key, created_at) ${rows} SELECT ${digest}, 1, 'k' || i, ${old} FROM n`,
    `INSERT INTO repository_blobs (repository_id, digest, linked_at) ${rows} SELECT ${repository}, ${digest}, ${old} FROM n`,
    `INSERT INTO manifests (repository_id, digest, media_type, pushed_at)
     ${rows} SELECT ${repository}, ${digest}, 'm', ${old} FROM n`,
    `INSERT INTO tags (repository_id, name, digest, updated_at)
     ${rows} SELECT ${repository}, 't' || i, ${digest}, ${old} FROM n`,
    `INSERT INTO audit_events (occurred_at, request_id, identity, credential_type, verb, api_group, resource, subresource,
       namespace, name, allowed, reason, status)
     ${rows} SELECT ${old}, 'r' || i, 'ann', 'none', 'push', '', '', '', '', '', 1, '', 200 FROM n`,
    `INSERT INTO secret_audit (occurred_at, service, namespace, name, outcome)
     ${rows} SELECT ${old}, 's', 'team', 'o', 'ok' FROM n`,
    `INSERT INTO access_keys (id, identity, name, hash, created_at, created_by, expires_at)
     ${rows} SELECT 'k' || i, 'ann', 'k', 'h', ${old}, 'ann', ${later} FROM n`,
    `INSERT INTO access_sessions (id, hash, identity, credential, created_at, expires_at)
     ${rows} SELECT 's' || i, 'h' || i, 'ann', 'c', ${old}, ${later} FROM n`,
    `INSERT INTO access_refresh_tokens (id, hash, identity, credential_type, service, client_id, created_at, expires_at)
     ${rows} SELECT 's' || i, 'h' || i, 'ann', 'key', 's', 'c', ${old}, ${later} FROM n`,
    `INSERT INTO sync_executions (uid, namespace, task, task_uid, cause, actor, dry_run, state, created_at, ended_at,
       heartbeat_at, created_rv, rv)
     ${rows} SELECT 'e' || i, 'team', 't', 't' || (i % 10), 'manual', 'ann', 0, 'succeeded', ${old}, ${old}, ${old}, 1, 1 FROM n`,
    `INSERT INTO sync_items (execution, repository, tag, digest, targets, state)
     ${rows} SELECT (SELECT max(id) FROM sync_executions), 'r', 't' || i, 'd', '[]', 'copied' FROM n`,
    `INSERT INTO sync_checks (task_uid, image, checked_at) ${rows} SELECT 't', 'i' || i, ${old} FROM n`,
    `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
     ${rows} SELECT 'sync.entrepot.dev', 'synctasks', 'team', 't' || i, 't' || i, i + 1, ${task} FROM n`,
    // As the clock left them.
    `UPDATE sync_due SET due_at = ${later}, look_at = ${later}`,
    `INSERT INTO secret_data_keys (id, namespace, master_key, wrapped, created_at)
     ${rows} SELECT 'd' || i, 'team-' || i, 'now', 'w', ${old} FROM n`,
    `INSERT INTO secret_values (id, namespace, name, version, data_key, ciphertext, created_at)
     ${rows} SELECT ${id}, 'team-' || i, 'token', 1, 'd' || i, 'c', ${old} FROM n`,
    `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
     ${rows} SELECT 'secret.entrepot.dev', 'securevalues', 'team-' || i, 'token', 'v' || i, i + 1, ${secret} FROM n`,
  ];
  for (const sql of statements) await DB.prepare(sql).run();
}

/** Puts objects into the store that are old enough to be looked at. */
async function fillStore(): Promise<void> {
  for (let index = 0; index < OBJECTS; index += 1) {
    const key = newObjectKey(Date.now() - 30 * 24 * HOUR);
    await bindings.BLOBS.put(key, "x");
    await DB.prepare("INSERT INTO blobs (digest, size, storage_key, created_at) VALUES (?1, 1, ?2, 0)")
      .bind(`sha256:stored${index}`, key)
      .run();
  }
}

it("sends nothing on a day on which nothing happens", async () => {
  const { maintenance, sent } = platform();
  const midnight = Math.floor(Date.now() / (24 * HOUR)) * 24 * HOUR;
  // A clock that stands: a tick ends early where the machine is slow, and sends the rest.
  vi.useFakeTimers({ toFake: ["Date"], now: midnight });
  // Of the other hours only the first minute has something that the first hour has not.
  const minutes = [
    ...Array.from({ length: 60 }, (_, minute) => minute),
    ...Array.from({ length: 23 }, (_, n) => 60 * (n + 1)),
  ];
  for (const minute of minutes) {
    vi.setSystemTime(midnight + minute * MINUTE);
    await maintenance.plan(midnight + minute * MINUTE);
  }
  expect(sent).toEqual([]);
});

it("reads as few rows of large tables as of small ones, when there is nothing to do", async () => {
  const { maintenance, store, counted, sent, settle } = platform();
  const rowsRead = async (): Promise<Record<string, number>> => {
    const rows: Record<string, number> = {};
    for (const type of STEPS) {
      const before = counted.rows;
      await maintenance.run({ type });
      rows[type] = counted.rows - before;
    }
    const before = counted.rows;
    const page = { namespace: "team", labels: [], fields: [], limit: 10 };
    expect((await store.list({ group: "g.dev", plural: "tasks" }, page)).items).toHaveLength(10);
    rows["a page of a list"] = counted.rows - before;
    const everywhere = { labels: [], fields: [], limit: 10 };
    const values = await store.list({ group: "secret.entrepot.dev", plural: "securevalues" }, everywhere);
    expect(values.items).toHaveLength(10);
    rows["a page of all namespaces"] = counted.rows - before;
    expect(sent).toEqual([]);
    return rows;
  };
  /** What was written is work once. */
  const workOff = async () => {
    for (const type of STEPS) await maintenance.run({ type });
    await settle();
  };
  await fillStore();
  await fill(0, 100);
  await workOff();
  const small = await rowsRead();
  await fill(100, 10_000);
  await workOff();
  const large = await rowsRead();
  expect(large).toEqual(small);
});
