import { describe, expect, it } from "vitest";
import { createKernel, pushBlob, repositoryName } from "../fixture.ts";
import { someBytes } from "../bytes.ts";
import {
  exampleTasks,
  listQuery,
  namesOf,
  NAMESPACE,
  requestContext,
  resourcePlatform,
  task,
  until,
} from "./fixture.ts";

const context = requestContext();

interface Spec {
  readonly source?: string;
  readonly count?: number;
}

describe("the client within", () => {
  it("reads, writes and watches kinds as the API would", async () => {
    const { client, group } = await exampleTasks();
    const kind = { group, plural: "tasks" };
    expect(await client.find(kind, { namespace: NAMESPACE, name: "a" })).toBeUndefined();
    const created = await client.create<Spec>(kind, {
      ...task("a"),
      metadata: { name: "a", namespace: NAMESPACE },
      spec: { source: "x" },
    });
    expect(created.spec).toEqual({ source: "x", count: 0 });
    const end = new AbortController();
    const seen: string[] = [];
    const watched = (async () => {
      const query = { since: created.metadata.resourceVersion, signal: end.signal, fieldSelector: "spec.source=x" };
      for await (const frame of client.watch(kind, query)) if (frame.type !== "BOOKMARK") seen.push(frame.type);
    })();
    await client.updateStatus<Spec, { phase: string }>(kind, { namespace: NAMESPACE, name: "a" }, () => ({
      phase: "Ready",
    }));
    const increment = () =>
      client.update<Spec>(kind, { namespace: NAMESPACE, name: "a" }, (current) => ({
        ...current,
        spec: { ...current.spec, count: (current.spec?.count ?? 0) + 1 },
      }));
    await Promise.all([increment(), increment(), increment()]);
    const found = await client.find<Spec, { phase: string }>(kind, { namespace: NAMESPACE, name: "a" });
    expect(found).toMatchObject({ spec: { count: 3 }, status: { phase: "Ready" } });
    expect((await client.list(kind, { labelSelector: "no=such" })).items).toEqual([]);
    expect((await client.list(kind, { namespace: NAMESPACE, limit: 1 })).items).toHaveLength(1);
    await client.delete(kind, { namespace: NAMESPACE, name: "a" });
    await until(() => seen.length === 5);
    end.abort();
    await watched;
    expect(seen).toEqual(["MODIFIED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]);
  });

  it("says what a kind cannot do", async () => {
    const { client } = resourcePlatform();
    const nothing = { group: "no.such", plural: "things" };
    await expect(client.find(nothing, { name: "a" })).rejects.toMatchObject({ reason: "BadRequest" });
    await expect(client.delete({ group: "", plural: "namespaces" }, { name: "a" })).rejects.toMatchObject({
      reason: "BadRequest",
    });
  });
});

describe("namespaces", () => {
  it("are there when created, or when something is in them", async () => {
    const { storage } = resourcePlatform();
    const namespaces = await storage("", "namespaces");
    const named = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    expect(await namespaces.create(context, undefined, named("made"))).toMatchObject({ status: { phase: "Active" } });
    // A component of a repository's name, though not a label of DNS.
    await namespaces.create(context, undefined, named("under_score"));
    const { create } = await exampleTasks();
    await create("here");
    await pushBlob(createKernel(), repositoryName("pushed/app"), someBytes(10, 1));
    const all = await namespaces.list(context, listQuery());
    expect(namesOf(all)).toEqual(["default", "made", "pushed", NAMESPACE, "under_score"]);
    expect(await namespaces.get(context, { name: "pushed" })).toMatchObject({ status: { phase: "Active" } });
    await expect(namespaces.get(context, { name: "absent" })).rejects.toMatchObject({ reason: "NotFound" });
    expect(namesOf(await namespaces.list(context, listQuery({ fields: "metadata.name=made" })))).toEqual(["made"]);
  });

  it("are listed page by page", async () => {
    const namespaces = await resourcePlatform().storage("", "namespaces");
    const all = namesOf(await namespaces.list(context, listQuery()));
    const paged: string[] = [];
    let page = await namespaces.list(context, listQuery({ limit: 2 }));
    for (;;) {
      paged.push(...namesOf(page));
      if (page.continue === undefined) break;
      page = await namespaces.list(context, listQuery({ limit: 2, continue: page.continue }));
    }
    expect(paged).toEqual(all);
  });

  it.each(["Bad", "a/b", "-a", "a".repeat(64), ""])("are not called %j", async (name) => {
    const namespaces = await resourcePlatform().storage("", "namespaces");
    const input = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await expect(namespaces.create(context, undefined, input)).rejects.toMatchObject({ reason: "Invalid" });
  });
});

describe("usage statistics", () => {
  it("count objects, and what others contribute", async () => {
    const { create, group, resources } = await exampleTasks();
    await create("a");
    await create("b");
    resources.usage.contribute(async () => ({ "content.blobs.count": 7 }));
    await resources.usage.collect();
    const { numbers, collectedAt } = await resources.usage.read();
    expect(numbers).toMatchObject({ [`resources.${group}.tasks.count`]: 2, "content.blobs.count": 7 });
    expect(collectedAt).toBeLessThanOrEqual(Date.now());
    await create("c");
    expect((await resources.usage.read()).numbers[`resources.${group}.tasks.count`]).toBe(2);
  });
});
