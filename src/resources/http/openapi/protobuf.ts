import { badRequest, StatusError } from "../../status-error.ts";
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

const time = (name: string): WireField => ({ name, type: "time" });
const microTime = (name: string): WireField => ({ name, type: "micro-time" });
const int = (name: string): WireField => ({ name, type: "int" });

const OBJECT_REFERENCE: Message = {
  1: text("kind"),
  2: text("namespace"),
  3: text("name"),
  4: text("uid"),
  5: text("apiVersion"),
  6: text("resourceVersion"),
  7: text("fieldPath"),
};
const EVENT_SOURCE: Message = { 1: text("component"), 2: text("host") };
const EVENT_SERIES: Message = { 1: int("count"), 2: microTime("lastObservedTime") };

const CORE_EVENT: Message = {
  1: METADATA,
  2: { name: "involvedObject", type: OBJECT_REFERENCE },
  3: text("reason"),
  4: text("message"),
  5: { name: "source", type: EVENT_SOURCE },
  6: time("firstTimestamp"),
  7: time("lastTimestamp"),
  8: int("count"),
  9: text("type"),
  10: microTime("eventTime"),
  11: { name: "series", type: EVENT_SERIES },
  12: text("action"),
  13: { name: "related", type: OBJECT_REFERENCE },
  14: text("reportingComponent"),
  15: text("reportingInstance"),
};

const EVENT: Message = {
  1: METADATA,
  2: microTime("eventTime"),
  3: { name: "series", type: EVENT_SERIES },
  4: text("reportingController"),
  5: text("reportingInstance"),
  6: text("action"),
  7: text("reason"),
  8: { name: "regarding", type: OBJECT_REFERENCE },
  9: { name: "related", type: OBJECT_REFERENCE },
  10: text("note"),
  11: text("type"),
  12: { name: "deprecatedSource", type: EVENT_SOURCE },
  13: time("deprecatedFirstTimestamp"),
  14: time("deprecatedLastTimestamp"),
  15: int("deprecatedCount"),
};

/** The kinds that clients send in protobuf. @see kubernetes/api, the `generated.proto` of each group */
const KINDS: Readonly<Record<string, Message>> = {
  SelfSubjectAccessReview: withSpec({
    1: { name: "resourceAttributes", type: RESOURCE_ATTRIBUTES },
    2: { name: "nonResourceAttributes", type: NON_RESOURCE_ATTRIBUTES },
  }),
  SelfSubjectRulesReview: withSpec({ 1: text("namespace") }),
  SelfSubjectReview: { 1: METADATA },
  ConfigMap: {
    1: METADATA,
    2: { name: "data", type: "map" },
    3: { name: "binaryData", type: "bytes-map" },
    4: { name: "immutable", type: "bool" },
  },
  Lease: withSpec({
    1: text("holderIdentity"),
    2: int("leaseDurationSeconds"),
    3: microTime("acquireTime"),
    4: microTime("renewTime"),
    5: int("leaseTransitions"),
    6: text("strategy"),
    7: text("preferredHolder"),
  }),
  Namespace: withSpec({ 1: { name: "finalizers", type: "string", repeated: true } }),
  DeleteOptions: {
    1: { name: "gracePeriodSeconds", type: "int" },
    2: { name: "preconditions", type: { 1: text("uid"), 2: text("resourceVersion") } },
    3: { name: "orphanDependents", type: "bool" },
    4: text("propagationPolicy"),
    5: { name: "dryRun", type: "string", repeated: true },
  },
};

/** Events are of two groups, and of another shape in each. */
function messageOf(apiVersion: string, kind: string): Message | undefined {
  if (kind === "Event") return apiVersion === "v1" ? CORE_EVENT : EVENT;
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
}

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
  const message = messageOf(apiVersion, kind);
  if (message === undefined) {
    throw new StatusError("UnsupportedMediaType", `objects of kind "${kind}" are understood as JSON and YAML only`);
  }
  return { apiVersion, kind, ...readMessage(raw, message) };
}
