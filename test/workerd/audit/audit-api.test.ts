import { beforeEach, describe, expect, it } from "vitest";
import { type AuditEntry, type Identity, systemIdentity } from "../../../src/access/index.ts";
import { auditGroup } from "../../../src/audit/kinds.ts";
import type { AuthorizationAttributes } from "../../../src/resources/index.ts";
import type { ListQuery, RequestContext } from "../../../src/resources/storage/storage.ts";
import { bindings } from "../bindings.ts";
import { audited } from "./audit-rows.ts";
import { AuditChain } from "../../../src/audit/audit-chain.ts";
import { AuditStore } from "../../../src/audit/audit-store.ts";
import { auditApi, type AuditServices } from "../../../src/audit/index.ts";

const { DB } = bindings;
const store = new AuditStore(DB);
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

const ANN = identity("ann", "password");

function identity(name: string, type: Identity["credential"]["type"]): Identity {
  return { ...systemIdentity(name), groups: [], credential: { type } };
}

function services(given: Partial<AuditServices> = {}): AuditServices {
  return {
    gate: gateOf({ ok: true, value: ANN }),
    authorizer: () => ({ decision: "allow" }),
    store,
    chain: new AuditChain(store),
    audit: { record() {} },
    reportFailure: () => "failure",
    ...given,
  };
}

function gateOf(answer: Awaited<ReturnType<AuditServices["gate"]["authenticate"]>>): AuditServices["gate"] {
  return { authenticate: async () => answer, challenge: () => 'Basic realm="Entrepot"' };
}

function ask(path: string, given: Partial<AuditServices> = {}, init: RequestInit = {}): Promise<Response> {
  return auditApi(services(given), new Request(`http://registry/api/v1/audit${path}`, init));
}

interface Listed {
  readonly items: readonly { readonly id: number; readonly name: string }[];
  readonly cursor?: string;
}

const idsOf = async (path: string) => (await (await ask(path)).json<Listed>()).items.map(({ id }) => id);

beforeEach(async () => {
  await DB.batch([
    DB.prepare("DELETE FROM audit_events"),
    DB.prepare("DELETE FROM sqlite_sequence WHERE name = 'audit_events'"),
    DB.prepare("DELETE FROM instance WHERE name LIKE 'audit-%'"),
  ]);
  await store.append([
    audited({ occurredAt: START }),
    audited({ occurredAt: START + HOUR / 2, identity: "bob", allowed: false, reason: "no role", status: 403 }),
    // Written late: time and id are not in the same order.
    audited({ occurredAt: START + 1000, namespace: "team-b", name: "team-b/app", verb: "delete" }),
    audited({ occurredAt: START + 4 * HOUR, resource: "users", group: "iam.entrepot.dev", namespace: "", name: "bob" }),
    audited({ occurredAt: START + 4 * HOUR, identity: "bob", verb: "login", resource: "sessions", allowed: false }),
  ]);
});

