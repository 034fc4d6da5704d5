import type { SchemaNode } from "../kinds/kind.ts";
import type { ManagedFieldsEntry, ObjectMeta, ResourceInput } from "../objects/object.ts";
import { isRecord } from "../schema/values.ts";
import { compareValues, ownableChanges, type WriteScope } from "./compare.ts";
import { difference, EMPTY_SET, type FieldSet, isEmptySet, parseFieldSet, union, writeFieldSet } from "./field-set.ts";
import { withMetadata } from "./metadata-node.ts";

/** More `Update` entries than this are merged, oldest first. @see kubernetes/apimachinery, managedfields */
const MAX_UPDATE_ENTRIES = 10;
/** Whom the merged ones belong to. */
const ANCIENT = "ancient-changes";

/** Any object, whole or as a client sent it. */
export interface Managed {
  readonly metadata: Partial<ObjectMeta>;
}

/** An entry whose fields are read. */
export interface Owner extends Omit<ManagedFieldsEntry, "fieldsV1"> {
  readonly fields: FieldSet;
}

/** Who writes, when, and what. */
export interface WriteInfo {
  readonly manager: string;
  /** The version of the API in which the object is written. */
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly time: string;
  readonly subresource?: string | undefined;
  /** The schema of the whole object. */
  readonly node: SchemaNode;
  /** Whether the kind has a status subresource; by default, whether its schema has a status. */
  readonly hasStatus?: boolean;
}

/** A write that is not an apply. */
export interface UpdateRecord extends WriteInfo {
  /** Absent on creation. */
  readonly previous: Managed | undefined;
  readonly next: Managed;
}

/**
 * Who owns what after a write: what changed belongs to the writer and to nobody else, what is gone to nobody. A client
 * may send entries of its own; those it leaves out are kept, and a single empty one drops them all.
 * @see Kubernetes, "Server-Side Apply", section "Managed fields"
 */
export function recordUpdate(record: UpdateRecord): ManagedFieldsEntry[] {
  const { previous, next, manager, apiVersion, time, subresource, node } = record;
  const entries = baseEntries(record);
  // An object whose owners were dropped has none until someone applies it.
  if (previous !== undefined && entries.length === 0) return [];
  const all = compareValues(previous ?? {}, next, withMetadata(node));
  const changes = ownableChanges(all, scopeOf(record));
  const taken = union(changes.added, changes.modified);
  const lost = union(taken, changes.removed);
  const self = { manager, operation: "Update" as const, apiVersion, ...(subresource ? { subresource } : {}) };
  const own = entries.find((entry) => isSameManager(entry, self));
  const others = entries.filter((entry) => entry !== own).map((entry) => without(entry, lost));
  const mine = isEmptySet(taken)
    ? own && without(own, lost)
    : entryOf(self, time, union(difference(own?.fields ?? EMPTY_SET, changes.removed), taken));
  const kept = mine === undefined ? others : [...others, mine];
  return written(capped(kept));
}

/** What a write of this kind can own. */
export function scopeOf({
  subresource,
  node,
  hasStatus,
}: Pick<WriteInfo, "subresource" | "node" | "hasStatus">): WriteScope {
  return { subresource, hasStatus: hasStatus ?? node.properties?.["status"] !== undefined };
}

export function entryOf(
  self: Pick<ManagedFieldsEntry, "manager" | "operation" | "apiVersion" | "subresource">,
  time: string,
  fields: FieldSet,
): Owner {
  const { manager, operation, apiVersion, subresource } = self;
  const base = { manager, operation, apiVersion, time, fieldsType: "FieldsV1" as const, fields };
  return subresource ? { ...base, subresource } : base;
}

/** The entry without the fields that others have taken. */
export function without(entry: Owner, lost: FieldSet): Owner {
  return { ...entry, fields: difference(entry.fields, lost) };
}

