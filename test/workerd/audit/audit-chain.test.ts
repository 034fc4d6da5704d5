import { beforeEach, describe, expect, it } from "vitest";
import { bindings } from "../bindings.ts";
import { audited } from "./audit-rows.ts";
import { AuditChain } from "../../../src/audit/audit-chain.ts";
import { AuditStore } from "../../../src/audit/audit-store.ts";

const { DB } = bindings;
const store = new AuditStore(DB);
const chain = new AuditChain(store);
const LATER = Date.UTC(2100, 0, 1);

beforeEach(async () => {
  await DB.batch([
    DB.prepare("DELETE FROM audit_events"),
    DB.prepare("DELETE FROM sqlite_sequence WHERE name = 'audit_events'"),
    DB.prepare("DELETE FROM instance WHERE name LIKE 'audit-%'"),
  ]);
});

/** Writes events, one a second, and seals them. */
async function sealed(count: number): Promise<void> {
  await store.append(Array.from({ length: count }, (_, index) => audited({ occurredAt: index * 1000 })));
  while (await chain.seal());
}

const run = (sql: string) => DB.prepare(sql).run();
const hashes = async () => (await DB.prepare("SELECT hash FROM audit_events ORDER BY id").all()).results;

describe("the chain", () => {
  it("holds when nothing is in it", async () => {
    expect(await chain.seal()).toBe(false);
    expect(await chain.verify()).toMatchObject({ checked: 0, unsealed: 0, last: { id: 0 } });
  });

  it("holds over what is sealed, and waits for what is not", async () => {
    await sealed(5);
    await store.append([audited(), audited()]);
    const verified = await chain.verify();
    expect(verified).toMatchObject({ checked: 5, unsealed: 2, last: { id: 5 } });
    expect(verified.break).toBeUndefined();
    expect((await chain.ends()).head).toEqual(verified.last);
  });

  it("is the same, however many seal it at once", async () => {
    await store.append(Array.from({ length: 1500 }, () => audited()));
    await Promise.all(Array.from({ length: 4 }, () => chain.seal()));
    await Promise.all(Array.from({ length: 4 }, () => chain.seal()));
    expect(await chain.verify()).toMatchObject({ checked: 1500, unsealed: 0 });
  });

  it("does not change when it is sealed again by someone who was late", async () => {
    await store.append([audited(), audited()]);
    const late = await store.unsealed(10);
    await chain.seal();
    const before = await hashes();
    await store.append([audited()]);
    await chain.seal();
    await store.seal(late.rows.map(({ id }) => ({ id, hash: "f".repeat(64) })));
    expect((await hashes()).slice(0, 2)).toEqual(before);
    expect((await chain.verify()).break).toBeUndefined();
  });

  it.each([
    ["a changed name", "UPDATE audit_events SET name = 'other' WHERE id = 3", { id: 3, reason: "changed" }],
    ["a changed time", "UPDATE audit_events SET occurred_at = 1 WHERE id = 3", { id: 3, reason: "changed" }],
    ["a refusal made good", "UPDATE audit_events SET allowed = 0 WHERE id = 3", { id: 3, reason: "changed" }],
    ["an address taken out", "UPDATE audit_events SET address = NULL WHERE id = 3", { id: 3, reason: "changed" }],
    ["another hash", "UPDATE audit_events SET hash = 'f' WHERE id = 3", { id: 3, reason: "changed" }],
    ["a seal taken off", "UPDATE audit_events SET hash = NULL WHERE id = 3", { id: 3, reason: "changed" }],
    ["all seals taken off", "UPDATE audit_events SET hash = NULL WHERE id >= 3", { id: 3, reason: "head" }],
    ["a row that is gone", "DELETE FROM audit_events WHERE id = 3", { id: 3, reason: "missing" }],
    ["the first rows gone", "DELETE FROM audit_events WHERE id < 3", { id: 1, reason: "missing" }],
    ["the last rows gone", "DELETE FROM audit_events WHERE id > 3", { id: 4, reason: "missing" }],
    ["all rows gone", "DELETE FROM audit_events", { id: 1, reason: "missing" }],
    [
      "rows that changed places",
      "UPDATE audit_events SET id = 1000 - id WHERE id IN (2, 5); UPDATE audit_events SET id = id - 993 WHERE id > 900",
      { id: 2, reason: "changed" },
    ],
    [
      "the head moved back",
      "UPDATE instance SET value = json_set(value, '$.id', 2) WHERE name = 'audit-head'",
      { id: 2, reason: "head" },
    ],
    ["the head gone", "DELETE FROM instance WHERE name = 'audit-head'", { id: 0, reason: "head" }],
    [
      "the beginning moved",
      "INSERT INTO instance VALUES ('audit-anchor', json_object('id', 2, 'hash', 'f'))",
      { id: 3, reason: "missing" },
    ],
  ])("shows %s", async (_, sql, broken) => {
    await sealed(6);
    for (const statement of sql.split("; ")) await run(statement);
    expect((await chain.verify()).break).toEqual(broken);
  });

  it("shows rows that went before they were sealed", async () => {
    await sealed(2);
    await store.append([audited(), audited(), audited()]);
    await run("DELETE FROM audit_events WHERE id = 4");
    expect((await chain.verify()).break).toEqual({ id: 4, reason: "missing" });
    await chain.seal();
    expect((await chain.verify()).break).toEqual({ id: 4, reason: "missing" });
  });

  it("has no gap where a write failed", async () => {
    await store.append([audited()]);
    const wrong = { ...audited(), status: null } as unknown as ReturnType<typeof audited>;
    await expect(store.append([audited(), wrong])).rejects.toThrow();
    await store.append([{ ...audited(), name: "another" }]);
    expect((await chain.verify()).break).toBeUndefined();
    await chain.seal();
    expect(await chain.verify()).toMatchObject({ checked: 2, last: { id: 2 } });
  });

  it("is checked in steps", async () => {
    await sealed(20_500);
    const first = await chain.verify();
    expect(first).toMatchObject({ checked: 20_000, next: { id: 20_000 } });
    const second = await chain.verify(first.next);
    expect(second).toMatchObject({ checked: 500, last: { id: 20_500 } });
    expect(second.next ?? second.break).toBeUndefined();
    await run("UPDATE audit_events SET name = 'other' WHERE id = 20400");
    expect((await chain.verify(first.next)).break).toEqual({ id: 20_400, reason: "changed" });
    // Who claims to have seen other rows is not believed.
    expect((await chain.verify({ id: 100, hash: "f".repeat(64) })).break).toEqual({ id: 101, reason: "changed" });
    expect((await chain.verify({ id: 99_999, hash: "f".repeat(64) })).break).toBeDefined();
  });
});

