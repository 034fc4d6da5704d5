import { beforeAll, describe, expect, it } from "vitest";
import { request } from "../bindings.ts";
import { widgetObject, widgets } from "./definition-fixture.ts";
import { newGroup, PLATFORM } from "./fixture.ts";

interface Answer {
  readonly status: number;
  readonly body: {
    readonly kind: string;
    readonly message?: string;
    readonly metadata: { readonly name?: string; readonly resourceVersion: string; readonly generation: number };
    readonly spec: Readonly<Record<string, unknown>>;
    readonly status: Readonly<Record<string, unknown>>;
    readonly items: readonly Answer["body"][];
  };
}

async function send(method: string, path: string, body?: unknown, type = "application/json"): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { method, headers: { "content-type": type } };
  const response = await request(path, body === undefined ? init : { ...init, body: text });
  return { status: response.status, body: await response.json() };
}

const MERGE = "application/merge-patch+json";
const group = newGroup();
const path = `/apis/${group}/v1/namespaces/team-a/widgets`;
const widget = (name: string, spec: object = {}, metadata: object = {}) => ({
  ...widgetObject(name, spec, metadata),
  apiVersion: `${group}/v1`,
});

async function define(definition: object): Promise<void> {
  expect(await send("POST", `/apis/${PLATFORM}/v1/resourcedefinitions`, definition)).toMatchObject({ status: 201 });
}

const OPEN = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

beforeAll(async () => {
  const spec = {
    type: "object",
    properties: { count: { type: "integer", format: "int64" }, open: OPEN, replicas: { type: "integer" } },
  };
  const status = { type: "object", properties: { ready: { type: "integer" }, selector: { type: "string" } } };
  const scale = {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.ready",
    labelSelectorPath: ".status.selector",
  };
  const version = {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: "object", properties: { spec, status } } },
    subresources: { status: {}, scale },
  };
  await define(
    widgets(group, undefined, {
      // As controller-gen writes it.
      names: { kind: "Widget", listKind: "WidgetSet", plural: "widgets", singular: "widget" },
      conversion: { strategy: "None" },
      preserveUnknownFields: false,
      versions: [version],
    }),
  );
});

describe("null", () => {
  const fields = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "managedFields",
  ];

  it.each(fields)("is nothing as metadata.%s", async (field) => {
    const name = `null-${field.toLowerCase()}`;
    const metadata = { name, generateName: "x-", [field]: null };
    const created = await send("POST", path, widget("", {}, metadata));
    expect(created.status).toBe(201);
    const { name: made = "" } = created.body.metadata;
    const at = `${path}/${made}`;
    const whole = { ...widget(made), metadata: { name: made, [field]: null } };
    expect((await send("PUT", at, whole)).status).toBe(200);
    expect((await send("PATCH", at, { metadata: { [field]: null } }, MERGE)).status).toBe(200);
    const operations = [{ op: "add", path: `/metadata/${field}`, value: null }];
    expect((await send("PATCH", at, operations, "application/json-patch+json")).status).toBe(200);
    if (field === "name") return;
    const applied = await send("PATCH", `${at}?fieldManager=t&force=true`, whole, "application/apply-patch+yaml");
    expect(applied.status).toBe(200);
  });

  it.each([
    [{ metadata: null }, 422],
    [{ apiVersion: null, kind: null, metadata: { name: "null-type" } }, 201],
    [{ metadata: { name: "null-label", labels: { a: null } } }, 201],
    [{ metadata: { name: "null-finalizer", finalizers: [null] } }, 422],
    [{ metadata: { name: "null-owner", ownerReferences: [null] } }, 422],
    [{ metadata: { name: "null-spec" }, spec: null }, 201],
  ])("in %j is answered with %i", async (body, status) => {
    expect((await send("POST", path, body)).status).toBe(status);
  });
});

describe("whole numbers", () => {
  it("of 53 bits are kept, and larger ones are refused rather than rounded", async () => {
    const exact = Number.MAX_SAFE_INTEGER;
    const kept = await send("POST", path, widget("exact", { count: exact, open: { deep: [-exact] } }));
    expect(kept.body.spec).toEqual({ count: exact, open: { deep: [-exact] } });
    for (const spec of [
      '{"count":9007199254740993}',
      '{"open":{"deep":[9223372036854775807]}}',
      '{"count":-9007199254740993}',
    ]) {
      const whole = `{"apiVersion":"${group}/v1","kind":"Widget","metadata":{"name":"inexact"},"spec":${spec}}`;
      const patch = `{"spec":${spec}}`;
      const operations = `[{"op":"add","path":"/spec","value":${spec}}]`;
      const answers = [
        await send("POST", path, whole),
        await send("POST", path, whole, "application/yaml"),
        await send("POST", path, `kind: Widget\nmetadata: {name: inexact}\nspec: ${spec}`, "application/yaml"),
        await send("PATCH", `${path}/exact`, patch, MERGE),
        await send("PATCH", `${path}/exact`, operations, "application/json-patch+json"),
        await send("PATCH", `${path}/exact?fieldManager=t`, patch, "application/apply-patch+yaml"),
      ];
      expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 422]);
      expect(answers[0]?.body.message).toContain("cannot be kept exactly");
    }
  });
});

