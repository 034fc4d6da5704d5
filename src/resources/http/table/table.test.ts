import { describe, expect, it } from "vitest";
import { parseJsonPath, valuesAt } from "../../objects/json-path.ts";
import type { ResourceObject } from "../../objects/object.ts";
import { SYNC_TASK } from "../example-group.fixture.ts";
import { humanDuration } from "./human-duration.ts";
import { serveKind } from "../../schema/serve-kind.ts";
import { tableBookmark, tableFrame, toTable } from "./table.ts";

const SERVED = serveKind("sync.example.dev", "v1", SYNC_TASK);
const NOW = Date.parse("2026-01-01T00:10:00Z");
const OBJECT: ResourceObject = {
  apiVersion: "sync.example.dev/v1",
  kind: "SyncTask",
  metadata: {
    name: "a1",
    namespace: "default",
    uid: "u",
    resourceVersion: "7",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { a: "b" },
  },
  spec: { source: "x", parallel: 4 },
  status: {
    phase: "Running",
    conditions: [
      { type: "Other", status: "False" },
      { type: "Ready", status: "True" },
    ],
  },
};

describe("toTable", () => {
  it("has columns, rows and what the list says", () => {
    const options = {
      resourceVersion: "9",
      continue: "t",
      remainingItemCount: 3,
      includeObject: "Metadata",
      now: NOW,
    } as const;
    expect(toTable(SERVED, [OBJECT], options)).toEqual({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "9", continue: "t", remainingItemCount: 3 },
      columnDefinitions: [
        { name: "Name", type: "string", format: "name", description: expect.any(String), priority: 0 },
        { name: "Phase", type: "string", format: "", description: "", priority: 0 },
        { name: "Ready", type: "string", format: "", description: "", priority: 0 },
        { name: "Parallel", type: "integer", format: "", description: "", priority: 1 },
        { name: "Age", type: "date", format: "", description: expect.any(String), priority: 0 },
      ],
      rows: [
        {
          cells: ["a1", "Running", "True", 4, "10m"],
          object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: OBJECT.metadata },
        },
      ],
    });
  });

  it("shows what is absent, or of another type, as nothing", () => {
    const { status: _status, ...bare } = { ...OBJECT, spec: { parallel: "four" } };
    const table = toTable(SERVED, [bare], { includeObject: "None", now: NOW });
    expect(table).toMatchObject({ metadata: {}, rows: [{ cells: ["a1", null, null, null, "10m"] }] });
    expect(JSON.stringify(table)).not.toContain('"object":');
  });

  it("gives whole objects to who sorts them", () => {
    expect(toTable(SERVED, [OBJECT], { includeObject: "Object", now: NOW, version: "v1beta1" })).toMatchObject({
      apiVersion: "meta.k8s.io/v1beta1",
      rows: [{ object: OBJECT }],
    });
  });

  it("puts Age where the kind puts it", () => {
    const columns = [
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
      { name: "Spec", type: "string", jsonPath: ".spec" },
    ] as const;
    const table = toTable({ ...SERVED, columns }, [OBJECT], { includeObject: "None", now: NOW - 700_000 });
    expect(table).toMatchObject({ rows: [{ cells: ["a1", "<invalid>", '{"source":"x","parallel":4}'] }] });
  });
});

describe("tableFrame", () => {
  it("has the columns only where they are needed", () => {
    const options = { includeObject: "Metadata", now: NOW } as const;
    expect(tableFrame(SERVED, OBJECT, { ...options, withColumns: true })).toMatchObject({
      metadata: { resourceVersion: "7" },
      columnDefinitions: { length: 5 },
      rows: { length: 1 },
    });
    expect(tableFrame(SERVED, OBJECT, { ...options, withColumns: false })).toMatchObject({ columnDefinitions: null });
    expect(tableBookmark("8", { annotations: { "k8s.io/initial-events-end": "true" } }, "v1")).toMatchObject({
      kind: "Table",
      metadata: { resourceVersion: "8", annotations: { "k8s.io/initial-events-end": "true" } },
      rows: [],
    });
  });
});

describe("humanDuration", () => {
  it.each([
    [-5, "<invalid>"],
    [Number.NaN, "<invalid>"],
    [0, "0s"],
    [119, "119s"],
    [120, "2m"],
    [125, "2m5s"],
    [600, "10m"],
    [179 * 60, "179m"],
    [3 * 3600, "3h"],
    [3 * 3600 + 65, "3h1m"],
    [8 * 3600 + 1800, "8h"],
    [47 * 3600, "47h"],
    [2 * 86400 + 3 * 3600, "2d3h"],
    [8 * 86400 + 3600, "8d"],
    [729 * 86400, "729d"],
    [2 * 365 * 86400 + 5 * 86400, "2y5d"],
    [9 * 365 * 86400 + 5 * 86400, "9y"],
  ])("of %d seconds is %s", (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text);
  });
});

describe("JSONPath", () => {
  const value = {
    a: {
      "b.c": [
        { n: 1, t: "x", o: { p: true } },
        { n: 2, t: "y" },
      ],
      d: null,
    },
    m: { x: 1, y: 2 },
  };
  it.each([
    [".a['b.c'][0].n", [1]],
    [String.raw`.a.b\.c[1].t`, ["y"]],
    [".a['b.c'][-1].n", [2]],
    [".a['b.c'][5].n", []],
    [".a['b.c'][*].n", [1, 2]],
    ['.a["b.c"][?(@.t=="y")].n', [2]],
    [".a['b.c'][?(@.t!='y')].n", [1]],
    [".a['b.c'][?(@.n==2)].t", ["y"]],
    [".a['b.c'][?(@.o.p==true)].t", ["x"]],
    ["{.a.d}", [null]],
    ["$.m.*", [1, 2]],
    [".m.constructor", []],
    [".m.x.y", []],
    [".", [value]],
  ])("%s", (path, expected) => {
    expect(valuesAt(value, parseJsonPath(path))).toEqual(expected);
  });

  it.each(["a", ".a[", ".a[?(@.b)]", ".a..b", ".a[x]", ".a b[0"])("refuses %s", (path) => {
    expect(() => parseJsonPath(path)).toThrow("not a JSONPath");
  });
});
