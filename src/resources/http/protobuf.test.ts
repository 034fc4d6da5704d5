import { describe, expect, it } from "vitest";
import { decodeBody } from "./body.ts";
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