describe("a patch without a version", () => {
  it.each([
    [MERGE, (index: number) => ({ metadata: { labels: { [`l${index}`]: "x" } } })],
    ["application/json-patch+json", (index: number) => [{ op: "add", path: `/metadata/labels/l${index}`, value: "x" }]],
  ])(
    "fits in the end, however many there are at once: %s",
    async (type, patchOf) => {
      const name = `crowded-${type.includes("merge") ? "merge" : "json"}`;
      await send("POST", path, widget(name, {}, { labels: { l: "x" } }));
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => send("PATCH", `${path}/${name}`, patchOf(index), type)),
      );
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      const labels = (await send("GET", `${path}/${name}`)).body.metadata as unknown as { labels: object };
      expect(Object.keys(labels.labels)).toHaveLength(101);
    },
    180_000,
  );

  it("that insists on a version is refused when another one came first", async () => {
    const { metadata } = (await send("POST", path, widget("versioned"))).body;
    const patch = (label: string) => ({
      metadata: { resourceVersion: metadata.resourceVersion, labels: { [label]: "" } },
    });
    expect((await send("PATCH", `${path}/versioned`, patch("a"), MERGE)).status).toBe(200);
    expect((await send("PATCH", `${path}/versioned`, patch("b"), MERGE)).status).toBe(409);
  });
});

describe("scale", () => {
  it("is read and written for a kind that says where its counts are", async () => {
    await send("POST", path, widget("scaled", { replicas: 2 }));
    await send("PATCH", `${path}/scaled/status`, { status: { ready: 1, selector: "a=b" } }, MERGE);
    const at = `${path}/scaled/scale`;
    const scale = (await send("GET", at)).body;
    expect(scale).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name: "scaled", namespace: "team-a" },
      spec: { replicas: 2 },
      status: { replicas: 1, selector: "a=b" },
    });
    expect((await send("PATCH", at, { spec: { replicas: 5 } }, MERGE)).body.spec).toEqual({ replicas: 5 });
    expect((await send("PUT", at, { ...scale, spec: { replicas: 6 } })).status).toBe(409);
    const { resourceVersion: _old, ...metadata } = scale.metadata;
    expect((await send("PUT", at, { ...scale, metadata, spec: { replicas: 7 } })).status).toBe(200);
    expect((await send("PATCH", at, { spec: { replicas: -1 } }, MERGE)).status).toBe(422);
    const whole = (await send("GET", `${path}/scaled`)).body;
    expect([whole.spec["replicas"], whole.status["ready"], whole.metadata.generation]).toEqual([7, 1, 3]);
    expect((await send("GET", `${path}/nobody/scale`)).status).toBe(404);
    expect((await send("DELETE", at)).status).toBe(405);
  });

  it("is in discovery as what it is", async () => {
    const { resources } = (await send("GET", `/apis/${group}/v1`)).body as unknown as { resources: object[] };
    expect(resources).toContainEqual(
      expect.objectContaining({ name: "widgets/scale", group: "autoscaling", version: "v1", kind: "Scale" }),
    );
  });
});

describe("a definition", () => {
  it("names the kind of its lists", async () => {
    expect((await send("GET", path)).body.kind).toBe("WidgetSet");
  });

  it.each([{ conversion: { strategy: "Webhook" } }, { preserveUnknownFields: true }])(
    "that asks for what there is not is refused: %j",
    async (more) => {
      const other = newGroup();
      expect(
        (await send("POST", `/apis/${PLATFORM}/v1/resourcedefinitions`, widgets(other, undefined, more))).status,
      ).toBe(422);
    },
  );

  it("offers its versions in the order of their priority", async () => {
    const other = newGroup();
    const names = ["v1alpha1", "v1beta1", "v2beta1", "v1", "v1beta2"];
    const versions = names.map((name) => ({
      name,
      served: true,
      storage: name === "v1",
      schema: { openAPIV3Schema: OPEN },
    }));
    await define(widgets(other, undefined, { versions }));
    const shown = (await send("GET", `/apis/${other}`)).body as unknown as {
      readonly versions: readonly { readonly version: string }[];
      readonly preferredVersion: { readonly version: string };
    };
    expect(shown.versions.map(({ version }) => version)).toEqual(["v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1"]);
    expect(shown.preferredVersion.version).toBe("v1");
  });
});

describe("selectors of labels", () => {
  it("compare whole numbers", async () => {
    const values = { few: "3", some: "10", many: "9223372036854775807", toomany: "9223372036854775808", text: "10a" };
    for (const [name, size] of Object.entries(values)) {
      expect((await send("POST", path, widget(`size-${name}`, {}, { labels: { size } }))).status).toBe(201);
    }
    const named = async (selector: string) => {
      const { items } = (await send("GET", `${path}?labelSelector=${encodeURIComponent(selector)}`)).body;
      return items.map(({ metadata }) => metadata.name);
    };
    expect(await named("size>3")).toEqual(["size-many", "size-some"]);
    expect(await named("size > 2, size < 11")).toEqual(["size-few", "size-some"]);
    expect(await named("size<3")).toEqual([]);
    expect((await send("GET", `${path}?labelSelector=${encodeURIComponent("size>x")}`)).status).toBe(400);
  });
});
