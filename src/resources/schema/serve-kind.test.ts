import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { KindDeclaration } from "../kinds/kind.ts";
import { withDefaults } from "./defaults.ts";
import { serveKind } from "./serve-kind.ts";
import { checkStructural } from "./structural.ts";
import { unknownFields } from "./unknown-fields.ts";
import { validateSchema } from "./validate.ts";

const GOOD: KindDeclaration = {
  kind: "SyncTask",
  plural: "synctasks",
  shortNames: ["st"],
  scope: "Namespaced",
  description: "Copies images.",
  spec: z
    .object({ from: z.string(), to: z.string().default("here"), list: z.array(z.object({ a: z.int() })).optional() })
    .refine(({ from, to }) => from !== to, { path: ["to"], message: "must differ from the source" }),
  status: z.object({ phase: z.string().optional() }),
  columns: [{ name: "Phase", type: "string", jsonPath: ".status.phase" }],
  selectableFields: [".spec.from"],
  validations: [{ rule: "self.spec.from != ''" }],
};

describe("serveKind", () => {
  it("makes a kind that can be served", () => {
    const served = serveKind("sync.example.dev", "v1", GOOD);
    expect(served).toMatchObject({
      kind: "SyncTask",
      singular: "synctask",
      shortNames: ["st"],
      categories: [],
      hasStatus: true,
    });
    expect(Object.keys(served.schema.properties ?? {})).toEqual(["apiVersion", "kind", "spec", "status", "metadata"]);
    expect(served.schema.required).toEqual(["spec"]);
    expect(checkStructural(served.schema)).toEqual([]);
  });

  it("knows every field that the server returns", () => {
    const served = serveKind("sync.example.dev", "v1", GOOD);
    const object = {
      apiVersion: "sync.example.dev/v1",
      kind: "SyncTask",
      metadata: {
        name: "a",
        generateName: "a-",
        namespace: "default",
        uid: "u",
        resourceVersion: "1",
        generation: 1,
        creationTimestamp: null,
        deletionTimestamp: "2026-01-01T00:00:00Z",
        deletionGracePeriodSeconds: 0,
        labels: { a: "b" },
        annotations: { "x/y": "z" },
        finalizers: ["f"],
        ownerReferences: [
          { apiVersion: "v1", kind: "A", name: "a", uid: "u", controller: true, blockOwnerDeletion: true },
        ],
        managedFields: [
          {
            manager: "m",
            operation: "Apply",
            apiVersion: "v1",
            time: "2026-01-01T00:00:00Z",
            fieldsType: "FieldsV1",
            fieldsV1: { "f:a": {} },
            subresource: "status",
          },
        ],
      },
      spec: { from: "a" },
      status: {},
    };
    expect(unknownFields(object, served.schema)).toEqual([]);
    expect(validateSchema(object, served.schema)).toEqual([]);
  });

  it("has zod check what a schema cannot say", () => {
    const { refine } = serveKind("sync.example.dev", "v1", GOOD);
    expect(refine?.({ spec: { from: "a", to: "b" } })).toEqual([]);
    expect(refine?.({ spec: { from: "a", to: "a" } })).toEqual([
      { field: "spec.to", message: "must differ from the source" },
    ]);
    expect(refine?.({ spec: { from: "a", list: [{ a: "x" }] } })?.[0]?.field).toBe("spec.list[0].a");
    expect(refine?.(null)).toEqual([]);
  });

  it("fills in a spec that needs nothing", () => {
    const { schema } = serveKind("a.dev", "v1", {
      ...GOOD,
      spec: z.object({ n: z.int().default(1) }),
      selectableFields: [],
      validations: [],
    });
    expect(withDefaults({}, schema)).toEqual({ spec: { n: 1 } });
  });

  it.each<[string, Partial<KindDeclaration>, string]>([
    ["kind", { kind: "syncTask" }, 'kind "syncTask"'],
    ["plural", { plural: "SyncTasks" }, 'plural "SyncTasks"'],
    ["short name", { shortNames: ["S T"] }, 'short name "S T"'],
    ["short name given twice", { shortNames: ["st", "st"] }, "short names must differ"],
    ["short name that is the plural", { shortNames: ["synctasks"] }, "short names must differ"],
    ["category", { categories: ["All"] }, 'category "All"'],
    ["column", { columns: [{ name: "A", type: "string", jsonPath: "status" }] }, 'column "A"'],
    ["path of a column", { columns: [{ name: "A", type: "string", jsonPath: ".a[" }] }, 'column "A"'],
    ["selectable field", { selectableFields: [".spec.nothing"] }, 'selectable field ".spec.nothing"'],
    ["rule", { validations: [{ rule: "self." }] }, "x-kubernetes-validations[0].rule"],
    ["spec", { spec: z.string(), selectableFields: [] }, "spec must be an object"],
  ])("refuses a bad %s", (_what, change, message) => {
    expect(() => serveKind("sync.example.dev", "v1", { ...GOOD, ...change })).toThrow(message);
  });

  it.each([
    ["Sync", "v1", 'group "Sync"'],
    ["sync", "v1", 'group "sync"'],
    ["sync.dev", "1", 'version "1"'],
  ])("refuses group %s in version %s", (group, version, message) => {
    expect(() => serveKind(group, version, GOOD)).toThrow(message);
  });
});
