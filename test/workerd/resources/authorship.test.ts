import { describe, expect, it } from "vitest";
import { type CredentialUse, systemIdentity } from "../../../src/access/index.ts";
import { type RequestContext, type ResourceObject, specAuthorOf } from "../../../src/resources/index.ts";
import { request } from "../bindings.ts";
import { widgetObject, widgets } from "./definition-fixture.ts";
import { edit, exampleTasks, listQuery, NAMESPACE, newGroup, PLATFORM, requestContext, task } from "./fixture.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

/** The context of somebody's request. */
function as(name: string, credential: CredentialUse = { type: "password", id: "htpasswd-x" }): RequestContext {
  return requestContext({ identity: { ...systemIdentity(name), credential } });
}

const ALICE = as("alice", { type: "api-key", id: "key-1", name: "laptop" });
const BOB = as("bob", { type: "session", id: "session-1" });

const annotated = (annotations: Record<string, string>) => (current: ResourceObject) => ({
  ...current,
  metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } },
});
const withCount =
  (count: number, annotations: Record<string, string> = {}) =>
  (current: ResourceObject) => ({ ...annotated(annotations)(current), spec: { count } });

/** Our own annotations, without their prefix. */
function authorship({ metadata: { annotations = {} } }: ResourceObject): Record<string, string> {
  const own = Object.entries(annotations).filter(([name]) => name.startsWith("entrepot.dev/"));
  return Object.fromEntries(own.map(([name, value]) => [name.slice("entrepot.dev/".length), value]));
}

async function world() {
  const clock = { now: START };
  const platform = await exampleTasks({ clock: () => clock.now });
  const { tasks } = platform;
  return {
    ...platform,
    clock,
    make: (name: string, context: RequestContext, annotations: Record<string, string> = {}) =>
      tasks.create(context, NAMESPACE, task(name, { metadata: { annotations } })),
    change: (name: string, context: RequestContext, change: (current: ResourceObject) => ResourceObject) => {
      clock.now += 1000;
      return edit(tasks, name, change, { context });
    },
    past: async (source: "history" | "trash", name: string) =>
      (await tasks.list(ALICE, listQuery({ source, fields: `metadata.name=${name}` }))).items.map(authorship),
  };
}

describe("an object says", () => {
  it("who made it and who changed it last, with which credential", async () => {
    const { make, change, get } = await world();
    const made = await make("one", ALICE);
    const byAlice = { "created-by": "alice", "created-with": "api-key key-1 (laptop)" };
    expect(authorship(made)).toEqual({
      ...byAlice,
      "updated-by": "alice",
      "updated-with": "api-key key-1 (laptop)",
      "updated-at": "2026-01-01T00:00:00Z",
    });
    await change("one", BOB, withCount(1));
    expect(authorship(await get("one"))).toEqual({
      ...byAlice,
      "updated-by": "bob",
      "updated-with": "session session-1",
      "updated-at": "2026-01-01T00:00:01Z",
    });
  });

  it("nothing that a client says in the server's place", async () => {
    const { make, change } = await world();
    const forged = {
      "entrepot.dev/created-by": "root",
      "entrepot.dev/updated-by": "root",
      "entrepot.dev/spec-by": "root",
    };
    const made = await make("one", ALICE, { ...forged, "example.org/own": "kept" });
    expect(authorship(made)).toMatchObject({ "created-by": "alice", "updated-by": "alice" });
    expect(made.metadata.annotations).toMatchObject({ "example.org/own": "kept" });
    const changed = await change("one", BOB, withCount(1, forged));
    expect(authorship(changed)).toMatchObject({ "created-by": "alice", "updated-by": "bob" });
    expect(authorship(changed)).not.toHaveProperty("spec-by");
    // Nor can it take them away.
    const bare = ({ metadata: { annotations: _all, ...metadata }, ...object }: ResourceObject) => ({
      ...object,
      metadata,
    });
    expect(authorship(await change("one", ALICE, bare))).toMatchObject({
      "created-by": "alice",
      "updated-by": "alice",
    });
  });

  it("no password's id", async () => {
    const { make } = await world();
    expect(authorship(await make("one", as("carol")))["updated-with"]).toBe("password");
  });

  it("who wrote its spec, whoever changed the rest since", async () => {
    const { make, change } = await world();
    const author = async (object: ResourceObject) => specAuthorOf(object)?.name;
    expect(await author(await make("one", ALICE))).toBe("alice");
    const labelled = await change("one", BOB, annotated({ "example.org/a": "1" }));
    expect(authorship(labelled)).toMatchObject({ "updated-by": "bob", "spec-by": "alice" });
    expect(await author(labelled)).toBe("alice");
    expect(await author(await change("one", BOB, annotated({ "example.org/a": "2" })))).toBe("alice");
    const rewritten = await change("one", BOB, withCount(2));
    expect(authorship(rewritten)).not.toHaveProperty("spec-by");
    expect(await author(rewritten)).toBe("bob");
  });
});

