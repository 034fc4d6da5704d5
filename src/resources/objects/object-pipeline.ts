import type { AdmissionAttributes, GroupBuilder } from "../kinds/group-builder.ts";
import type { ServedKind } from "../kinds/kind.ts";
import { checkMeta } from "./names.ts";
import type { ResourceInput, ResourceObject } from "./object.ts";
import { checkRules } from "../schema/cel/rules.ts";
import { withDefaults } from "../schema/defaults.ts";
import { prune } from "../schema/prune.ts";
import { validateSchema } from "../schema/validate.ts";
import { invalid, type StatusCause, StatusError } from "../status-error.ts";
import type { UseRule } from "../use/use-rule.ts";

/** Largest object kept, in bytes of JSON: a row of the change log holds it, and rows are at most 2 MB. */
const MAX_OBJECT_BYTES = 1024 * 1024;

/** A group's own admission. */
export type Admission = Pick<GroupBuilder, "mutate" | "validate">;

/**
 * Makes of what a client sent what may be stored: unknown fields dropped, defaults filled in, changed by the group,
 * checked against schema, rules and the group, and by whether its writer may use what it names. What an update leaves as
 * it is is not checked again: the schema may have changed, and labels and finalizers of objects that it broke must still
 * be writable.
 * @throws {StatusError} Invalid, or what the group throws
 */
export async function admit<T extends ResourceInput>(
  kind: ServedKind,
  admission: Admission,
  use: UseRule,
  attributes: Omit<AdmissionAttributes, "object" | "resource"> & { readonly object: T },
): Promise<T> {
  const { oldObject } = attributes;
  const shape = (object: T): T =>
    isSameBody(oldObject, object) ? object : (withDefaults(prune(object, kind.schema), kind.schema) as T);
  const shaped = withoutEmptyMetadata(shape(attributes.object));
  const about = { ...attributes, resource: kind.plural };
  const mutated = (await admission.mutate?.({ ...about, object: shaped })) as T | undefined;
  const object = mutated === undefined || mutated === shaped ? shaped : shape(mutated);
  const causes = await check(kind, admission, use, { ...about, object });
  if (causes.length > 0) throw invalid(kind, attributes.name, causes);
  return object;
}

/** @throws {StatusError} RequestEntityTooLarge */
export function checkSize(object: ResourceObject): void {
  const size = new TextEncoder().encode(JSON.stringify(object)).byteLength;
  if (size <= MAX_OBJECT_BYTES) return;
  throw new StatusError(
    "RequestEntityTooLarge",
    `object is too large: ${size} bytes, at most ${MAX_OBJECT_BYTES} are kept`,
  );
}

async function check(
  kind: ServedKind,
  admission: Admission,
  use: UseRule,
  attributes: AdmissionAttributes,
): Promise<readonly StatusCause[]> {
  const { object, oldObject, context, namespace } = attributes;
  const causes = checkMeta(object.metadata);
  if (!isSameBody(oldObject, object)) causes.push(...validateSchema(object, kind.schema));
  // Rules and the group's own checks may rely on the shape.
  if (causes.length > 0) return causes;
  if (!isSameBody(oldObject, object)) {
    causes.push(
      ...(kind.refine?.(object) ?? []).map((issue): StatusCause => ({ reason: "FieldValueInvalid", ...issue })),
    );
    causes.push(...checkRules(object, oldObject, kind.schema));
  }
  if (causes.length > 0) return causes;
  // Whatever changes may be where a secret goes.
  if (oldObject === undefined || isNewGeneration(kind, oldObject, object)) {
    causes.push(...(await use.refusals(context.identity, kind, object, namespace)));
  }
  return [...causes, ...((await admission.validate?.(attributes)) ?? [])];
}

/** Whether an update changes metadata at the most. */
function isSameBody(before: ResourceObject | undefined, after: ResourceInput): boolean {
  if (before === undefined) return false;
  const body = ({ metadata: _metadata, ...rest }: ResourceInput) => rest;
  return sameJson(body(before), body(after));
}

/** An object whose empty labels, annotations and lists of metadata are left out: to have none is the same. */
function withoutEmptyMetadata<T extends ResourceInput>(object: T): T {
  const filled = Object.entries(object.metadata).filter(
    ([, value]: [string, unknown]) => value !== null && (typeof value !== "object" || Object.keys(value).length > 0),
  );
  return { ...object, metadata: Object.fromEntries(filled) };
}

/** Whether what is wanted of an object differs, rather than its metadata or, where that is a part of its own, its status. */
export function isNewGeneration(kind: ServedKind, before: ResourceObject, after: ResourceInput): boolean {
  const wanted = ({ metadata: _metadata, apiVersion: _version, status, ...rest }: ResourceInput) =>
    kind.hasStatus ? rest : { ...rest, status };
  return !sameJson(wanted(before), wanted(after));
}

/** Whether two JSON values are the same; the order of an object's fields does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => sameJson(item, b[index]))
    );
  }
  const [left, right] = [definedFields(a), definedFields(b)];
  return (
    left.length === right.length &&
    left.every(([name, value]) => Object.hasOwn(b, name) && sameJson(value, (b as Record<string, unknown>)[name]))
  );
}

function definedFields(object: object): [string, unknown][] {
  return Object.entries(object).filter(([, value]) => value !== undefined);
}

/** The object with another status, and nothing else but the record of who owns it. */
export function withStatusOf(current: ResourceObject, next: ResourceInput): ResourceObject {
  const { status: _status, ...rest } = current;
  const { managedFields } = next.metadata;
  const metadata = { ...current.metadata, ...(managedFields === undefined ? {} : { managedFields }) };
  return { ...rest, metadata, ...(next.status === undefined ? {} : { status: next.status }) };
}
