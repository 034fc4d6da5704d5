import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { newObjectKey } from "../../src/content/object-key.ts";
import { Maintenance, type MaintenancePorts } from "../../src/operations/index.ts";
import type { Log } from "../../src/platform/index.ts";
import worker from "../../src/worker.ts";
import { bindings } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { createKernel, GRACE, newRepository, pushBlob, quietLog, UPLOAD_LIFETIME } from "./fixture.ts";
import { resourcePlatform } from "./resources/fixture.ts";
import { secretPlatform } from "./secret-fixture.ts";
import { AuditChain } from "../../src/audit/audit-chain.ts";
import { AuditStore } from "../../src/audit/audit-store.ts";

const { DB } = bindings;
const MINUTE = 60_000;
const MIDNIGHT = Date.UTC(2026, 10, 20);

afterEach(() => {
  vi.restoreAllMocks();
});

function createMaintenance(kernel = createKernel(), given: Partial<MaintenancePorts> = {}) {
  const sent: unknown[] = [];
  const send = async (message: unknown) => {
    sent.push(message);
  };
  const { resources } = resourcePlatform({ clock: kernel.clock });
  const maintenance = new Maintenance({
    collector: kernel.collector,
    resources: resources.maintenance,
    usage: resources.usage,
    secrets: secretPlatform().maintenance,
    hasSecretsKey: true,
    queue: { send } as unknown as Pick<Queue, "send">,
    clock: kernel.clock,
    log: quietLog,
    eventRetention: GRACE,
    audit: new AuditChain(new AuditStore(DB)),
    auditRetention: GRACE,
    access: [],
    sync: { tick: async () => false, resume: async () => {}, restart: async () => {}, prune: async () => false },
    ...given,
  });
  /** Does a step and those that it sends. */
  const runAll = async (message: unknown) => {
    let steps = 0;
    for (let next: unknown = message; next !== undefined && steps < 100; next = sent.shift(), steps += 1) {
      await maintenance.run(next);
    }
    return steps;
  };
  return { kernel, maintenance, sent, runAll };
}

async function deliver(queue: string, bodies: readonly unknown[], attempts = 1) {
  const context = createExecutionContext();
  const messages = bodies.map((body, index) => ({ id: String(index), timestamp: new Date(), attempts, body }));
  const batch = createMessageBatch(queue, messages);
  await worker.queue(batch, bindings);
  return getQueueResult(batch, context);
}

describe("the clock", () => {
  it.each([
    [
      "at midnight",
      MIDNIGHT,
      [
        "sync-tick",
        "sync-sweep",
        "seal-audit",
        "sweep",
        "sweep-dependents",
        "expire-objects",
        "prune-secret-audit",
        "compact-changes",
        "collect-secrets",
        "collect-usage",
        "prune-audit",
        "prune-access",
        "prune-sync",
        "reconcile",
        "rewrap-secrets",
        "reencrypt-secrets",
      ],
    ],
    [
      "on the hour",
      MIDNIGHT + 60 * MINUTE,
      [
        "sync-tick",
        "sync-sweep",
        "seal-audit",
        "sweep",
        "sweep-dependents",
        "expire-objects",
        "prune-secret-audit",
        "compact-changes",
        "collect-secrets",
        "collect-usage",
        "prune-audit",
        "prune-access",
        "prune-sync",
      ],
    ],
    [
      "every ten minutes",
      MIDNIGHT + 10 * MINUTE,
      ["sync-tick", "sync-sweep", "seal-audit", "sweep", "sweep-dependents", "expire-objects"],
    ],
    ["every five minutes", MIDNIGHT + 5 * MINUTE, ["sync-tick", "sync-sweep", "seal-audit", "sweep"]],
    ["in between", MIDNIGHT + 7 * MINUTE, ["sync-tick", "sync-sweep", "seal-audit"]],
    ["late in a minute", MIDNIGHT + 5 * MINUTE + 59_999, ["sync-tick", "sync-sweep", "seal-audit", "sweep"]],
  ])("does steps %s, and sends those that fail", async (_, time, types) => {
    const { maintenance, sent } = createMaintenance();
    const done: unknown[] = [];
    const run = vi.spyOn(maintenance, "run").mockImplementation(async (step) => void done.push(step));
    await maintenance.plan(time);
    expect(done).toEqual(types.map((type) => ({ type })));
    expect(sent).toEqual([]);
    run.mockRejectedValue(new Error("the database is down"));
    await maintenance.plan(time);
    expect(sent).toEqual(done);
  });

  it("sends what it has no time for", async () => {
    const { kernel, maintenance, sent } = createMaintenance();
    vi.spyOn(maintenance, "run").mockImplementation(async () => {
      kernel.time.now += 3000;
    });
    await maintenance.plan(MIDNIGHT + 5 * MINUTE);
    expect(sent).toEqual([{ type: "seal-audit" }, { type: "sweep" }]);
  });

  it("sends a step that has more to do from where it is", async () => {
    const prune = vi.fn(async () => true);
    const sync = { tick: async () => false, resume: async () => {}, restart: async () => {}, prune };
    const { maintenance, sent } = createMaintenance(createKernel(), { sync });
    await maintenance.plan(MIDNIGHT + 60 * MINUTE);
    expect(sent).toEqual([{ type: "prune-sync" }]);
    expect(prune).toHaveBeenCalledTimes(1);
  });
});