/** Whether two entries are one manager's. Who applies is one whatever the version; who updates is one in each. */
export function isSameManager(
  left: Pick<ManagedFieldsEntry, "manager" | "operation" | "apiVersion" | "subresource">,
  right: Pick<ManagedFieldsEntry, "manager" | "operation" | "apiVersion" | "subresource">,
): boolean {
  return (
    left.manager === right.manager &&
    left.operation === right.operation &&
    (left.subresource ?? "") === (right.subresource ?? "") &&
    (left.operation === "Apply" || left.apiVersion === right.apiVersion)
  );
}

/** The entries of those who own something, as they are kept. */
export function written(owners: readonly Owner[]): ManagedFieldsEntry[] {
  return sorted(owners.filter(({ fields }) => !isEmptySet(fields))).map(({ fields, subresource, ...entry }) => {
    const base = { ...entry, fieldsV1: writeFieldSet(fields) };
    return subresource === undefined ? base : { ...base, subresource };
  });
}

/** Those who apply first, then by age and name: the order in which Kubernetes shows them. */
function sorted(entries: readonly Owner[]): Owner[] {
  const key = ({ operation, time, manager, apiVersion, subresource = "" }: Owner): string =>
    [operation, time, manager, apiVersion, subresource].join("\0");
  return [...entries].sort((left, right) => (key(left) < key(right) ? -1 : 1));
}

/** The owners of an object; none, if one of them makes no sense. */
export function entriesOf(object: { readonly metadata?: unknown } | ResourceInput | undefined): Owner[] {
  const metadata: unknown = object?.metadata;
  const list = isRecord(metadata) ? metadata["managedFields"] : undefined;
  if (!Array.isArray(list)) return [];
  const entries = list.map(parseEntry);
  return entries.every((entry) => entry !== undefined) ? entries : [];
}

function parseEntry(entry: unknown): Owner | undefined {
  if (!isRecord(entry) || (entry["fieldsType"] ?? "FieldsV1") !== "FieldsV1") return undefined;
  const { manager, operation, apiVersion, time, subresource } = entry;
  const fields = parseFieldSet(entry["fieldsV1"] ?? {});
  if (typeof manager !== "string" || typeof apiVersion !== "string" || fields === undefined) return undefined;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  const self = { manager, operation, apiVersion } as const;
  const stamp = typeof time === "string" ? time : "";
  return entryOf(typeof subresource === "string" ? { ...self, subresource } : self, stamp, fields);
}

function baseEntries({ previous, next, subresource }: UpdateRecord): Owner[] {
  if (subresource) return entriesOf(previous);
  if (isReset(next.metadata.managedFields)) return [];
  const given = entriesOf(next);
  return given.length > 0 ? given : entriesOf(previous);
}

function isReset(entries: readonly unknown[] | undefined): boolean {
  if (!Array.isArray(entries) || entries.length !== 1) return false;
  const entry: unknown = entries[0];
  return isRecord(entry) && Object.keys(entry).length === 0;
}

/** Merges the oldest `Update` entries of each version, until there are few enough or nothing is left to merge. */
function capped(all: readonly Owner[]): Owner[] {
  const entries = all.filter(({ fields }) => !isEmptySet(fields));
  const updates = sorted(entries.filter((entry) => entry.operation === "Update"));
  const excess = updates.length - MAX_UPDATE_ENTRIES;
  if (excess <= 0) return entries;
  const buckets = new Map<string, Owner[]>();
  let merged = 0;
  for (const entry of updates) {
    if (merged >= excess) break;
    const bucket = buckets.get(entry.apiVersion);
    if (bucket !== undefined) merged += 1;
    buckets.set(entry.apiVersion, [...(bucket ?? []), entry]);
  }
  const full = [...buckets.values()].filter((bucket) => bucket.length > 1);
  const gone = new Set(full.flat());
  return [...entries.filter((entry) => !gone.has(entry)), ...full.map(ancient)];
}

function ancient(bucket: readonly Owner[]): Owner {
  const [first] = bucket;
  const last = bucket.at(-1);
  const fields = bucket.reduce((set, entry) => union(set, entry.fields), EMPTY_SET);
  const self = { manager: ANCIENT, operation: "Update", apiVersion: first?.apiVersion ?? "" } as const;
  return entryOf(self, last?.time ?? "", fields);
}
