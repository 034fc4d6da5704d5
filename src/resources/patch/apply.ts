import type { SchemaNode } from "../kinds/kind.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import { equalJson, isRecord } from "../schema/values.ts";
import { badRequest } from "../status-error.ts";
import { applyConflict } from "./apply-conflict.ts";
import { compareValues, ownable, ownableChanges } from "./compare.ts";
import { difference, equalSets, type FieldSet, intersection, isEmptySet, union } from "./field-set.ts";
import { takenOverByKubectl, withLastApplied } from "./last-applied.ts";
import {
  entriesOf,
  entryOf,
  isSameManager,
  type Owner,
  scopeOf,
  without,
  type WriteInfo,
  written,
} from "./managed-fields.ts";
import { mergeValues } from "./merge-values.ts";
import { withMetadata } from "./metadata-node.ts";
import { checkItems, fieldSetOf, removeFields } from "./typed-value.ts";
import { pruneFields } from "./prune-fields.ts";
import { unsetNulls } from "./unset-nulls.ts";

/** Whom everything belongs to on an object that was never tracked. */
const BEFORE_FIRST_APPLY = "before-first-apply";
/** What a client may send of an object's metadata; the rest is the server's. */
const APPLICABLE_METADATA: ReadonlySet<string> = new Set([
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "labels",
  "annotations",
  "finalizers",
  "ownerReferences",
]);

/** A server-side apply. */
export interface ApplyRequest extends WriteInfo {
  /** Absent if the apply creates the object. */
  readonly live: ResourceObject | undefined;
  /** What the client wants to own, and nothing else. */
  readonly applied: unknown;
  /** Take what others own. */
  readonly force: boolean;
}

/**
 * Applies a configuration: its fields are set and belong to `manager`; fields that only he owned and no longer wants go;
 * an item of a list goes with all that is in it. What others own and he would change is a conflict, unless `force`.
 * Applying the same again changes nothing.
 * @returns the object, and its entries in `metadata.managedFields`. A `uid` or `resourceVersion` in the configuration
 *   is passed on, as a precondition for the caller to check.
 * @throws {StatusError} BadRequest; Conflict, with the fields as causes
 * @see Kubernetes, "Server-Side Apply"
 */
export function serverSideApply(request: ApplyRequest): { readonly object: ResourceInput; readonly changed: boolean } {
  const { live, manager, force, apiVersion, time, subresource } = request;
  const applied = configurationOf(request);
  const node = withMetadata(request.node);
  checkItems(applied, node);
  const scope = scopeOf(request);
  const liveBare = withoutEntries(live);
  const entries = liveEntries(request, liveBare, node);
  const self = { manager, operation: "Apply" as const, apiVersion, ...(subresource ? { subresource } : {}) };
  const own = entries.find((entry) => isSameManager(entry, self));
  const others = entries.filter((entry) => entry !== own);
  const wanted = ownable(fieldSetOf(applied, node), scope);
  const merged = mergeValues(liveBare, applied, node);
  const claimed = others.reduce((set, entry) => union(set, entry.fields), wanted);
  const drops = own !== undefined && !isEmptySet(difference(own.fields, wanted));
  const pruned = !drops ? merged : pruneFields(merged, { last: own.fields, claimed, applied, node });
  const changes = ownableChanges(compareValues(liveBare ?? {}, pruned, node), scope);
  const taken = union(changes.modified, changes.added);
  if (!force) refuseConflicts(others, difference(taken, takenOverByKubectl(manager, liveBare, node)));
  const unset = unsetNulls(pruned, applied, node);
  const value = removeFields(pruned, unset, node);
  const object = withLastApplied(manager, value as ResourceInput, applied);
  // An object may be stored in another version of its API than the one that is applied.
  const changed = liveBare === undefined || !equalJson({ ...object, apiVersion }, { ...liveBare, apiVersion });
  const lost = union(taken, changes.removed);
  const fields = difference(wanted, unset);
  const isNoop = own !== undefined && !changed && own.apiVersion === apiVersion && equalSets(own.fields, fields);
  const mine = isNoop ? own : entryOf(self, time, fields);
  const managedFields = written([...others.map((entry) => without(entry, lost)), mine]);
  return { object: { ...object, metadata: { ...object.metadata, managedFields } }, changed };
}

function refuseConflicts(others: readonly Owner[], taken: FieldSet): void {
  const conflicts = others
    .map((entry) => ({ ...entry, fields: intersection(entry.fields, taken) }))
    .filter(({ fields }) => !isEmptySet(fields));
  if (conflicts.length > 0) throw applyConflict(conflicts);
}

/** The part of what was sent that an apply may set. */
function configurationOf(request: ApplyRequest): ResourceInput {
  const { applied, manager, apiVersion, subresource } = request;
  if (manager === "") throw badRequest("fieldManager: Required value: is required for apply patch");
  if (!isRecord(applied)) throw badRequest("an apply patch is an object");
  const metadata = applied["metadata"] ?? {};
  if (!isRecord(metadata)) throw badRequest("metadata: must be an object");
  const entries = metadata["managedFields"] ?? [];
  if (!Array.isArray(entries) || entries.length > 0) throw badRequest("metadata.managedFields must be nil");
  const version = applied["apiVersion"];
  if (version !== apiVersion) {
    throw badRequest(`the apply patch is of version ${JSON.stringify(version)}, but ${apiVersion} was expected`);
  }
  const own = Object.entries(metadata).filter(([key]) => APPLICABLE_METADATA.has(key));
  const { status, ...rest } = applied;
  const ofStatus = status === undefined ? {} : { status };
  if (subresource === "status") {
    const preconditions = own.filter(([key]) => key === "uid" || key === "resourceVersion");
    const { kind } = rest;
    return { apiVersion, kind, metadata: Object.fromEntries(preconditions), ...ofStatus } as ResourceInput;
  }
  const parts = { ...rest, metadata: Object.fromEntries(own) } as unknown as ResourceInput;
  return scopeOf(request).hasStatus ? parts : { ...parts, ...ofStatus };
}

function withoutEntries(live: ResourceObject | undefined): ResourceInput | undefined {
  if (live === undefined) return undefined;
  const { managedFields: _entries, ...metadata } = live.metadata;
  return { ...live, metadata };
}

/** The owners there are. On an object without any, what is there belongs to whoever came before. */
function liveEntries(request: ApplyRequest, live: ResourceInput | undefined, node: SchemaNode): Owner[] {
  const entries = entriesOf(request.live);
  if (live === undefined || entries.length > 0) return entries;
  const hasStatus = scopeOf(request).hasStatus;
  const fields = ownable(compareValues({}, live, node).added, { hasStatus });
  if (isEmptySet(fields)) return [];
  const self = { manager: BEFORE_FIRST_APPLY, operation: "Update", apiVersion: request.apiVersion } as const;
  return [entryOf(self, request.time, fields)];
}
