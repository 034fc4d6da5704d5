import type { SchemaNode } from "../kinds/kind.ts";
import { canonicalJson, isRecord, own } from "../schema/values.ts";
import { compareValues } from "./compare.ts";
import { difference, EMPTY_SET, type FieldSet, union } from "./field-set.ts";
import { fieldSetOf } from "./typed-value.ts";

/** Where client-side apply notes what it sent, whole. @see Kubernetes, "Declarative Management Using Configuration Files" */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** The one manager for which client-side and server-side apply are the same program. */
const KUBECTL = "kubectl";

function lastApplied(object: unknown): string | undefined {
  const metadata = isRecord(object) ? object["metadata"] : undefined;
  const annotations = isRecord(metadata) ? metadata["annotations"] : undefined;
  const text = isRecord(annotations) ? own(annotations, LAST_APPLIED) : undefined;
  return typeof text === "string" && text !== "" ? text : undefined;
}

/**
 * What `kubectl apply` set by itself before it was told to apply on the server, and nobody changed since: taking it over
 * is no conflict.
 * @see Kubernetes, "Server-Side Apply", section "Migration between client-side and server-side apply"
 */
export function takenOverByKubectl(manager: string, live: unknown, node: SchemaNode): FieldSet {
  const text = manager === KUBECTL ? lastApplied(live) : undefined;
  if (text === undefined) return EMPTY_SET;
  try {
    const sent: unknown = JSON.parse(text);
    const { modified, removed } = compareValues(sent, live, node);
    return difference(fieldSetOf(sent, node), union(modified, removed));
  } catch {
    return EMPTY_SET;
  }
}

/** Keeps that note true after kubectl applied on the server, so that one may go back. */
export function withLastApplied<T>(manager: string, object: T, applied: unknown): T {
  if (manager !== KUBECTL || lastApplied(object) === undefined) return object;
  const { metadata } = object as { readonly metadata: { readonly annotations: Record<string, string> } };
  const annotations = { ...metadata.annotations, [LAST_APPLIED]: `${canonicalJson(withoutNote(applied))}\n` };
  return { ...object, metadata: { ...metadata, annotations } };
}

function withoutNote(applied: unknown): unknown {
  const metadata = isRecord(applied) ? applied["metadata"] : undefined;
  const annotations = isRecord(metadata) ? metadata["annotations"] : undefined;
  if (!isRecord(applied) || !isRecord(metadata) || !isRecord(annotations)) return applied;
  const { [LAST_APPLIED]: _note, ...rest } = annotations;
  return { ...applied, metadata: { ...metadata, annotations: rest } };
}
