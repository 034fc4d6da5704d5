import { isPoisonous } from "../../platform/index.ts";
import { isRecord, own } from "../schema/values.ts";
import { badRequest } from "../status-error.ts";

/**
 * Applies a merge patch: objects are merged, null removes, everything else replaces. Neither argument is changed.
 * @throws {StatusError} BadRequest, for keys that no object may have
 * @see RFC 7386 section 2
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const base = isRecord(target) ? target : {};
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (isPoisonous(key)) throw badRequest(`the patch has a key that is not allowed: "${key}"`);
    if (value === null) merged.delete(key);
    else merged.set(key, applyMergePatch(own(base, key), value));
  }
  return Object.fromEntries(merged);
}

/** `$patch`, `$retainKeys`, `$setElementOrder/list`, `$deleteFromPrimitiveList/list`. */
const DIRECTIVE = /^\$(?:patch$|retainKeys$|setElementOrder\/|deleteFromPrimitiveList\/)/;

/**
 * Applies a strategic merge patch as a merge patch: lists are replaced. That is what it means for kinds that declare no
 * merge strategy, and `kubectl patch` sends it unless told otherwise.
 * @throws {StatusError} BadRequest, where a directive asks for more than a merge patch can do
 * @see Kubernetes, "Update API Objects in Place Using kubectl patch"
 */
export function applyStrategicMergePatch(target: unknown, patch: unknown): unknown {
  const directive = findDirective(patch);
  if (directive !== undefined) {
    throw badRequest(
      `"${directive}" is not understood: lists are replaced as a whole; use a JSON patch to change items`,
    );
  }
  return applyMergePatch(target, patch);
}

function findDirective(value: unknown): string | undefined {
  if (Array.isArray(value)) return firstDefined(value, findDirective);
  if (!isRecord(value)) return undefined;
  const key = Object.keys(value).find((name) => DIRECTIVE.test(name));
  return key ?? firstDefined(Object.values(value), findDirective);
}

function firstDefined<T>(values: readonly unknown[], find: (value: unknown) => T | undefined): T | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