describe("GET /api/v1/audit", () => {
  it("has the newest first, and everything of an event", async () => {
    const response = await ask("");
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
    const { items, cursor } = await response.json<Listed>();
    expect(items.map(({ id }) => id)).toEqual([5, 4, 3, 2, 1]);
    expect(cursor).toBeUndefined();
    expect(items.at(-1)).toEqual({
      id: 1,
      occurredAt: "2026-01-01T00:00:00.000Z",
      requestId: "r",
      identity: "ann",
      credential: { type: "password" },
      address: "192.0.2.1",
      userAgent: "docker/29",
      verb: "push",
      group: "content.entrepot.dev",
      resource: "repositories",
      subresource: "",
      namespace: "team-a",
      name: "team-a/app",
      allowed: true,
      reason: "ClusterRoleBinding/ops ClusterRole/pusher",
      status: 201,
    });
  });

  it.each([
    ["identity=bob", [5, 2]],
    ["identity=bob&verb=login", [5]],
    ["verb=delete", [3]],
    ["resource=users", [4]],
    ["group=iam.entrepot.dev", [4]],
    ["namespace=team-b", [3]],
    ["resource=repositories&namespace=team-a&name=team-a/app", [2, 1]],
    ["name=team-a/app", [5, 2, 1]],
    ["allowed=false", [5, 2]],
    ["allowed=true", [4, 3, 1]],
    ["allowed=false&identity=ann", []],
    ["reason=no role", [2]],
    ["since=2026-01-01T00:00:01Z", [5, 4, 3, 2]],
    ["since=2026-01-01T04:00:00Z", [5, 4]],
    ["since=2026-01-01T05:00:00%2B01:00", [5, 4]],
    ["since=2026-02-01T00:00:00Z", []],
    ["until=2026-01-01T00:00:01Z", [1]],
    ["until=2026-01-01T00:00:02Z", [3, 1]],
    ["until=2026-01-01T04:00:00Z", [3, 2, 1]],
    ["until=2025-01-01T00:00:00Z", []],
    ["since=2026-01-01T00:00:01Z&until=2026-01-01T04:00:00Z", [3, 2]],
    ["identity=ann&since=2026-01-01T01:00:00Z", [4]],
    ["identity=", [5, 4, 3, 2, 1]],
    ["identity=' OR 1=1 --", []],
  ])("finds by %s", async (query, ids) => {
    expect(await idsOf(`?${query.replaceAll("+", "%2B")}`)).toEqual(ids);
  });

  it.each(["", "identity=bob&", "allowed=false&", "namespace=team-a&", "until=2026-01-01T05:00:00Z&"])(
    "pages through %j",
    async (filter) => {
      const all = await idsOf(`?${filter}`);
      const found: number[] = [];
      let cursor: string | undefined = "";
      for (let pages = 0; cursor !== undefined && pages < 10; pages += 1) {
        const page: Listed = await (await ask(`?${filter}limit=1&cursor=${cursor}`)).json();
        expect(page.items.length).toBeLessThanOrEqual(1);
        found.push(...page.items.map(({ id }) => id));
        cursor = page.cursor;
      }
      expect(found).toEqual(all);
      expect(cursor).toBeUndefined();
    },
  );

  it("looks at so many rows at a time where no index helps, and goes on", async () => {
    await DB.prepare(
      `WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 150000)
       INSERT INTO audit_events SELECT value + 5, ?1, 'r', 'eve', 'none', NULL, NULL, NULL, 'push', '', '', '', '', '', 1,
         '', 201, NULL FROM n`,
    )
      .bind(START + 5 * HOUR)
      .run();
    const first: Listed = await (await ask("?verb=delete")).json();
    expect(first).toEqual({ items: [], cursor: expect.any(String) as string });
    const second: Listed = await (await ask(`?verb=delete&cursor=${first.cursor}`)).json();
    expect(second.items.map(({ id }) => id)).toEqual([3]);
    expect(second.cursor).toBeUndefined();
    // By an index it is one page.
    expect(await idsOf("?identity=bob")).toEqual([5, 2]);
    expect(await idsOf("?allowed=false")).toEqual([5, 2]);
    expect(await idsOf("?resource=repositories&namespace=team-b&name=team-b/app")).toEqual([3]);
    expect(await idsOf("?verb=delete&until=2026-01-01T02:00:00Z")).toEqual([3]);
  });

  it("has a line for each event, if that is asked for", async () => {
    const response = await ask("?limit=2&allowed=true", {}, { headers: { accept: "application/x-ndjson" } });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(response.headers.get("link")).toBe('</api/v1/audit?limit=2&allowed=true&cursor=3>; rel="next"');
    const lines = new TextDecoder()
      .decode(await response.arrayBuffer())
      .trimEnd()
      .split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([4, 3]);
  });

  it.each([
    "limit=0",
    "limit=1001",
    "limit=x",
    "since=yesterday",
    "allowed=maybe",
    "cursor=-1",
    "who=ann",
    "until=2026",
  ])("does not take %s", async (query) => {
    const response = await ask(`?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: expect.any(String) as string });
  });
});

describe("GET /api/v1/audit/verify", () => {
  it("tells whether the chain holds", async () => {
    await new AuditChain(store).seal();
    const good = await (await ask("/verify")).json();
    expect(good).toMatchObject({ intact: true, checked: 5, unsealed: 0, last: { id: 5 } });
    await DB.prepare("DELETE FROM audit_events WHERE id = 2").run();
    expect(await (await ask("/verify")).json()).toMatchObject({ intact: false, break: { id: 2, reason: "missing" } });
  });

  it("goes on from a cursor", async () => {
    await new AuditChain(store).seal();
    const { hash } = (await store.get(3)) ?? {};
    expect(await (await ask(`/verify?cursor=3.${hash}`)).json()).toMatchObject({ intact: true, checked: 2 });
    expect((await ask("/verify?cursor=3")).status).toBe(400);
  });
});

describe("who may read it", () => {
  const anonymous = identity("system:anonymous", "none");
  const no = () => ({ decision: "no-opinion" }) as const;

  it.each<[string, Partial<AuditServices>, number]>([
    ["wrong credentials", { gate: gateOf({ ok: false, error: { reason: "unauthenticated" } }) }, 401],
    ["no credentials", { gate: gateOf({ ok: true, value: anonymous }), authorizer: no }, 401],
    ["no role", { authorizer: no }, 403],
    ["a denial", { authorizer: () => ({ decision: "deny", reason: "no" }) }, 403],
    ["too many attempts", { gate: gateOf({ ok: false, error: { reason: "locked-out", retryAfterSeconds: 30 } }) }, 429],
    ["nothing set up", { gate: gateOf({ ok: false, error: { reason: "not-configured" } }) }, 503],
    ["a broken database", { store: { list: async () => Promise.reject(new Error("no")) } }, 500],
  ])("not with %s", async (_, given, status) => {
    const response = await ask("", given);
    expect(response.status).toBe(status);
    expect(response.headers.has("www-authenticate")).toBe(status === 401);
    expect(response.headers.get("retry-after")).toBe(status === 429 ? "30" : null);
    expect(await response.text()).not.toContain("team-a");
    if (status !== 500) expect((await ask("/verify", given)).status).toBe(status);
  });

  it("is a right to list events", async () => {
    const asked: AuthorizationAttributes[] = [];
    const authorizer: AuditServices["authorizer"] = (attributes) => {
      asked.push(attributes);
      return { decision: "allow" };
    };
    await ask("", { authorizer });
    await ask("/verify", { authorizer });
    for (const attributes of asked) {
      expect(attributes).toMatchObject({ verb: "list", group: "audit.entrepot.dev", resource: "auditevents" });
    }
    expect(asked).toHaveLength(2);
  });

  it("is noted when it was refused", async () => {
    const entries: AuditEntry[] = [];
    const audit: AuditServices["audit"] = { record: (_request, entry) => entries.push(entry) };
    await ask("", { audit, authorizer: () => ({ decision: "no-opinion", reason: "no role" }) });
    await ask("/verify", { audit });
    expect(entries).toMatchObject([
      { identity: { name: "ann" }, resource: "auditevents", allowed: false, reason: "no role", status: 403 },
      { allowed: true, status: 200 },
    ]);
  });

  it("takes GET only, and no other path", async () => {
    expect((await ask("", {}, { method: "DELETE" })).status).toBe(405);
    expect((await ask("/", {})).status).toBe(404);
    expect((await ask("/other", {})).status).toBe(404);
  });
});

describe("kubectl get auditevents", () => {
  const context: RequestContext = { identity: ANN, dryRun: false, fieldManager: "test", warn() {} };
  const [kind] = auditGroup(store).kinds;
  const storage = kind?.storage?.() ?? {};

  async function listed(query: Partial<ListQuery> = {}) {
    const page = await storage.list?.(context, { labels: [], fields: [], limit: 10_000, source: "current", ...query });
    return { names: page?.items.map(({ metadata }) => metadata.name), next: page?.continue, items: page?.items };
  }

  it("reads only", () => {
    expect(Object.keys(storage).toSorted()).toEqual(["get", "list"]);
  });

  it("has the newest first, a page at a time", async () => {
    const first = await listed({ limit: 3 });
    expect(first.names).toEqual(["000000000005", "000000000004", "000000000003"]);
    const second = await listed({ limit: 3, continue: first.next ?? "" });
    expect(second).toMatchObject({ names: ["000000000002", "000000000001"], next: undefined });
    expect(first.items?.[1]).toMatchObject({
      apiVersion: "audit.entrepot.dev/v1",
      kind: "AuditEvent",
      metadata: { creationTimestamp: "2026-01-01T04:00:00Z", resourceVersion: "4" },
      spec: { identity: "ann", resource: "users", name: "bob", address: "192.0.2.1", allowed: true },
    });
  });

  it.each<[string, string, "=" | "!=", string, string[]]>([
    ["who", "spec.identity", "=", "bob", ["5", "2"]],
    ["not who", "spec.identity", "!=", "bob", ["4", "3", "1"]],
    ["verb", "spec.verb", "=", "delete", ["3"]],
    ["resource", "spec.resource", "=", "users", ["4"]],
    ["no namespace", "spec.namespace", "=", "", ["4"]],
    ["name", "spec.name", "=", "team-b/app", ["3"]],
    ["allowed", "spec.allowed", "=", "false", ["5", "2"]],
    ["not allowed", "spec.allowed", "!=", "true", ["5", "2"]],
    ["what allowed cannot be", "spec.allowed", "=", "maybe", []],
    ["reason", "spec.reason", "=", "no role", ["2"]],
    ["its own name", "metadata.name", "=", "000000000004", ["4"]],
    ["no name of an event", "metadata.name", "=", "four", []],
  ])("selects by %s", async (_, path, operator, value, names) => {
    const found = await listed({ fields: [{ path, operator, value }] });
    expect(found.names).toEqual(names.map((name) => name.padStart(12, "0")));
    expect(found.next).toBeUndefined();
  });

  it("gets one by its name", async () => {
    expect(await storage.get?.(context, { name: "000000000003" })).toMatchObject({ spec: { verb: "delete" } });
    for (const name of ["3", "000000000009", "x", "000000000003.5"]) {
      await expect(storage.get?.(context, { name })).rejects.toMatchObject({ reason: "NotFound" });
    }
  });

  it("keeps no history, and knows its own tokens only", async () => {
    await expect(listed({ source: "trash" })).rejects.toMatchObject({ reason: "BadRequest" });
    await expect(listed({ continue: "nonsense" })).rejects.toMatchObject({ reason: "BadRequest" });
  });
});
