import { describe, expect, it } from "vitest";
import { decodeBody } from "../body/body.ts";
import { decodeProtobuf } from "./protobuf.ts";

// What kubectl 1.32 sent, byte for byte.
const KUBECTL = {
  whoami:
    "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a656374526576696577121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200",
  rules:
    "6b3873000a310a17617574686f72697a6174696f6e2e6b38732e696f2f7631121653656c665375626a65637452756c657352657669657712220a100a0012001a0022002a0032003800420012080a067465616d2d611a04180022001a002200",
  access:
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577124a0a100a0012001a0022002a00320038004200122c0a2a0a067465616d2d6112066372656174651a0022002a0a6e616d6573706163657332003a067374617475731a08080012001a0020001a002200",
  path: "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577122f0a100a0012001a0022002a003200380042001211120f0a082f76657273696f6e12036765741a08080012001a0020001a002200",
  namespace:
    "6b3873000a0f0a02763112094e616d657370616365121e0a160a067465616d2d6212001a0022002a0032003800420012001a020a001a002200",
};

// What client-go 0.37 makes of these objects, byte for byte.
const CLIENT_GO: readonly (readonly [hex: string, object: object])[] = [
  [
    "6b3873000a1f0a16636f6f7264696e6174696f6e2e6b38732e696f2f763112054c6561736512380a110a016112001a0022002a0032003800420012230a036f6e65100f1a0b08a5ebdcca06108094ef3a220b08a5ebdcca06108094ef3a28021a002200",
    {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "a" },
      spec: {
        holderIdentity: "one",
        leaseDurationSeconds: 15,
        acquireTime: "2026-01-02T03:04:05.123456Z",
        renewTime: "2026-01-02T03:04:05.123456Z",
        leaseTransitions: 2,
      },
    },
  ],
  [
    "6b3873000a0f0a0276311209436f6e6669674d617012270a110a016112001a0022002a0032003800420012060a016b1201761a080a0162120300010220011a002200",
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a" },
      immutable: true,
      data: { k: "v" },
      binaryData: { b: "AAEC" },
    },
  ],
  [
    "6b3873000a0b0a02763112054576656e7412610a110a016112001a0022002a0032003800420012180a05506c616e7412047465616d1a017022002a0032003a001a015222014d2a050a01631200320808a5ebdcca0610003a0808a5ebdcca06100040034a064e6f726d616c520062007201637a001a002200",
    {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "a" },
      involvedObject: { kind: "Plant", namespace: "team", name: "p" },
      reason: "R",
      message: "M",
      source: { component: "c" },
      firstTimestamp: "2026-01-02T03:04:05Z",
      lastTimestamp: "2026-01-02T03:04:05Z",
      count: 3,
      type: "Normal",
      reportingComponent: "c",
    },
  ],
  [
    "6b3873000a190a106576656e74732e6b38732e696f2f763112054576656e74126b0a110a016112001a0022002a00320038004200120b08a5ebdcca06108094ef3a1a0f0802120b08a5ebdcca06108094ef3a2201632a01693201413a015242140a05506c616e7412001a017022002a0032003a0052014e5a075761726e696e6762040a0012006a00720078001a002200",
    {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "a" },
      eventTime: "2026-01-02T03:04:05.123456Z",
      series: { count: 2, lastObservedTime: "2026-01-02T03:04:05.123456Z" },
      reportingController: "c",
      reportingInstance: "i",
      action: "A",
      reason: "R",
      regarding: { kind: "Plant", name: "p" },
      note: "N",
      type: "Warning",
      deprecatedCount: 0,
    },
  ],
];

/** A length-delimited field. */
function field(number: number, content: string | readonly number[]): number[] {
  const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : content;
  return [number * 8 + 2, bytes.length, ...bytes];
}

function envelope(kind: string, raw: readonly number[]): Uint8Array {
  return new Uint8Array([0x6b, 0x38, 0x73, 0, ...field(1, [...field(1, "v1"), ...field(2, kind)]), ...field(2, raw)]);
}

describe("decodeProtobuf", () => {
  it("reads what kubectl sends", () => {
    const decoded = (hex: string) => decodeProtobuf(Uint8Array.fromHex(hex));
    expect(decoded(KUBECTL.whoami)).toEqual({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
    expect(decoded(KUBECTL.rules)).toEqual({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectRulesReview",
      spec: { namespace: "team-a" },
    });
    expect(decoded(KUBECTL.access)).toEqual({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { namespace: "team-a", verb: "create", resource: "namespaces", name: "status" } },
    });
    expect(decoded(KUBECTL.path)).toMatchObject({ spec: { nonResourceAttributes: { path: "/version", verb: "get" } } });
    expect(decoded(KUBECTL.namespace)).toEqual({ apiVersion: "v1", kind: "Namespace", metadata: { name: "team-b" } });
  });

  it.each(CLIENT_GO)("reads what client-go sends: %s", (hex, object) => {
    expect(decodeProtobuf(Uint8Array.fromHex(hex))).toEqual(object);
  });

  it("reads metadata and delete options", () => {
    const label = (key: string) => field(11, [...field(1, key), ...field(2, "x")]);
    const owner = field(13, [...field(1, "Task"), ...field(3, "a"), 6 * 8, 1]);
    const metadata = field(1, [...field(1, "n"), ...label("a"), ...label("b"), ...owner, ...field(14, "f")]);
    expect(decodeProtobuf(envelope("Namespace", metadata))).toMatchObject({
      metadata: {
        name: "n",
        labels: { a: "x", b: "x" },
        ownerReferences: [{ kind: "Task", name: "a", controller: true }],
        finalizers: ["f"],
      },
    });
    const options = [8, 0, ...field(2, field(1, "uid")), ...field(4, "Orphan"), ...field(5, "All")];
    expect(decodeProtobuf(envelope("DeleteOptions", options))).toMatchObject({
      gracePeriodSeconds: 0,
      preconditions: { uid: "uid" },
      propagationPolicy: "Orphan",
      dryRun: ["All"],
    });
  });

  it("refuses what is broken", () => {
    const good = Uint8Array.fromHex(KUBECTL.namespace);
    expect(() => decodeProtobuf(good.subarray(1))).toThrow(/not a protobuf/);
    expect(() => decodeProtobuf(good.subarray(0, 30))).toThrow(/ends too early/);
    expect(() => decodeProtobuf(envelope("Namespace", [8, 1]))).toThrow(/another type/);
    expect(() => decodeProtobuf(envelope("Namespace", field(1, field(1, [0xff]))))).toThrow(/not UTF-8/);
    expect(() => decodeProtobuf(envelope("Namespace", [0x0b]))).toThrow(/broken/);
    expect(() => decodeProtobuf(envelope("Namespace", Array(12).fill(0xff)))).toThrow(/too long/);
    expect(() => decodeProtobuf(envelope("Namespace", field(1, field(11, field(1, "__proto__")))))).toThrow(
      /not allowed/,
    );
    expect(() => decodeProtobuf(envelope("Secret", []))).toThrow(/JSON and YAML only/);
  });

  it("is reached by its content type", async () => {
    const headers = new Headers({ "content-type": "application/vnd.kubernetes.protobuf" });
    const body = Uint8Array.fromHex(KUBECTL.namespace);
    const decoded = await decodeBody({ headers, body }, { limit: 1000 });
    expect(decoded).toMatchObject({ kindOfBody: "protobuf", object: { metadata: { name: "team-b" } } });
  });
});
