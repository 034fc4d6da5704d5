import { describe, expect, it } from "vitest";
import { CORE_GROUP, SYNC_GROUP } from "../example-group.fixture.ts";
import { openApiV2, openApiV2Document } from "./openapi-v2.ts";
import { openApiV3Document, openApiV3Index } from "./openapi-v3.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { stableHash } from "../stable-hash.ts";

const GROUPS = [CORE_GROUP, SYNC_GROUP];
const KIND = { group: "sync.example.dev", version: "v1", kind: "SyncTask" };
const NAME = "dev.example.sync.v1.SyncTask";

/** Fields of a protobuf message: number, and the bytes or the number. Enough to look into what was written. */
function fieldsOf(bytes: Uint8Array): [number, Uint8Array | number][] {
  const fields: [number, Uint8Array | number][] = [];
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[offset] ?? 0;
      offset += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (offset < bytes.byteLength) {
    const tag = varint();
    const value = varint();
    if ((tag & 7) === 0) fields.push([tag >>> 3, value]);
    else {
      fields.push([tag >>> 3, bytes.subarray(offset, offset + value)]);
      offset += value;
    }
  }
  return fields;
}

function all(bytes: Uint8Array, ...path: readonly number[]): Uint8Array[] {
  return path.reduce<Uint8Array[]>(
    (messages, number) =>
      messages.flatMap((message) =>
        fieldsOf(message).flatMap(([field, value]) => (field === number && typeof value !== "number" ? [value] : [])),
      ),
    [bytes],
  );
}

function texts(bytes: Uint8Array, ...path: readonly number[]): string[] {
  return all(bytes, ...path).map((part) => new TextDecoder().decode(part));
}

