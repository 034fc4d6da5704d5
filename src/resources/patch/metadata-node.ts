import type { SchemaNode } from "../kinds/kind.ts";

const TEXTS: SchemaNode = { type: "object", additionalProperties: { type: "string" } };
const TEXT: SchemaNode = { type: "string" };

/**
 * How the metadata of every kind is divided among managers: finalizers are a set, owners a list by uid.
 * @see kubernetes/apimachinery, ObjectMeta, the patch strategies of its fields
 */
const METADATA: SchemaNode = {
  type: "object",
  properties: {
    name: TEXT,
    generateName: TEXT,
    namespace: TEXT,
    uid: TEXT,
    resourceVersion: TEXT,
    labels: TEXTS,
    annotations: TEXTS,
    finalizers: { type: "array", items: TEXT, "x-kubernetes-list-type": "set" },
    ownerReferences: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      // One reference is one statement: half of it means nothing.
      items: { type: "object", "x-kubernetes-map-type": "atomic" },
    },
  },
};

/** The schema of an object with the metadata that every kind has. */
export function withMetadata(node: SchemaNode): SchemaNode {
  return { ...node, properties: { ...node.properties, metadata: METADATA } };
}
