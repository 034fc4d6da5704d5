import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import type { D1PreparedStatement, D1Result } from "@cloudflare/workers-types";
import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import { serve } from "../../src/app.ts";
import type { Database } from "../../src/platform/index.ts";
import { bindings } from "./bindings.ts";

const LOST = "D1_ERROR: Network connection lost.";

/** The database, where the answer to a call is lost or the call never arrives, as `fails` says of each in turn. */
function faulty(fails: (call: number) => "before" | "after" | undefined): Database {
  const inners = new WeakMap<D1PreparedStatement, D1PreparedStatement>();
  let calls = 0;
  const send = async <T>(act: () => Promise<T>): Promise<T> => {
    calls += 1;
    const fault = fails(calls);
    if (fault === "before") throw new Error(LOST);
    const result = await act();
    if (fault === "after") throw new Error(LOST);
    return result;
  };
  const wrap = (inner: D1PreparedStatement): D1PreparedStatement => {
    const outer = {
      bind: (...values: unknown[]) => wrap(inner.bind(...values)),
      first: (column?: string) => send(() => (column === undefined ? inner.first() : inner.first(column))),
      run: () => send(() => inner.run()),
      all: () => send(() => inner.all()),
    } as unknown as D1PreparedStatement;
    inners.set(outer, inner);
    return outer;
  };
  return {
    prepare: (sql) => wrap(bindings.DB.prepare(sql)),
    batch: <T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> =>
      send(() => bindings.DB.batch<T>(statements.map((statement) => inners.get(statement) ?? statement))),
  };
}

/** The whole Worker over such a database. */
function worker(fails: Parameters<typeof faulty>[0]) {
  const env = { ...bindings, DB: faulty(fails) as D1Database };
  return async (path: string, init?: RequestInit): Promise<Response> => {
    const context = createExecutionContext();
    const response = await serve(new Request(`http://127.0.0.1${path}`, init), env, context);
    await waitOnExecutionContext(context);
    return response;
  };
}

/** One in so many calls: in turn before it is done and after. */
const oneIn = (count: number) => (call: number) =>
  call % count !== 0 ? undefined : (call / count) % 2 === 0 ? ("before" as const) : ("after" as const);

const OCI = "application/vnd.oci.image.manifest.v1+json";

/** Pushes a small image as clients do. Resolves to the statuses of the answers. */
async function push(send: ReturnType<typeof worker>, repository: string, seed: number): Promise<number[]> {
  const statuses: number[] = [];
  const ask = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await send(path, init);
    statuses.push(response.status);
    return response;
  };
  const blob = new TextEncoder().encode(`layer ${seed}`);
  const digest = digestBytes("sha256", blob);
  await ask(`/v2/${repository}/blobs/${digest}`, { method: "HEAD" });
  const opened = await ask(`/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(opened.headers.get("location") ?? "", "http://127.0.0.1");
  const query = `${location.search === "" ? "?" : `${location.search}&`}digest=${digest}`;
  await ask(`${location.pathname}${query}`, {
    method: "PUT",
    headers: { "content-length": String(blob.length) },
    body: blob,
  });
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: blob.length };
  const manifest = { schemaVersion: 2, mediaType: OCI, config: layer, layers: [layer], annotations: { n: `${seed}` } };
  const init = { method: "PUT", headers: { "content-type": OCI }, body: JSON.stringify(manifest) };
  await ask(`/v2/${repository}/manifests/v${seed}`, init);
  await ask(`/v2/${repository}/manifests/v${seed}`);
  return statuses;
}

describe("a database that fails for a moment, one call in 5", () => {
  it("fails no push", async () => {
    const send = worker(oneIn(5));
    for (let seed = 0; seed < 20; seed += 1) {
      expect(await push(send, "faults/image", seed)).toEqual([404, 202, 201, 201, 200]);
    }
  });

  it("fails no write of an object, and does none twice", async () => {
    const send = worker(oneIn(5));
    const url = "/apis/iam.entrepot.dev/v1/teams";
    const headers = { "content-type": "application/json" };
    for (let index = 0; index < 20; index += 1) {
      const name = `faults-${index}`;
      const created = await send(url, {
        method: "POST",
        headers,
        body: JSON.stringify({ metadata: { name }, spec: {} }),
      });
      expect(created.status, await created.clone().text()).toBe(201);
      const patch = { method: "PATCH", headers: { "content-type": "application/merge-patch+json" } };
      const labelled = await send(`${url}/${name}`, {
        ...patch,
        body: JSON.stringify({ metadata: { labels: { a: "b" } } }),
      });
      expect(labelled.status).toBe(200);
      expect((await send(`${url}/${name}`, { method: "DELETE" })).status).toBe(200);
    }
    const { results } = await bindings.DB.prepare(
      "SELECT type, count(*) AS total FROM resource_events WHERE name LIKE 'faults-%' GROUP BY type ORDER BY type",
    ).all();
    expect(results).toEqual([
      { type: "ADDED", total: 20 },
      { type: "DELETED", total: 20 },
      { type: "MODIFIED", total: 20 },
    ]);
  });
});

describe("a database that fails all the time", () => {
  it.each([
    [
      "/v2/faults/image/tags/list",
      (body: unknown) => expect(body).toMatchObject({ errors: [{ code: "UNAVAILABLE" }] }),
    ],
    [
      "/api/v1/namespaces",
      (body: unknown) => expect(body).toMatchObject({ kind: "Status", reason: "ServiceUnavailable" }),
    ],
    ["/api/v1/usage", (body: unknown) => expect(body).toMatchObject({ error: "the database is not available" })],
    ["/api/v1/tasks", (body: unknown) => expect(body).toMatchObject({ error: "the database is not available" })],
    ["/auth/session", (body: unknown) => expect(body).toMatchObject({ error: "the database is not available" })],
  ])("is 503 with a time to come back: %s", async (path, check) => {
    const response = await worker(() => "before")(path);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    check(await response.json());
  });
});