describe("steps", () => {
  it("sweep until nothing is left to sweep", async () => {
    const { kernel, runAll } = createMaintenance();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, someBytes(10, 41));
    const insert = DB.prepare(
      `INSERT INTO blobs (digest, size, storage_key, created_at, condemned_at)
       SELECT 'sha256:' || printf('%064x', value), 1, 'blobs/aa/' || value, 0, 0 FROM json_each(?1)`,
    );
    await insert.bind(JSON.stringify(Array.from({ length: 1200 }, (_, index) => index))).run();
    kernel.time.now += GRACE + 1;
    expect(await runAll({ type: "sweep" })).toBe(3);
    expect(await DB.prepare("SELECT count(*) AS n FROM blobs WHERE condemned_at = 0").first("n")).toBe(0);
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(false);
  });

  it("reconcile page by page", async () => {
    const { kernel, runAll } = createMaintenance();
    const lost = newObjectKey(kernel.time.now);
    const bytes = someBytes(10, 42);
    const { digest } = await pushBlob(kernel, newRepository(), bytes);
    await kernel.store.write(lost, bytes, { size: 10, digest });
    kernel.time.now += 2 * UPLOAD_LIFETIME + 1;
    await runAll({ type: "reconcile" });
    expect(await kernel.store.stat(lost)).toBeUndefined();
  });

  it("seal the audit until all is sealed, and log its head", async () => {
    const logged: unknown[] = [];
    const log = { ...quietLog, info: (event: string, fields?: object) => logged.push({ event, ...fields }) };
    const kernel = createKernel();
    const { runAll } = createMaintenance(kernel, { log: log as unknown as Log });
    const insert = DB.prepare(
      `INSERT INTO audit_events (occurred_at, request_id, identity, credential_type, verb, api_group, resource, subresource,
         namespace, name, allowed, reason, status)
       SELECT ?1, 'r', 'ann', 'none', 'push', '', '', '', '', '', 1, '', 200 FROM json_each(?2)`,
    );
    await insert.bind(kernel.time.now, JSON.stringify(Array.from({ length: 2001 }, () => 0))).run();
    expect(await runAll({ type: "seal-audit" })).toBe(3);
    kernel.time.now += GRACE + 1;
    expect(await runAll({ type: "prune-audit" })).toBe(1);
    const head = { id: 2001, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string };
    expect(logged).toEqual([{ event: "audit.head", ...head, anchor: head }]);
    expect(await DB.prepare("SELECT count(*) AS n FROM audit_events").first("n")).toBe(0);
  });

  it("forget credentials of each kind when they have been over for long enough", async () => {
    const asked: [string, number][] = [];
    let left = 12_000;
    const kernel = createKernel();
    const { runAll } = createMaintenance(kernel, {
      access: [
        {
          keep: GRACE,
          prune: async (time, limit) => {
            asked.push(["keys", time]);
            const pruned = Math.min(left, limit);
            left -= pruned;
            return pruned;
          },
        },
        { keep: 0, prune: async (time) => asked.push(["sessions", time]) && 0 },
      ],
    });
    expect(await runAll({ type: "prune-access" })).toBe(3);
    expect(left).toBe(0);
    expect(asked.slice(0, 2)).toEqual([
      ["keys", kernel.time.now - GRACE],
      ["sessions", kernel.time.now],
    ]);
  });

  it.each([undefined, null, "sweep", {}, { type: "explode" }, { type: "reconcile", cursor: 1 }])(
    "that are unknown are not taken: %j",
    async (message) => {
      const { maintenance, sent } = createMaintenance();
      expect(maintenance.accepts(message)).toBe(false);
      await expect(maintenance.run(message)).rejects.toThrow();
      expect(sent).toEqual([]);
    },
  );
});