describe("retention", () => {
  it("forgets the oldest and holds from there on", async () => {
    await sealed(10);
    expect(await chain.prune(4000, 100)).toBe(4);
    const { anchor } = await chain.ends();
    expect(anchor.id).toBe(4);
    expect(await chain.verify()).toMatchObject({ checked: 6, last: { id: 10 } });
    await run("DELETE FROM audit_events WHERE id = 5");
    expect((await chain.verify()).break).toEqual({ id: 5, reason: "missing" });
  });

  it("goes on where a check was when it forgot", async () => {
    await sealed(10);
    const { hash } = (await store.get(2)) ?? {};
    await chain.prune(5000, 100);
    const verified = await chain.verify({ id: 2, hash: hash ?? "" });
    expect(verified).toMatchObject({ checked: 5, last: { id: 10 } });
    expect(verified.break).toBeUndefined();
  });

  it("forgets so many at a time, and nothing twice", async () => {
    await sealed(10);
    expect(await chain.prune(LATER, 7)).toBe(7);
    const counts = await Promise.all([chain.prune(LATER, 7), chain.prune(LATER, 7)]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(3);
    expect((await chain.verify()).break).toBeUndefined();
    await sealed(3);
    expect(await chain.verify()).toMatchObject({ checked: 3, last: { id: 13 } });
  });

  it("never forgets what is not sealed, nor what is younger, nor out of order", async () => {
    await store.append([audited({ occurredAt: 0 })]);
    expect(await chain.prune(LATER, 10)).toBe(0);
    await run("DELETE FROM audit_events");
    await run("DELETE FROM sqlite_sequence WHERE name = 'audit_events'");
    await store.append([0, 9000, 1000].map((occurredAt) => audited({ occurredAt })));
    await chain.seal();
    expect(await chain.prune(5000, 10)).toBe(1);
    expect(await chain.prune(5000, 10)).toBe(0);
    expect((await chain.verify()).break).toBeUndefined();
  });
});
