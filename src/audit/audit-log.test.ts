import { describe, expect, it, vi } from "vitest";
import type { Log } from "../platform/index.ts";
import { ANONYMOUS, repositoryEntry } from "../access/index.ts";
import type { AuditDraft } from "./audit-record.ts";
import { AuditLog, type AuditLogPorts } from "./audit-log.ts";

const ANN = { name: "ann", credential: { type: "password" } } as const;

function createAudit(given: Partial<AuditLogPorts> = {}) {
  const time = { now: 1_000_000 };
  const batches: (readonly AuditDraft[])[] = [];
  const pending: Promise<unknown>[] = [];
  const error = vi.fn();
  const audit = new AuditLog({
    store: {
      append: async (drafts) => {
        batches.push([...drafts]);
      },
    },
    clock: () => time.now,
    log: { debug() {}, info() {}, warn() {}, error } satisfies Log,
    background: (work) => pending.push(work),
    requestId: () => "r1",
    clientAddress: ({ headers }) => headers.get("x-test-address") ?? undefined,
    accountExists: async (name) => name === "ann",
    reads: false,
    ...given,
  });
  const settle = async (): Promise<AuditDraft[]> => {
    for (let work = pending.shift(); work !== undefined; work = pending.shift()) await work;
    return batches.flat();
  };
  return { audit, time, batches, settle, error };
}

function from(address?: string): Request {
  return new Request("http://registry/", {
    headers: {
      authorization: "Basic YW5uOmh1bnRlcjI=",
      cookie: "session=hunter2",
      ...(address === undefined ? {} : { "x-test-address": address }),
    },
  });
}

const outcome = (allowed: boolean) => ({ decision: { allowed, reason: "r" }, status: allowed ? 201 : 403 });
const push = (name = "a/b") => repositoryEntry(ANN, "push", name, outcome(true));
const refused = (name = "a/b") => repositoryEntry(ANN, "push", name, outcome(false));
const failed = { credential: { type: "password" }, reason: "wrong-password", status: 401 } as const;

describe("record", () => {
  it("writes what one request tells at once as one change, in its order", async () => {
    const { audit, batches, settle } = createAudit();
    const request = from();
    for (const name of ["a/1", "a/2", "a/3"]) audit.record(request, push(name));
    expect(batches).toEqual([]);
    expect((await settle()).map(({ name }) => name)).toEqual(["a/1", "a/2", "a/3"]);
    expect(batches).toHaveLength(1);
  });

  it("writes what comes while it writes, and what comes later", async () => {
    const written: string[] = [];
    const request = from();
    const { audit, settle } = createAudit({
      store: {
        append: async (drafts) => {
          if (written.length === 0) audit.record(request, push("a/2"));
          written.push(...drafts.map(({ name }) => name));
        },
      },
    });
    audit.record(request, push("a/1"));
    await settle();
    audit.record(request, push("a/3"));
    await settle();
    expect(written).toEqual(["a/1", "a/2", "a/3"]);
  });

  it("leaves out reads, unless they are wanted", async () => {
    const pull = repositoryEntry(ANN, "pull", "a/b", outcome(true));
    for (const reads of [false, true]) {
      const { audit, settle } = createAudit({ reads });
      audit.record(from(), pull);
      expect(await settle()).toHaveLength(reads ? 1 : 0);
    }
  });

  it("never throws, and logs what could not be written", async () => {
    const { audit, settle, error } = createAudit({
      store: { append: async () => Promise.reject(new Error("database is down")) },
    });
    audit.record(from(), push());
    await settle();
    expect(error).toHaveBeenCalledWith("audit.failed", expect.objectContaining({ id: "r1" }));
    const broken = createAudit({
      requestId: () => {
        throw new Error("no");
      },
    });
    broken.audit.record(from(), push());
    expect(broken.error).toHaveBeenCalledOnce();
  });

  it("holds a flood of refusals back, and notes how many there were", async () => {
    const { audit, settle, time } = createAudit();
    for (let index = 0; index < 500; index += 1) audit.record(from(), refused());
    audit.record(from(), push());
    expect(await settle()).toHaveLength(61);
    time.now += 60_000;
    audit.record(from(), push());
    const rows = await settle();
    expect(rows.slice(61).map(({ reason, allowed }) => [reason, allowed])).toEqual([
      ["suppressed:440", false],
      ["r", true],
    ]);
  });
});

describe("recordNow", () => {
  it("has written when it is done", async () => {
    const { audit, batches } = createAudit();
    await audit.recordNow(from(), push());
    expect(batches.flat()).toHaveLength(1);
  });

  it("fails if it could not be noted", async () => {
    const { audit, error } = createAudit({
      store: { append: async () => Promise.reject(new Error("database is down")) },
    });
    await expect(audit.recordNow(from(), push())).rejects.toThrow("database is down");
    expect(error).toHaveBeenCalledOnce();
  });
});

describe("recordFailedSignIn", () => {
  it.each([
    ["ann", "ann"],
    ["hunter2", "(unknown)"],
    [undefined, "(unknown)"],
  ])("of %s is of %s", async (account, name) => {
    const { audit, settle } = createAudit();
    audit.recordFailedSignIn(from(), { ...failed, ...(account === undefined ? {} : { account }) });
    const rows = await settle();
    expect(rows).toMatchObject([{ identity: ANONYMOUS, verb: "login", resource: "sessions", name, allowed: false }]);
    expect(JSON.stringify(rows)).not.toMatch(/hunter2|YW5u/);
  });

  it("does not know the account if that could not be read", async () => {
    const { audit, settle, error } = createAudit({ accountExists: async () => Promise.reject(new Error("down")) });
    audit.recordFailedSignIn(from(), { ...failed, account: "ann" });
    expect(await settle()).toMatchObject([{ name: "(unknown)" }]);
    expect(error).toHaveBeenCalledOnce();
  });

  it("counts by the network it comes from", async () => {
    const accountExists = vi.fn(async () => true);
    const { audit, settle } = createAudit({ accountExists });
    for (let index = 0; index < 100; index += 1) {
      audit.recordFailedSignIn(from(`2001:db8:0:1::${index.toString(16)}`), { ...failed, account: "ann" });
    }
    audit.recordFailedSignIn(from("2001:db8:0:2::1"), { ...failed, account: "ann" });
    expect(await settle()).toHaveLength(61);
    expect(accountExists).toHaveBeenCalledTimes(61);
  });

  it("holds back who comes from everywhere", async () => {
    const { audit, settle } = createAudit();
    for (let index = 0; index < 1200; index += 1) {
      audit.recordFailedSignIn(from(`10.0.${index >> 8}.${index & 255}`), failed);
    }
    expect(await settle()).toHaveLength(1000);
  });
});