describe("a write that changes nothing", () => {
  it("stays one, whoever does it and whatever they say", async () => {
    const { make, change } = await world();
    const made = await make("one", ALICE);
    const again = await change("one", BOB, annotated({ "entrepot.dev/message": "nothing" }));
    expect(again).toEqual(made);
  });

  it("of the status alone leaves the rest as it is", async () => {
    const { make, tasks, change } = await world();
    await make("one", ALICE);
    const before = await change("one", ALICE, withCount(1, { "entrepot.dev/message": "one" }));
    const forged = (current: ResourceObject) => ({
      ...annotated({ "entrepot.dev/updated-by": "root", "entrepot.dev/message": "mine" })(current),
      status: { phase: "Done" },
    });
    const after = await edit(tasks, "one", forged, { context: BOB, subresource: "status" });
    expect(authorship(after)).toEqual(authorship(before));
  });

  it("of the platform's own upkeep is nobody's change", async () => {
    const { make, change } = await world();
    const made = await make("one", ALICE);
    const kept = await change("one", requestContext(), annotated({ "example.org/upkeep": "1" }));
    expect(authorship(kept)).toEqual(authorship(made));
    expect(kept.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
  });
});

describe("the message of a change", () => {
  it("stays with it", async () => {
    const { make, change, past } = await world();
    await make("one", ALICE, { "entrepot.dev/message": "first" });
    await change("one", BOB, withCount(1, { "entrepot.dev/message": "tune" }));
    await change("one", BOB, withCount(2));
    await change("one", BOB, withCount(3, { "entrepot.dev/message": "tune" }));
    await change("one", ALICE, withCount(4, { "entrepot.dev/message": "tune" }));
    const said = (await past("history", "one")).map((each) => [each["updated-by"], each["message"]]);
    expect(said).toEqual([
      ["alice", "tune"],
      ["bob", "tune"],
      ["bob", undefined],
      ["bob", "tune"],
      ["alice", "first"],
    ]);
  });

  it("is not said again by who sends back what was read", async () => {
    const { make, tasks, get } = await world();
    const made = await make("one", ALICE, { "entrepot.dev/message": "first" });
    const options = { allowCreate: false, replaces: true };
    const sent = { ...made, spec: { count: 1 } };
    await tasks.update(BOB, { namespace: NAMESPACE, name: "one" }, () => sent, options);
    expect(authorship(await get("one"))).not.toHaveProperty("message");
  });

  it("is a line or two", async () => {
    const { make } = await world();
    await expect(make("one", ALICE, { "entrepot.dev/message": "x".repeat(1025) })).rejects.toMatchObject({
      reason: "Invalid",
      details: { causes: [{ field: "metadata.annotations.entrepot.dev/message" }] },
    });
  });
});

describe("the past", () => {
  it("tells who deleted an object, and a restored one who restored it", async () => {
    const { make, tasks, past } = await world();
    const made = await make("one", ALICE, { "entrepot.dev/message": "first" });
    await tasks.delete(BOB, { namespace: NAMESPACE, name: "one" }, { propagationPolicy: "Background" });
    const [trashed] = await past("trash", "one");
    expect(trashed).toMatchObject({ "created-by": "alice", "updated-by": "bob" });
    expect(trashed).not.toHaveProperty("message");
    const restored = await tasks.restore(
      BOB,
      { namespace: NAMESPACE, name: "one" },
      Number(made.metadata.resourceVersion),
    );
    expect(authorship(restored)).toMatchObject({ "created-by": "bob", "updated-by": "bob" });
    expect(authorship(restored)).not.toHaveProperty("message");
  });
});

describe("managed fields", () => {
  it("have none of it", async () => {
    const { make, change } = await world();
    await make("one", ALICE, { "entrepot.dev/message": "first" });
    const { metadata } = await change("one", BOB, withCount(1, { "entrepot.dev/message": "second" }));
    expect(JSON.stringify(metadata.managedFields)).not.toContain("f:annotations");
  });

  it("have none of it after an apply, which gives a message of its own each time", async () => {
    const group = newGroup();
    const defined = await send("POST", `/apis/${PLATFORM}/v1/resourcedefinitions`, widgets(group));
    expect(defined.status).toBe(201);
    const path = `/apis/${group}/v1/namespaces/team-a/widgets/one`;
    const apply = async (size: number, annotations: Record<string, string>) => {
      const { spec } = widgetObject("one") as { spec: object };
      const metadata = { name: "one", annotations };
      const object = { apiVersion: `${group}/v1`, kind: "Widget", metadata, spec: { ...spec, size } };
      const answer = await send("PATCH", `${path}?fieldManager=me&force=true`, object, "application/apply-patch+yaml");
      expect(answer.ok).toBe(true);
      return answer.json<ResourceObject>();
    };
    const forged = { "entrepot.dev/updated-by": "root" };
    const first = await apply(1, { ...forged, "entrepot.dev/message": "same" });
    const unchanged = await apply(1, { "entrepot.dev/message": "other" });
    expect(unchanged).toEqual(first);
    const second = await apply(2, { ...forged, "entrepot.dev/message": "same" });
    expect(authorship(second)).toMatchObject({ message: "same", "updated-by": "system:anonymous" });
    expect(authorship(await apply(3, {}))).not.toHaveProperty("message");
    const { metadata } = await (await send("GET", path)).json<ResourceObject>();
    expect(JSON.stringify(metadata.managedFields)).not.toContain("entrepot.dev/");
  });
});

function send(method: string, path: string, body?: unknown, type = "application/json"): Promise<Response> {
  const init = { method, headers: { "content-type": type } };
  return request(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
}
