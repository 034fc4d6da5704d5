import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { executionHub, ExecutionStore, LogStore } from "../../../src/sync/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

const hub = executionHub(bindings.EXECUTION_HUB, quietLog);
const executions = new ExecutionStore(bindings.DB, Date.now);
const logs = new LogStore(bindings.DB);

let runs = 0;

async function newRun(namespace: string) {
  runs += 1;
  const about = {
    namespace,
    task: `task-${runs}`,
    taskUid: crypto.randomUUID(),
    cause: "manual",
    actor: "alice",
  } as const;
  const begun = await executions.begin(about);
  if (begun.outcome !== "begun") throw new Error(begun.outcome);
  return begun.execution;
}

interface Told {
  readonly type: string;
  readonly seq: number;
  readonly execution_id?: number;
  readonly message?: string;
  readonly data?: Record<string, unknown>;
}

/** A client of the live channel, and all that it was told. */
async function client(options: Parameters<typeof hub.connect>[0] = {}) {
  const response = await hub.connect(options);
  const socket = response.webSocket;
  if (socket === null) throw new Error("no socket");
  const told: Told[] = [];
  socket.addEventListener("message", ({ data }) => void told.push(JSON.parse(String(data)) as Told));
  socket.accept();
  return { told, socket };
}

describe("the hub of runs", () => {
  it("adds up what is reported, writes it, and tells clients", async () => {
    const { id } = await newRun("team-a");
    const { told } = await client();
    await hub.report(id, { counts: { blobsTotal: 2, bytesTotal: 100 } });
    await hub.report(id, {
      counts: { blobsCopied: 1, bytesCopied: 40 },
      lines: [{ at: 1000, level: "warn", message: "slow" }],
    });
    await hub.tell(id);
    expect(await executions.get(id)).toMatchObject({ blobsTotal: 2, blobsCopied: 1, bytesTotal: 100, bytesCopied: 40 });
    expect(await logs.list(id, { limit: 10 })).toMatchObject([{ level: "warn", message: "slow", at: 1000 }]);
    await expect.poll(() => told.map(({ type }) => type)).toEqual(["hello", "log", "progress"]);
    expect(told[1]).toMatchObject({ execution_id: id, level: "warn", message: "slow" });
    expect(told[2]).toMatchObject({
      execution_id: id,
      data: { status: "pending", total_blobs: 2, synced_blobs: 1, total_bytes: 100, copied_bytes: 40 },
    });
  });

  it("writes within a second by itself", async () => {
    const { id } = await newRun("team-a");
    await hub.report(id, { counts: { blobsTotal: 1 } });
    await expect.poll(async () => (await executions.get(id))?.blobsTotal).toBe(1);
  });

  it("tells a client of the namespaces only that it may see, also when it comes back", async () => {
    const [own, other] = [await newRun("team-b"), await newRun("team-c")];
    const { told } = await client({ namespaces: ["team-b"] });
    await hub.tell(other.id);
    await hub.tell(own.id);
    await expect.poll(() => told.length).toBe(2);
    expect(told[1]).toMatchObject({ execution_id: own.id });
    const again = await client({ namespaces: ["team-b"], since: 0 });
    await expect.poll(() => again.told.length).toBe(2);
    expect(again.told.filter(({ execution_id: run }) => run === other.id)).toEqual([]);
    const one = await client({ execution: other.id, since: 0 });
    await expect.poll(() => one.told.length).toBe(2);
    expect(one.told[1]).toMatchObject({ execution_id: other.id });
    const nobody = await client({ namespaces: [], since: 0 });
    await expect.poll(() => nobody.told.length).toBe(1);
  });

  it("tells nobody for longer than an hour, whose rights may have gone", async () => {
    const { id } = await newRun("team-e");
    const { told, socket } = await client({ namespaces: ["team-e"] });
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener("close", ({ code }) => resolve(code));
    });
    const stub = bindings.EXECUTION_HUB.get(bindings.EXECUTION_HUB.idFromName("hub"));
    await runInDurableObject(stub, (_hub, state) => {
      for (const each of state.getWebSockets()) {
        const attachment = each.deserializeAttachment() as { until: number };
        expect(attachment.until).toBeLessThanOrEqual(Date.now() + 3_600_000);
        each.serializeAttachment({ ...attachment, until: Date.now() - 1 });
      }
    });
    await hub.tell(id);
    expect(await closed).toBe(1013);
    expect(told.map(({ type }) => type)).toEqual(["hello"]);
  });

  it("says how far back it remembers", async () => {
    const { id } = await newRun("team-f");
    await hub.tell(id);
    const { told } = await client({ namespaces: [] });
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]).toMatchObject({ type: "hello", oldest: 1, seq: expect.any(Number) });
  });

  it("tells who comes back what was missed, also after a restart", async () => {
    const { id } = await newRun("team-d");
    const { told, socket } = await client({ namespaces: ["team-d"] });
    await hub.tell(id);
    await expect.poll(() => told.length).toBe(2);
    socket.close();
    await hub.report(id, { lines: [{ at: 1, level: "info", message: "meanwhile" }] });
    await hub.tell(id);
    await evictDurableObject(bindings.EXECUTION_HUB.get(bindings.EXECUTION_HUB.idFromName("hub")));
    const again = await client({ namespaces: ["team-d"], since: told[1]?.seq ?? 0 });
    await expect.poll(() => again.told.map(({ type }) => type)).toEqual(["hello", "log", "progress"]);
    expect(again.told[1]?.message).toBe("meanwhile");
  });
});
