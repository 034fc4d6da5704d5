import type { SchemaNode } from "../kinds/kind.ts";
import { difference, type FieldSet, intersection, nodeOf, setOf, union } from "./field-set.ts";
import { fieldSetOf, partsOf, removeFields, withNamedFields } from "./typed-value.ts";

/** What is to be kept of what a manager once applied. */
interface Ownership {
  /** What he owned before. */
  readonly last: FieldSet;
  /** What he wants now, and what all others own. */
  readonly claimed: FieldSet;
  /** What he applies now: a map or a list that is there, though empty, is wanted. */
  readonly applied: unknown;
  readonly node: SchemaNode;
}

/**
 * Takes away what a manager owned, no longer wants, and nobody else owns. A removed item of a list or a map takes along
 * what is in it, whoever set that; a removed field that holds something of somebody else's stays for that.
 * @see sigs.k8s.io/structured-merge-diff, merge/update.go, which Kubernetes prunes with
 */
export function pruneFields(merged: unknown, { last, claimed, applied, node }: Ownership): unknown {
  const named = (set: FieldSet): FieldSet => withNamedFields(set, merged, node);
  const everything = (value: unknown): FieldSet => union(named(fieldSetOf(value, node)), containersOf(value, node));
  const all = everything(merged);
  const before = named(last);
  // First without everything that was his, then with what someone claims of it, then with what was never his.
  const left = everything(removeFields(merged, before, node));
  const wanted = union(named(claimed), containersOf(applied, node));
  const claimedToo = removeFields(merged, difference(all, union(left, wanted)), node);
  const gone = difference(all, everything(claimedToo));
  return removeFields(merged, intersection(gone, before), node);
}

/** The maps and lists in a value that are divided among managers. */
function containersOf(value: unknown, node: SchemaNode | undefined): FieldSet {
  return setOf(
    [...(partsOf(value, node) ?? [])].map(([element, part]) => {
      const isContainer = element.startsWith("f:") && partsOf(part.value, part.node) !== undefined;
      return [element, nodeOf(isContainer, containersOf(part.value, part.node))];
    }),
  );
}
