import { badRequest, StatusError } from "../status-error.ts";
import { type Message, readMessage, text, type WireField } from "./protobuf-wire.ts";

/** "k8s" and a zero byte stand before every protobuf body. @see kubernetes/apimachinery, serializer/protobuf */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/** `runtime.Unknown`: what kind the bytes in `raw` are. */
const TYPE_META: Message = { 1: text("apiVersion"), 2: text("kind") };

const OWNER_REFERENCE: Message = {
  1: text("kind"),
  3: text("name"),
  4: text("uid"),
  5: text("apiVersion"),
  6: { name: "controller", type: "bool" },
  7: { name: "blockOwnerDeletion", type: "bool" },
};

/** What a client may say of an object's metadata; times, versions and managers are the server's. */
const OBJECT_META: Message = {
  1: text("name"),
  2: text("generateName"),
  3: text("namespace"),
  5: text("uid"),
  6: text("resourceVersion"),
  11: { name: "labels", type: "map" },
  12: { name: "annotations", type: "map" },
  13: { name: "ownerReferences", type: OWNER_REFERENCE, repeated: true },
  14: { name: "finalizers", type: "string", repeated: true },
};

const RESOURCE_ATTRIBUTES: Message = {
  1: text("namespace"),
  2: text("verb"),
  3: text("group"),
  4: text("version"),
  5: text("resource"),
  6: text("subresource"),
  7: text("name"),
};
const NON_RESOURCE_ATTRIBUTES: Message = { 1: text("path"), 2: text("verb") };

const METADATA: WireField = { name: "metadata", type: OBJECT_META };
const withSpec = (spec: Message): Message => ({ 1: METADATA, 2: { name: "spec", type: spec } });

/** The kinds that kubectl sends in protobuf. @see kubernetes/api, the `generated.proto` of each group */
const KINDS: Readonly<Record<string, Message>> = {
  SelfSubjectAccessReview: withSpec({
    1: { name: "resourceAttributes", type: RESOURCE_ATTRIBUTES },
    2: { name: "nonResourceAttributes", type: NON_RESOURCE_ATTRIBUTES },
  }),
  SelfSubjectRulesReview: withSpec({ 1: text("namespace") }),
  SelfSubjectReview: { 1: METADATA },
  Namespace: withSpec({ 1: { name: "finalizers", type: "string", repeated: true } }),
  DeleteOptions: {
    1: { name: "gracePeriodSeconds", type: "int" },
    2: { name: "preconditions", type: { 1: text("uid"), 2: text("resourceVersion") } },
    3: { name: "orphanDependents", type: "bool" },
    4: text("propagationPolicy"),
    5: { name: "dryRun", type: "string", repeated: true },
  },
};

/**
 * Decodes a protobuf body into what its JSON would be. Empty texts are left out, as Go's encoder writes them for fields
 * that are not set.
 * @throws {StatusError} BadRequest, for broken bytes; UnsupportedMediaType, for kinds that are only understood as JSON
 */
export function decodeProtobuf(bytes: Uint8Array): Record<string, unknown> {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw badRequest("the body is not a protobuf of Kubernetes");
  let raw: Uint8Array = new Uint8Array();
  const unknown = readMessage(bytes.subarray(MAGIC.length), {
    1: { name: "typeMeta", type: TYPE_META },
    2: { name: "raw", type: "bytes" },
  });
  if (unknown["raw"] instanceof Uint8Array) raw = unknown["raw"];
  const { apiVersion = "", kind = "" } = (unknown["typeMeta"] ?? {}) as Record<string, string>;
  const message = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (message === undefined) {
    throw new StatusError("UnsupportedMediaType", `objects of kind "${kind}" are understood as JSON and YAML only`);
  }
  return { apiVersion, kind, ...readMessage(raw, message) };
}