/** `components.schemas` and `paths` of a document, untyped as a client would see them. */
interface DocumentV3 {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

function documentV3(): DocumentV3 {
  return JSON.parse(openApiV3Document(SYNC_GROUP, "v1")?.body ?? "{}") as DocumentV3;
}

describe("ProtobufWriter", () => {
  it("writes as the encoding guide has it", () => {
    const writer = new ProtobufWriter()
      .text(2, "testing")
      .flag(1, true)
      .message(3, (inner) => inner.texts(19, ["", "a"]));
    expect([...writer.finish()]).toEqual([
      0x12,
      7,
      ...new TextEncoder().encode("testing"),
      8,
      1,
      0x1a,
      7,
      0x9a,
      1,
      0,
      0x9a,
      1,
      1,
      97,
    ]);
    const long = new ProtobufWriter().text(1, "x".repeat(300)).finish();
    expect([...long.subarray(0, 3)]).toEqual([0x0a, 0xac, 0x02]);
  });
});

describe("openApiV2", () => {
  const bytes = openApiV2(GROUPS);

  it("begins as a document of version 2.0", () => {
    expect(texts(bytes, 1)).toEqual(["2.0"]);
    expect(texts(bytes, 2, 1)).toEqual(["Entrepot"]);
    expect(openApiV2(GROUPS)).toBe(bytes);
  });

  it("defines each kind, with its group and version", () => {
    const names = texts(bytes, 9, 1, 1);
    expect(names).toEqual(Object.keys(openApiV2Document(GROUPS).definitions));
    expect(names).toEqual(expect.arrayContaining([NAME, `${NAME}List`, "dev.entrepot.core.v1.Namespace"]));
    const definition = all(bytes, 9, 1).find((pair) => texts(pair, 1)[0] === NAME);
    expect(definition).toBeDefined();
    if (definition === undefined) return;
    expect(texts(definition, 2, 22, 1)).toEqual(["object"]);
    expect(texts(definition, 2, 19)).toEqual(["spec"]);
    expect(texts(definition, 2, 25, 1, 1)).toEqual(["apiVersion", "kind", "spec", "status", "metadata"]);
    expect(texts(definition, 2, 31, 1)).toEqual(["x-kubernetes-group-version-kind"]);
    expect(texts(definition, 2, 31, 2, 2).map((text) => JSON.parse(text) as unknown)).toEqual([[KIND]]);
  });

  it("has the patch by which kubectl 1.20 knows of dry runs", () => {
    expect(texts(bytes, 8, 2, 1)).toEqual(["/apis/sync.example.dev/v1/namespaces/{namespace}/synctasks/{name}"]);
    const [patch] = all(bytes, 8, 2, 2, 8);
    expect(patch).toBeDefined();
    if (patch === undefined) return;
    expect(texts(patch, 8, 1, 2, 3, 4)).toContain("dryRun");
    expect(texts(patch, 8, 1, 2, 4, 4)).toEqual(["name", "namespace"]);
    expect(texts(patch, 13, 2, 2).map((text) => JSON.parse(text) as unknown)).toEqual(["patch", KIND]);
    expect(texts(patch, 7)).toContain("application/apply-patch+yaml");
  });
});

describe("openApiV3", () => {
  it("has an index with the hash of each document", () => {
    const hash = openApiV3Document(SYNC_GROUP, "v1")?.hash ?? "";
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(openApiV3Document({ ...SYNC_GROUP }, "v1")?.hash).toBe(hash);
    expect(openApiV3Index(GROUPS)).toMatchObject({
      paths: {
        "api/v1": { serverRelativeURL: expect.stringMatching(/^\/openapi\/v3\/api\/v1\?hash=[0-9a-f]{16}$/) },
        "apis/sync.example.dev/v1": { serverRelativeURL: `/openapi/v3/apis/sync.example.dev/v1?hash=${hash}` },
      },
    });
    expect(openApiV3Document(SYNC_GROUP, "v2")).toBeUndefined();
  });

  it("has the verbs that a storage can do, at their paths", () => {
    const base = "/apis/sync.example.dev/v1";
    const methods = Object.fromEntries(
      Object.entries(documentV3().paths).map(([path, item]) => [
        path,
        Object.keys(item).filter((key) => key !== "parameters"),
      ]),
    );
    expect(methods).toEqual({
      [`${base}/synctasks`]: ["get"],
      [`${base}/namespaces/{namespace}/synctasks`]: ["get", "post", "delete"],
      [`${base}/namespaces/{namespace}/synctasks/{name}`]: ["get", "put", "patch", "delete"],
      [`${base}/namespaces/{namespace}/synctasks/{name}/status`]: ["get", "put", "patch"],
      [`${base}/namespaces/{namespace}/synctasks/{name}/run`]: ["post", "get"],
      [`${base}/regions`]: ["get"],
      [`${base}/regions/{name}`]: ["get"],
      [`${base}/namespaces/{namespace}/search/{term}`]: ["get"],
    });
  });

  it("tells kubectl what a patch may be and be told", () => {
    const patch = documentV3().paths["/apis/sync.example.dev/v1/namespaces/{namespace}/synctasks/{name}"]?.["patch"];
    expect(patch).toMatchObject({
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": KIND,
      requestBody: {
        content: {
          "application/json-patch+json": {},
          "application/merge-patch+json": {},
          "application/apply-patch+yaml": {},
        },
      },
    });
    const names = ["dryRun", "fieldManager", "fieldValidation", "force"];
    expect(patch?.["parameters"]).toMatchObject(names.map((name) => ({ name, in: "query" })));
  });

  it("gives every operation a name of its own", () => {
    const ids = Object.values(documentV3().paths).flatMap((item) =>
      Object.values(item).flatMap((operation) => (Array.isArray(operation) ? [] : [operation["operationId"]])),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain("findTasks");
  });

  it("has the schemas, and nothing refers to one that is not there", () => {
    const document = documentV3();
    const { schemas } = document.components;
    expect(schemas[NAME]).toMatchObject({
      type: "object",
      description: "Copies images from one registry to another.",
      required: ["spec"],
      properties: { spec: { properties: { parallel: { type: "integer", minimum: 1, maximum: 16, default: 4 } } } },
      "x-kubernetes-group-version-kind": [KIND],
    });
    const references = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/([^"]+)/g)].map(
      ([, name]) => name,
    );
    expect(references.filter((name) => name === undefined || schemas[name] === undefined)).toEqual([]);
  });

  it("lets the group edit it", () => {
    expect(documentV3()).toMatchObject({ "x-edited": true });
  });
});

describe("stableHash", () => {
  it("differs where texts differ", () => {
    const hashes = Array.from({ length: 2000 }, (_, index) => stableHash(`text ${index}`));
    expect(new Set(hashes).size).toBe(2000);
    expect(stableHash("ab")).not.toBe(stableHash("ba"));
    expect(stableHash("")).toHaveLength(16);
  });
});
