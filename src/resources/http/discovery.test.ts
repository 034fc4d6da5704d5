import { describe, expect, it } from "vitest";
import { apiGroup, apiGroupList, apiResourceList, apiVersions, groupDiscoveryList } from "./discovery.ts";
import { CORE_GROUP, SYNC_GROUP } from "./example-group.fixture.ts";
import {
  discoveryContentType,
  negotiateDiscovery,
  negotiateObject,
  negotiateOpenApiV2,
  requireJson,
} from "./negotiate.ts";

const GROUPS = [CORE_GROUP, SYNC_GROUP];
const V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

describe("legacy discovery", () => {
  it("names versions and groups", () => {
    expect(apiVersions(GROUPS)).toEqual({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
    const version = { groupVersion: "sync.example.dev/v1", version: "v1" };
    const group = { name: "sync.example.dev", versions: [version], preferredVersion: version };
    expect(apiGroupList(GROUPS)).toEqual({ kind: "APIGroupList", apiVersion: "v1", groups: [group] });
    expect(apiGroup(SYNC_GROUP)).toEqual({ kind: "APIGroup", apiVersion: "v1", ...group });
  });

  it("names resources, with what each can do", () => {
    const [version] = SYNC_GROUP.versions;
    if (version === undefined) throw new Error("no version");
    expect(apiResourceList("sync.example.dev", version)).toEqual({
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: "sync.example.dev/v1",
      resources: [
        {
          name: "synctasks",
          singularName: "synctask",
          namespaced: true,
          kind: "SyncTask",
          verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
          shortNames: ["st"],
          categories: ["all"],
          storageVersionHash: expect.stringMatching(/^[\w+/]{11}=$/),
        },
        {
          name: "synctasks/status",
          singularName: "",
          namespaced: true,
          kind: "SyncTask",
          verbs: ["get", "patch", "update"],
        },
        { name: "synctasks/run", singularName: "", namespaced: true, kind: "SyncTask", verbs: ["create", "get"] },
        {
          name: "regions",
          singularName: "region",
          namespaced: false,
          kind: "Region",
          verbs: ["get", "list"],
          storageVersionHash: expect.any(String),
        },
      ],
    });
  });
});

describe("aggregated discovery", () => {
  it("has everything of the named groups", () => {
    const list = groupDiscoveryList(GROUPS, "named", "v2");
    const kind = { group: "sync.example.dev", version: "v1", kind: "SyncTask" };
    expect(list).toMatchObject({
      kind: "APIGroupDiscoveryList",
      apiVersion: "apidiscovery.k8s.io/v2",
      items: [
        {
          metadata: { name: "sync.example.dev", creationTimestamp: null },
          versions: [
            {
              version: "v1",
              freshness: "Current",
              resources: [
                {
                  resource: "synctasks",
                  responseKind: kind,
                  scope: "Namespaced",
                  singularResource: "synctask",
                  shortNames: ["st"],
                  subresources: [
                    { subresource: "status", responseKind: kind, verbs: ["get", "patch", "update"] },
                    { subresource: "run", responseKind: kind, verbs: ["create", "get"] },
                  ],
                },
                { resource: "regions", scope: "Cluster" },
              ],
            },
          ],
        },
      ],
    });
  });

  it("has the core group without a name", () => {
    expect(groupDiscoveryList(GROUPS, "core", "v2beta1")).toMatchObject({
      apiVersion: "apidiscovery.k8s.io/v2beta1",
      items: [{ metadata: { creationTimestamp: null }, versions: [{ version: "v1" }] }],
    });
    expect(groupDiscoveryList([SYNC_GROUP], "core", "v2")).toMatchObject({ items: [] });
  });
});

describe("negotiation", () => {
  it.each([
    [null, "legacy"],
    ["application/json, */*", "legacy"],
    [`${V2},${V2BETA1},application/json`, "v2"],
    [`${V2BETA1},application/json`, "v2beta1"],
    ["application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json", "legacy"],
    [`application/json,${V2}`, "legacy"],
    [`application/json;q=0.5,${V2}`, "v2"],
    [`${PROTOBUF};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,${V2}`, "v2"],
  ])("of discovery by %s: %s", (accept, format) => {
    expect(negotiateDiscovery(accept)).toBe(format);
  });

  it.each([
    [null, { as: "Object" }],
    ["*/*", { as: "Object" }],
    [`${PROTOBUF},application/json`, { as: "Object" }],
    [`${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, { as: "Table", version: "v1" }],
    ["application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", { as: "Table", version: "v1beta1" }],
    ["application/json;as=Table;v=v7;g=meta.k8s.io,application/json", { as: "Object" }],
    [
      `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`,
      { as: "PartialObjectMetadata", version: "v1" },
    ],
    ["application/json;stream=watch", { as: "Object" }],
  ])("of objects by %s: %j", (accept, format) => {
    expect(negotiateObject(accept)).toEqual(format);
  });

  it("refuses who reads protobuf only", () => {
    expect(() => negotiateObject(PROTOBUF)).toThrow("only the following media types are accepted: application/json");
    expect(() => negotiateDiscovery(PROTOBUF)).toThrow(expect.objectContaining({ code: 406, reason: "NotAcceptable" }));
    expect(() => negotiateObject("application/json;as=Table;v=v7;g=meta.k8s.io")).toThrow();
    expect(() => negotiateObject("application/json;q=0")).toThrow();
    expect(() => requireJson("text/html")).toThrow();
    expect(() => requireJson("text/html, application/json")).not.toThrow();
  });

  it("gives the OpenAPI v2 document as protobuf to kubectl", () => {
    expect(negotiateOpenApiV2("application/com.github.proto-openapi.spec.v2@v1.0+protobuf")).toBe("protobuf");
    expect(negotiateOpenApiV2("application/json, */*")).toBe("json");
    expect(() => negotiateOpenApiV2("text/html")).toThrow();
  });

  it("says which document it is", () => {
    expect(discoveryContentType("v2")).toBe(V2);
    expect(discoveryContentType("legacy")).toBe("application/json");
  });
});
