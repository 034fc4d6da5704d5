import { beforeEach, describe, expect, it } from "vitest";
import { requestIds } from "../../../src/http/index.ts";
import { accessEntry, ANONYMOUS, repositoryEntry } from "../../../src/access/index.ts";
import { clientAddress } from "../../../src/platform/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";
import { AuditStore } from "../../../src/audit/audit-store.ts";
import { AuditLog } from "../../../src/audit/audit-log.ts";

const { DB } = bindings;
const NOW = Date.UTC(2026, 0, 1);
const PASSWORD = "correct-horse-battery";
const KEY = `ent_abcdefgh2345_${"S".repeat(43)}`;

beforeEach(async () => {
  await DB.prepare("DELETE FROM audit_events").run();
});

function createAudit() {
  const pending: Promise<unknown>[] = [];
  const audit = new AuditLog({
    store: new AuditStore(DB),
    clock: () => NOW,
    log: quietLog,
    background: (work) => pending.push(work),
    requestId: requestIds({ cloudflare: false, clock: () => NOW }),
    clientAddress: clientAddress("x-forwarded-for"),
    accountExists: async (name) => name === "ann",
    reads: false,
  });
  const settle = async () => {
    for (let work = pending.shift(); work !== undefined; work = pending.shift()) await work;
    return (await DB.prepare("SELECT * FROM audit_events ORDER BY id").all()).results;
  };
  return { audit, settle };
}

/** A request with a secret wherever one can be. */
function telling(): Request {
  return new Request(`http://registry/auth/token?password=${PASSWORD}&access_token=${KEY}`, {
    method: "POST",
    body: `grant_type=password&password=${PASSWORD}`,
    headers: {
      authorization: `Basic ${btoa(`ann:${PASSWORD}`)}`,
      cookie: `session=${PASSWORD}`,
      "x-request-id": PASSWORD,
      "x-forwarded-for": `${PASSWORD}, 2001:DB8::1`,
      "user-agent": `robot ${KEY}`,
    },
  });
}

describe("a row", () => {
  it("never has a secret of the request that it is of", async () => {
    const { audit, settle } = createAudit();
    const ann = { name: "ann", credential: { type: "api-key", id: "abcdefgh2345" } } as const;
    const asked = { verb: "create", group: "iam.entrepot.dev", resource: "serviceaccounts", subresource: "tokens" };
    const outcome = { decision: { allowed: true, reason: "ClusterRole/admin" }, status: 201 };
    await audit.recordNow(telling(), accessEntry(ann, { ...asked, namespace: "team-a", name: "ci" }, outcome));
    audit.record(telling(), repositoryEntry(ann, "push", `team-a/${KEY}`, outcome));
    for (const account of ["ann", PASSWORD]) {
      audit.recordFailedSignIn(telling(), {
        account,
        credential: { type: "password" },
        reason: "wrong-password",
        status: 401,
      });
    }
    const rows = await settle();
    expect(rows).toHaveLength(4);
    expect(JSON.stringify(rows)).not.toMatch(new RegExp(`${PASSWORD}|${btoa(`ann:${PASSWORD}`)}|SSSS`));
    expect(rows[0]).toMatchObject({
      identity: "ann",
      credential_id: "abcdefgh2345",
      address: "2001:db8::1",
      hash: null,
    });
    expect(rows.filter(({ identity }) => identity === ANONYMOUS).map(({ name }) => name)).toEqual(["ann", "(unknown)"]);
  });

  it("is as it was told, whatever characters it has", async () => {
    const { audit, settle } = createAudit();
    const name = `jürgen's "app"; DROP TABLE audit_events; -- 😀 $[0] \\`;
    const outcome = { decision: { allowed: false, reason: "no role" }, status: 403 };
    audit.record(telling(), repositoryEntry({ name, credential: { type: "password" } }, "pull", "a/b", outcome));
    expect(await settle()).toMatchObject([{ identity: name, occurred_at: NOW, allowed: 0, status: 403, name: "a/b" }]);
  });
});

describe("what is found by an index", () => {
  it.each([
    ["identity = 'x'", "audit_events_identity"],
    ["allowed = 0", "audit_events_refused"],
    ["resource = 'a' AND namespace = 'b' AND name = 'c'", "audit_events_object"],
  ])("%s", async (condition, index) => {
    const plan = await DB.prepare(
      `EXPLAIN QUERY PLAN SELECT * FROM audit_events WHERE id >= 1 AND id < 9 AND ${condition} ORDER BY id DESC LIMIT 5`,
    ).all<{ detail: string }>();
    const text = plan.results.map(({ detail }) => detail).join("\n");
    expect(text).not.toContain("TEMP B-TREE");
    expect(text).toContain(index);
  });
});