describe("the queue handler", () => {
  const logs = () => vi.spyOn(console, "error").mockImplementation(() => {});
  const lines = (logged: ReturnType<typeof logs>) =>
    logged.mock.calls.map(([line]) => JSON.parse(String(line)) as object);

  it.each(["entrepot-maintenance", "staging-jobs", "entrepot-sync-dead"])(
    "knows messages by their types, whatever the queue is called: %s",
    async (queue) => {
      const logged = logs();
      // The run is none that is there, so its step has nothing to do.
      const result = await deliver(queue, [{ type: "sweep" }, { type: "advance", execution: 999_999 }]);
      expect(result).toMatchObject({ outcome: "ok", explicitAcks: ["0", "1"], retryMessages: [] });
      expect(logged).not.toHaveBeenCalled();
    },
  );

  it.each(["entrepot-maintenance", "entrepot-sync", "staging-entrepot-sync"])(
    "reports what it does not know, and leaves it in its queue: %s",
    async (queue) => {
      const logged = logs();
      const result = await deliver(queue, [{ type: "explode" }, { type: "copy", execution: "one" }, "anything"]);
      expect(result.explicitAcks).toEqual([]);
      expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["0", "1", "2"]);
      const unknown = { level: "error", event: "queue.unknown-message", attempts: 1 };
      expect(lines(logged)).toEqual([
        { ...unknown, id: "0", type: "explode" },
        { ...unknown, id: "1", type: "copy" },
        { ...unknown, id: "2", type: "none" },
      ]);
    },
  );

  it("gives up a step that failed every time, and does not do it", async () => {
    const logged = logs();
    const result = await deliver("staging-entrepot-maintenance", [{ type: "sweep" }], 7);
    expect(result.explicitAcks).toEqual(["0"]);
    expect(lines(logged)).toEqual([{ level: "error", event: "maintenance.gave-up", message: { type: "sweep" } }]);
  });

  it("has a step that failed delivered again, and the others done", async () => {
    const logged = logs();
    const prepare = DB.prepare.bind(DB);
    vi.spyOn(DB, "prepare").mockImplementation((sql) => {
      if (sql.includes("condemned")) throw new Error("database is down");
      return prepare(sql);
    });
    const result = await deliver("entrepot-maintenance", [{ type: "sweep" }, { type: "advance", execution: 999_999 }]);
    expect(result.explicitAcks).toEqual(["1"]);
    expect(result.retryMessages).toMatchObject([{ msgId: "0" }]);
    expect(lines(logged)).toMatchObject([{ event: "queue.message-failed", id: "0", attempts: 1, type: "sweep" }]);
  });
});
