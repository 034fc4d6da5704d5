import { apiVersionOf, type ServedKind } from "../kinds/kind.ts";
import type { JsonObject, ResourceInput } from "../objects/object.ts";
import { unknownFields } from "../schema/unknown-fields.ts";
import { isRecord } from "../schema/values.ts";
import { badRequest } from "../status-error.ts";
import type { FieldValidation } from "./query.ts";
import type { RequestInfo } from "./request-info.ts";

/** Fields that are told of one request: each warning is a header. */
const MAX_TOLD = 20;

/**
 * Treats fields that the kind does not have, and fields given twice, as the client wants them treated.
 * @throws {StatusError} BadRequest when it is strict
 */
export function checkFields(
  object: ResourceInput,
  kind: ServedKind,
  validation: FieldValidation,
  duplicates: readonly string[],
  warnings: string[],
): void {
  if (validation === "Ignore") return;
  const found = [
    ...duplicates.map((path) => `duplicate field "${path}"`),
    ...unknownFields(object, kind.schema).map((path) => `unknown field "${path}"`),
  ];
  if (found.length === 0) return;
  const told = found.slice(0, MAX_TOLD);
  if (found.length > told.length) told.push(`${found.length - told.length} more`);
  if (validation === "Strict") throw badRequest(`strict decoding error: ${told.join(", ")}`);
  warnings.push(...told);
}

/**
 * What a client sent, with metadata if it has none. In what all objects have, a null is nothing.
 * @throws {StatusError} BadRequest if what must be a text or an object is something else
 */
export function objectWithMetadata(object: JsonObject): ResourceInput {
  const { apiVersion, kind, metadata, ...rest } = object;
  const given = metadata ?? {};
  if (!isRecord(given)) throw badRequest("metadata: must be an object");
  const present = withoutNulls(given);
  const type = withoutNulls({ apiVersion, kind });
  for (const [field, value] of Object.entries(type)) checkText(field, value);
  for (const field of TEXTS_OF_METADATA) checkText(`metadata.${field}`, present[field]);
  return { ...type, metadata: present, ...rest } as unknown as ResourceInput;
}

function withoutNulls(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

const TEXTS_OF_METADATA = ["name", "namespace", "generateName", "uid", "resourceVersion"] as const;

function checkText(field: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") throw badRequest(`${field}: must be a text`);
}

/**
 * An object must be of the kind, and have the name and namespace, that the path has. What is missing is not wrong.
 * @throws {StatusError} BadRequest
 */
export function checkIdentity(
  kind: ServedKind,
  info: RequestInfo & { readonly kind: "resource" },
  object: ResourceInput,
): void {
  const apiVersion = apiVersionOf(kind);
  if (object.apiVersion !== undefined && object.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (object.kind !== undefined && object.kind !== kind.kind) {
    throw badRequest(`${object.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`);
  }
  const { name, namespace } = object.metadata;
  if (info.name !== "" && name !== undefined && name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  }
  if (namespace !== undefined && namespace !== "" && namespace !== info.namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
}
