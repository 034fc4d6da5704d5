import type { SchemaNode } from "../kinds/kind.ts";

const texts = (description: string): SchemaNode => ({
  type: "object",
  description,
  additionalProperties: { type: "string" },
});

// kubectl makes objects with `creationTimestamp: null`.
const time = (description: string): SchemaNode => ({
  type: "string",
  format: "date-time",
  nullable: true,
  description,
});

const OWNER_REFERENCE: SchemaNode = {
  type: "object",
  description: "An object that this one belongs to.",
  required: ["apiVersion", "kind", "name", "uid"],
  "x-kubernetes-map-type": "atomic",
  properties: {
    apiVersion: { type: "string", description: "Group and version of the owner." },
    kind: { type: "string", description: "Kind of the owner." },
    name: { type: "string", description: "Name of the owner." },
    uid: { type: "string", description: "Identity of the owner; another object of the same name is not the owner." },
    controller: { type: "boolean", description: "Whether the owner is the one that manages this object." },
    blockOwnerDeletion: {
      type: "boolean",
      description: "Whether a deletion of the owner in the foreground waits for this object.",
    },
  },
};

const MANAGED_FIELDS_ENTRY: SchemaNode = {
  type: "object",
  description: "The fields that one manager has set.",
  properties: {
    manager: { type: "string", description: "Who set the fields." },
    operation: { type: "string", description: "How they were set: Apply or Update." },
    apiVersion: { type: "string", description: "The version that the fields are named in." },
    time: time("When the manager last changed its set of fields."),
    fieldsType: { type: "string", description: "The notation of the set; always FieldsV1." },
    fieldsV1: {
      type: "object",
      description: "The set of fields.",
      "x-kubernetes-preserve-unknown-fields": true,
      "x-kubernetes-map-type": "atomic",
    },
    subresource: { type: "string", description: "The subresource that the fields were set through." },
  },
};

/**
 * Metadata of any object. It lists every field that the server returns: kubectl 1.20 checks the live object against it
 * when it edits, and refuses one with a field that is missing here.
 * @see Kubernetes API, ObjectMeta
 */
export const OBJECT_META: SchemaNode = {
  type: "object",
  description: "Name, labels and everything else that each object has whatever its kind.",
  properties: {
    name: { type: "string", description: "The name, unique among the objects of this kind in the namespace." },
    generateName: {
      type: "string",
      description: "The beginning of a name that the server completes, if no name is given.",
    },
    namespace: { type: "string", description: "The namespace. Objects of the whole cluster have none." },
    uid: { type: "string", description: "Identity in time and space, given by the server." },
    resourceVersion: {
      type: "string",
      description: "The version of this object. A write that carries it fails if another write came in between.",
    },
    generation: {
      type: "integer",
      format: "int64",
      description: "Counts the changes of what is wanted. Written by the server.",
    },
    creationTimestamp: time("When the object was created. Written by the server."),
    deletionTimestamp: time("When the deletion was requested; the object stays until its finalizers are gone."),
    deletionGracePeriodSeconds: {
      type: "integer",
      format: "int64",
      description: "Seconds between the request for deletion and the deletion.",
    },
    labels: texts("Short values to select objects by."),
    annotations: texts("Values of any length that nothing selects by."),
    finalizers: {
      type: "array",
      description: "What has to be done before the object may go. Whoever does it removes its entry.",
      items: { type: "string" },
      "x-kubernetes-list-type": "set",
    },
    ownerReferences: {
      type: "array",
      description: "The objects that this one belongs to. It goes when the last of them has gone.",
      items: OWNER_REFERENCE,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
    },
    managedFields: {
      type: "array",
      description: "Which fields were set by whom. Written by the server.",
      items: MANAGED_FIELDS_ENTRY,
      "x-kubernetes-list-type": "atomic",
    },
    selfLink: { type: "string", description: "Not used; here for clients that know it." },
  },
};

/** Metadata of a list. @see Kubernetes API, ListMeta */
export const LIST_META: SchemaNode = {
  type: "object",
  description: "What a list says about itself.",
  properties: {
    resourceVersion: { type: "string", description: "The version of the list; a watch may begin with it." },
    continue: { type: "string", description: "Asks for the next page, if there is one." },
    remainingItemCount: { type: "integer", format: "int64", description: "How many objects follow this page." },
    selfLink: { type: "string", description: "Not used; here for clients that know it." },
  },
};

const API_VERSION: SchemaNode = { type: "string", description: "Group and version of the kind." };
const KIND: SchemaNode = { type: "string", description: "The kind of the object." };

/**
 * The schema of a whole object: that of a kind, with what objects have in common. The kind's own idea of `metadata` is
 * dropped: it has none to have.
 */
export function completeSchema(node: SchemaNode, description?: string): SchemaNode {
  const text = description ?? node.description;
  return {
    ...node,
    type: "object",
    ...(text === undefined ? {} : { description: text }),
    properties: { apiVersion: API_VERSION, kind: KIND, ...node.properties, metadata: OBJECT_META },
  };
}
