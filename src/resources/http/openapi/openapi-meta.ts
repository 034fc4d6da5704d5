import type { SchemaNode } from "../../kinds/kind.ts";
import { LIST_META, OBJECT_META } from "../../schema/object-meta.ts";
import { DELETE_OPTIONS_NAME, LIST_META_NAME, OBJECT_META_NAME, STATUS_NAME } from "./openapi-names.ts";

const API_VERSION: SchemaNode = { type: "string", description: "Group and version of the kind." };
const KIND: SchemaNode = { type: "string", description: "The kind of the object." };

const CAUSE: SchemaNode = {
  type: "object",
  description: "What is wrong with one field.",
  properties: {
    field: { type: "string", description: "The path of the field, such as spec.source." },
    message: { type: "string", description: "What is wrong, for people." },
    reason: { type: "string", description: "What is wrong, for programs." },
  },
};

/** The answer to what failed, and to a deletion. @see Kubernetes API, Status */
const STATUS: SchemaNode = {
  type: "object",
  description: "The outcome of a request that returns no object.",
  properties: {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: LIST_META,
    status: { type: "string", description: "Success or Failure." },
    message: { type: "string", description: "What happened, for people." },
    reason: { type: "string", description: "Why it failed, for programs." },
    code: { type: "integer", format: "int32", description: "The HTTP status code." },
    details: {
      type: "object",
      description: "What the outcome is about.",
      properties: {
        name: { type: "string", description: "Name of the object." },
        group: { type: "string", description: "Group of the object." },
        kind: { type: "string", description: "The resource, or the kind if the object is invalid." },
        uid: { type: "string", description: "Identity of the object." },
        causes: { type: "array", items: CAUSE, description: "What is wrong with each field." },
        retryAfterSeconds: { type: "integer", format: "int32", description: "When to try again." },
      },
    },
  },
};

/** @see Kubernetes API, DeleteOptions */
const DELETE_OPTIONS: SchemaNode = {
  type: "object",
  description: "How to delete.",
  properties: {
    apiVersion: API_VERSION,
    kind: KIND,
    dryRun: { type: "array", items: { type: "string" }, description: "All: do everything but the deletion." },
    gracePeriodSeconds: { type: "integer", format: "int64", description: "Accepted; objects here need no grace." },
    orphanDependents: { type: "boolean", description: "Former name of the policy Orphan." },
    propagationPolicy: {
      type: "string",
      description: "What becomes of objects that this one owns: Background, Foreground or Orphan.",
    },
    preconditions: {
      type: "object",
      description: "What must be true of the object, or it is not deleted.",
      properties: {
        uid: { type: "string", description: "The identity that it must have." },
        resourceVersion: { type: "string", description: "The version that it must have." },
      },
    },
  },
};

/** Schemas that every document has, by name. */
export const META_SCHEMAS: readonly (readonly [string, SchemaNode])[] = [
  [OBJECT_META_NAME, OBJECT_META],
  [LIST_META_NAME, LIST_META],
  [STATUS_NAME, STATUS],
  [DELETE_OPTIONS_NAME, DELETE_OPTIONS],
];
