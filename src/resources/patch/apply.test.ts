import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import type { JsonObject, ResourceInput, ResourceObject } from "../objects/object.ts";
import { StatusError } from "../status-error.ts";
import { type ApplyRequest, serverSideApply } from "./apply.ts";
import { recordUpdate } from "./managed-fields.ts";

const apiVersion = "sync.example.dev/v1";
const text: SchemaNode = { type: "string" };
const node: SchemaNode = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        parallel: { type: "integer" },
        source: text,
        note: { type: "string", nullable: true },
        nested: { type: "object", properties: { a: text, b: text } },
        args: { type: "array", items: text },
        tags: { type: "array", items: text, "x-kubernetes-list-type": "set" },
        list: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", properties: { name: text, y: text, z: text } },
        },
      },
    },
    status: { type: "object", properties: { phase: text } },
  },
};

const T1 = "2026-01-01T00:00:01Z";
const T2 = "2026-01-01T00:00:02Z";
type Options = Partial<Omit<ApplyRequest, "live" | "applied">>;

/** The configuration of a task. */
function config(spec: JsonObject, metadata: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return { apiVersion, kind: "SyncTask", metadata: { name: "a", ...metadata }, spec, ...more };
}

/** What the store would make of it. */
function stored(object: ResourceInput): ResourceObject {
  const metadata = {
    name: "a",
    uid: "u",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: T1,
    ...object.metadata,
  };
  return { ...object, metadata };
}

function apply(live: ResourceObject | undefined, applied: unknown, options: Options = {}) {
  return serverSideApply({ live, applied, manager: "kubectl", force: false, apiVersion, time: T1, node, ...options });
}

function applied(live: ResourceObject | undefined, configuration: unknown, options: Options = {}): ResourceObject {
  return stored(apply(live, configuration, options).object);
}

/** A plain write by someone. */
function updated(
  live: ResourceObject | undefined,
  object: JsonObject,
  manager: string,
  subresource?: string,
): ResourceObject {
  const next = stored({
    ...live,
    ...object,
    metadata: { ...live?.metadata, ...(object["metadata"] as JsonObject) },
  } as unknown as ResourceInput);
  const managedFields = recordUpdate({ previous: live, next, manager, apiVersion, time: T1, subresource, node });
  return { ...next, metadata: { ...next.metadata, managedFields } };
}

const owners = (object: ResourceObject) =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
  );

