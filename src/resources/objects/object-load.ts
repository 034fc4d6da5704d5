import type { ServedKind } from "../kinds/kind.ts";
import type { ResourceInput } from "./object.ts";
import { elementOf, fieldOf, isRecord } from "../schema/values.ts";
import { invalid, type StatusCause } from "../status-error.ts";

/**
 * How much there may be of what each write looks through one by one, who owns it included. Kubernetes has only limits of
 * bytes; these keep a request on one object under 200 ms.
 */
export const OBJECT_LIMITS = {
  labels: 256,
  annotations: 1024,
  finalizers: 64,
  ownerReferences: 64,
  managedFields: 64,
  /** Members of maps and elements of lists in the whole object, without `managedFields`. */
  values: 10_000,
  /** The same in `managedFields`. */
  ownedFields: 20_000,
} as const;

const LISTS = ["labels", "annotations", "finalizers", "ownerReferences", "managedFields"] as const;

/**
 * Refuses an object that is more work than one request may be, before any of it is done.
 * @throws {StatusError} Invalid, with the field that has too many
 */
export function checkLoad(kind: Pick<ServedKind, "group" | "kind">, name: string, object: ResourceInput): void {
  const causes = loadCauses(object);
  if (causes.length > 0) throw invalid(kind, name, causes);
}

function loadCauses({ metadata, ...body }: ResourceInput): StatusCause[] {
  const { managedFields, ...rest } = metadata as Readonly<Record<string, unknown>>;
  const causes = LISTS.flatMap((field) => tooMany(`metadata.${field}`, sizeOf(Reflect.get(metadata, field)), field));
  if (causes.length > 0) return causes;
  const whole = { ...body, metadata: rest };
  if (isHeavier(whole, OBJECT_LIMITS.values)) return [cause(heaviest(whole), OBJECT_LIMITS.values)];
  if (!isHeavier(managedFields, OBJECT_LIMITS.ownedFields)) return [];
  return [cause("metadata.managedFields", OBJECT_LIMITS.ownedFields)];
}

function tooMany(field: string, size: number, limit: (typeof LISTS)[number]): StatusCause[] {
  return size > OBJECT_LIMITS[limit] ? [cause(field, OBJECT_LIMITS[limit])] : [];
}

function cause(field: string, limit: number): StatusCause {
  return { reason: "FieldValueTooMany", message: `Too many: must have at most ${limit} items`, field };
}

function sizeOf(value: unknown): number {
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

/** Whether a value has more than so many members and elements, at all levels. It stops counting there. */
function isHeavier(value: unknown, limit: number): boolean {
  let count = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    const members: readonly unknown[] = Array.isArray(next) ? next : Object.values(next);
    count += members.length;
    if (count > limit) return true;
    for (const member of members) if (typeof member === "object" && member !== null) waiting.push(member);
  }
  return false;
}

/** The path of the field that has more than half of what there may be, or of the nearest one around such. */
function heaviest(value: unknown): string {
  let path = "";
  for (let at: unknown = value; ;) {
    const children: [string, unknown][] = Array.isArray(at)
      ? at.map((item: unknown, index) => [elementOf(path, index), item])
      : isRecord(at)
        ? Object.entries(at).map(([key, child]) => [fieldOf(path, key), child])
        : [];
    const found = children.find(([, child]) => isHeavier(child, OBJECT_LIMITS.values / 2));
    if (found === undefined) return path;
    [path, at] = found;
  }
}