function refusal(action: () => unknown): StatusError {
  try {
    action();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("serverSideApply", () => {
  it("creates, and owns what it was given", () => {
    const object = applied(undefined, config({ parallel: 2, list: [{ name: "x", y: "1" }] }, { labels: { l: "1" } }));
    expect(object.spec).toEqual({ parallel: 2, list: [{ name: "x", y: "1" }] });
    expect(object.metadata.managedFields).toEqual([
      {
        manager: "kubectl",
        operation: "Apply",
        apiVersion,
        time: T1,
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { "f:l": {} } },
          "f:spec": { "f:list": { 'k:{"name":"x"}': { ".": {}, "f:name": {}, "f:y": {} } }, "f:parallel": {} },
        },
      },
    ]);
  });

  it("changes nothing when the same is applied again", () => {
    const configuration = config({ parallel: 2, tags: ["b", "a"], list: [{ name: "x", y: "1" }] });
    const live = updated(
      applied(undefined, configuration),
      { spec: { parallel: 2, tags: ["z", "b", "a"], list: [{ name: "w" }, { name: "x", y: "1" }] } },
      "edit",
    );
    const again = apply(live, configuration, { time: T2 });
    expect(again.changed).toBe(false);
    expect(again.object).toEqual(live);
    expect(apply(live, config({ parallel: 3 }), { time: T2 }).changed).toBe(true);
  });

  it("refuses to change what someone else set, with Kubernetes' words", () => {
    const live = updated(undefined, config({ parallel: 2, source: "s" }), "kubectl");
    const error = refusal(() => apply(live, config({ parallel: 3 })));
    expect(error.reason).toBe("Conflict");
    expect(error.message).toBe(
      `Apply failed with 1 conflict: conflict with "kubectl" using ${apiVersion}: .spec.parallel`,
    );
    expect(error.details).toEqual({
      causes: [
        {
          reason: "FieldManagerConflict",
          message: `conflict with "kubectl" using ${apiVersion}`,
          field: ".spec.parallel",
        },
      ],
    });
  });

  it("lists several conflicts by manager", () => {
    const first = applied(undefined, config({ source: "s", list: [{ name: "x", y: "1" }] }), { manager: "flux" });
    const live = updated(first, { spec: { ...(first.spec as JsonObject), parallel: 2 } }, "edit");
    const error = refusal(() => apply(live, config({ source: "t", parallel: 3, list: [{ name: "x", y: "2" }] })));
    expect(error.message).toBe(
      `Apply failed with 3 conflicts: conflicts with "edit" using ${apiVersion}:\n- .spec.parallel\n` +
        'conflicts with "flux":\n- .spec.list[name="x"].y\n- .spec.source',
    );
    expect(error.details?.causes?.map(({ message }) => message)).toEqual([
      `conflict with "edit" using ${apiVersion}`,
      'conflict with "flux"',
      'conflict with "flux"',
    ]);
  });

  it("takes what is contested when forced", () => {
    const live = updated(undefined, config({ parallel: 2, source: "s" }), "edit");
    const object = applied(live, config({ parallel: 3 }), { force: true });
    expect(object.spec).toEqual({ parallel: 3, source: "s" });
    expect(owners(object)).toMatchObject({
      "kubectl/Apply": { "f:spec": { "f:parallel": {} } },
      "edit/Update": { "f:spec": { ".": {}, "f:source": {} } },
    });
    expect(owners(object)["edit/Update"]?.["f:spec"]).not.toHaveProperty("f:parallel");
  });

  it("shares what both set to the same, and keeps it until the last lets go", () => {
    const one = applied(undefined, config({ parallel: 2, source: "s" }), { manager: "one" });
    const both = applied(one, config({ parallel: 2 }), { manager: "two" });
    const without = applied(both, config({ source: "s" }), { manager: "one" });
    expect(without.spec).toEqual({ parallel: 2, source: "s" });
    const gone = applied(without, config({}), { manager: "two" });
    expect(gone.spec).toEqual({ source: "s" });
    expect(Object.keys(owners(gone))).toEqual(["one/Apply", "two/Apply"]);
  });

  it("removes what only the applier had, and leaves what others put beside it", () => {
    const first = applied(
      undefined,
      config(
        { nested: { a: "1" }, tags: ["a", "b"], list: [{ name: "x" }, { name: "y" }] },
        { labels: { l: "1", m: "2" } },
      ),
    );
    const live = updated(
      first,
      {
        metadata: { labels: { l: "1", m: "2", other: "o" } },
        spec: { ...(first.spec as JsonObject), nested: { a: "1", b: "2" }, tags: ["a", "b", "c"] },
      },
      "edit",
    );
    const object = applied(live, config({ tags: ["a"], list: [{ name: "y" }] }, { labels: { m: "2" } }));
    expect(object.spec).toEqual({ nested: { b: "2" }, tags: ["a", "c"], list: [{ name: "y" }] });
    expect(object.metadata.labels).toEqual({ m: "2", other: "o" });
  });

  it("removes an item with all that is in it, unless someone else has that item", () => {
    const item = config({ list: [{ name: "x", y: "1" }] });
    const mine = applied(undefined, item);
    const touched = updated(mine, { spec: { list: [{ name: "x", y: "1", z: "2" }] } }, "edit");
    const emptied = applied(touched, config({ list: [] }));
    expect(emptied.spec).toEqual({ list: [] });
    expect(apply(emptied, config({ list: [] }), { time: T2 }).changed).toBe(false);
    const shared = applied(mine, config({ list: [{ name: "x", z: "2" }] }), { manager: "two" });
    expect(applied(shared, config({})).spec).toEqual({ list: [{ name: "x", z: "2" }] });
  });

  it("replaces atomic lists whole, and merges the rest by key in the order applied", () => {
    const live = updated(undefined, config({ args: ["a"], list: [{ name: "1", y: "1" }, { name: "2" }] }), "edit");
    expect(refusal(() => apply(live, config({ args: ["a", "b"] }))).details?.causes?.[0]?.field).toBe(".spec.args");
    const object = applied(live, config({ args: ["b"], list: [{ name: "3" }, { name: "2", y: "2" }] }), {
      force: true,
    });
    expect(object.spec).toEqual({ args: ["b"], list: [{ name: "1", y: "1" }, { name: "3" }, { name: "2", y: "2" }] });
  });

  it("takes null as absence, except where null is a value", () => {
    const live = applied(undefined, config({ parallel: 2, note: "n" }));
    const object = applied(live, config({ parallel: null, note: null }, { creationTimestamp: null }));
    expect(object.spec).toEqual({ note: null });
    expect(object.metadata.creationTimestamp).toBe(T1);
    expect(owners(object)["kubectl/Apply"]).toEqual({ "f:spec": { "f:note": {} } });
  });

  it("keeps status to its subresource", () => {
    const live = applied(undefined, config({ parallel: 2 }, {}, { status: { phase: "x" } }));
    expect(live.status).toBeUndefined();
    const ready = config({ parallel: 9 }, { labels: { l: "1" } }, { status: { phase: "Ready" } });
    const object = applied(live, ready, { manager: "controller", subresource: "status" });
    expect([object.spec, object.status, object.metadata.labels]).toEqual([
      { parallel: 2 },
      { phase: "Ready" },
      undefined,
    ]);
    expect(object.metadata.managedFields?.find(({ subresource }) => subresource === "status")?.fieldsV1).toEqual({
      "f:status": { "f:phase": {} },
    });
    const contested = config({}, {}, { status: { phase: "Other" } });
    expect(refusal(() => apply(object, contested, { subresource: "status" })).details?.causes?.[0]).toMatchObject({
      message: 'conflict with "controller" with subresource "status"',
      field: ".status.phase",
    });
  });

  it("takes over what client-side apply set, and keeps its note true", () => {
    const note = "kubectl.kubernetes.io/last-applied-configuration";
    const sent = config({ parallel: 2, source: "s" });
    const annotations = { [note]: JSON.stringify(sent) };
    const created = updated(
      undefined,
      config({ parallel: 2, source: "s" }, { annotations }),
      "kubectl-client-side-apply",
    );
    const object = applied(created, config({ parallel: 3, source: "s" }));
    expect(object.spec).toEqual({ parallel: 3, source: "s" });
    expect(JSON.parse(object.metadata.annotations?.[note] ?? "")).toMatchObject({ spec: { parallel: 3 } });
    expect(refusal(() => apply(created, config({ parallel: 3 }), { manager: "flux" })).reason).toBe("Conflict");
    const edited = updated(created, { spec: { parallel: 4, source: "s" } }, "edit");
    expect(refusal(() => apply(edited, config({ parallel: 3 }))).message).toContain('"edit"');
  });

  it("gives what nobody owns to who came before", () => {
    const live = stored(config({ parallel: 2 }) as unknown as ResourceInput);
    expect(refusal(() => apply(live, config({ parallel: 3 }))).message).toContain('"before-first-apply"');
    const object = applied(live, config({ parallel: 2 }));
    expect(Object.keys(owners(object))).toEqual(["kubectl/Apply", "before-first-apply/Update"]);
  });

  it.each([
    ["metadata.managedFields must be nil", config({}, { managedFields: [{ manager: "x" }] }), {}],
    ["sync.example.dev/v2", { ...config({}), apiVersion: "sync.example.dev/v2" }, {}],
    ["Required value", config({}), { manager: "" }],
    ["is an object", [], {}],
    ["item 1 is there twice", config({ list: [{ name: "x" }, { name: "x" }] }), {}],
    ["item 0 lacks a key", config({ list: [{ y: "x" }] }), {}],
  ])("refuses: %s", (message, configuration, options) => {
    const error = refusal(() => apply(undefined, configuration, options));
    expect([error.reason, error.message]).toEqual(["BadRequest", expect.stringContaining(message)]);
  });
});
