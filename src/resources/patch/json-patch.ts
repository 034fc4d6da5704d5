import { isPoisonous, MAX_NESTING } from "../../platform/index.ts";
import { equalJson, isRecord } from "../schema/values.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { findPoison, isTooDeep } from "./limits.ts";

/** Kubernetes' own limit. @see kubernetes/apiserver, endpoints/handlers/patch.go, maxJSONPatchOperations */
const MAX_OPERATIONS = 10_000;
/** What all `copy` operations of a patch together may write, in characters of JSON: copies can double again and again. */
const MAX_COPIED = 3 * 1024 * 1024;

/** An index of a list: `-`, the one past its end, is none. @see RFC 6901 section 4 */
const INDEX = /^(?:0|[1-9]\d*)$/;

const NEEDS_VALUE = ["add", "replace", "test"] as const;
const NEEDS_FROM = ["move", "copy"] as const;
const OPERATIONS = [...NEEDS_VALUE, ...NEEDS_FROM, "remove"] as const;

type CheckedOperation =
  | { readonly op: (typeof NEEDS_VALUE)[number]; readonly path: string; readonly value: unknown }
  | { readonly op: (typeof NEEDS_FROM)[number]; readonly path: string; readonly from: string }
  | { readonly op: "remove"; readonly path: string };

/** A document in a container, so that the whole of it is a member as any other. */
interface Holder {
  document: unknown;
}

/** A member that is there, or may be added: of an object by its name, of a list by its index. */
interface Place {
  readonly parent: Record<string, unknown> | unknown[];
  readonly key: string;
}

/**
 * Applies a JSON patch. Neither argument is changed, and nothing is applied unless everything can be.
 * @throws {StatusError} BadRequest, for what is no JSON patch; Invalid, for one that does not fit the object;
 *   RequestEntityTooLarge, for too many operations, or copies that are too large
 * @see RFC 6902
 */
export function applyJsonPatch(object: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch is a list of operations");
  if (patch.length > MAX_OPERATIONS) {
    const message = `a JSON patch has at most ${MAX_OPERATIONS} operations, and this one has ${patch.length}`;
    throw new StatusError("RequestEntityTooLarge", message);
  }
  const operations = patch.map(checkOperation);
  const holder: Holder = { document: structuredClone(object) };
  let copied = 0;
  for (const [index, operation] of operations.entries()) {
    const where = `operation ${index} of the JSON patch (${operation.op} ${operation.path})`;
    if (operation.op === "copy") {
      const text = JSON.stringify(shallow(valueAt(placeAt(holder, operation.from, where), operation.from, where)));
      copied += text.length;
      if (copied > MAX_COPIED) throw new StatusError("RequestEntityTooLarge", `${where} copies too much`);
      insert(placeAt(holder, operation.path, where), JSON.parse(text), where);
    } else applyOne(holder, operation, where);
  }
  return shallow(holder.document);
}

function applyOne(holder: Holder, operation: Exclude<CheckedOperation, { op: "copy" }>, where: string): void {
  const { op, path } = operation;
  switch (op) {
    case "add":
      return insert(placeAt(holder, path, where), structuredClone(operation.value), where);
    case "remove":
      return remove(placeAt(holder, path, where), path, where);
    case "replace": {
      const place = placeAt(holder, path, where);
      valueAt(place, path, where);
      return assign(place, structuredClone(operation.value));
    }
    case "move": {
      const { from } = operation;
      if (path.startsWith(`${from}/`)) throw refused(`${where} moves a value into itself`);
      const place = placeAt(holder, from, where);
      const value = valueAt(place, from, where);
      if (path === from) return;
      remove(place, from, where);
      return insert(placeAt(holder, path, where), value, where);
    }
    case "test":
      if (equalJson(shallow(valueAt(placeAt(holder, path, where), path, where)), operation.value)) return;
      throw refused(`${where} failed: the value is another`);
  }
}

function checkOperation(operation: unknown, index: number): CheckedOperation {
  const where = `operation ${index} of the JSON patch`;
  if (!isRecord(operation)) throw badRequest(`${where} is not an object`);
  const { path, from, value } = operation;
  const op = OPERATIONS.find((known) => known === operation["op"]);
  if (op === undefined) throw badRequest(`${where}: "op" is none of ${OPERATIONS}`);
  checkPointer(path, `${where}: "path"`);
  if (op === "remove") return { op, path };
  if (op === "move" || op === "copy") {
    checkPointer(from, `${where}: "from"`);
    return { op, path, from };
  }
  if (value === undefined) throw badRequest(`${where} has no "value"`);
  const poison = findPoison(value);
  if (poison !== undefined) throw badRequest(`${where} has a key that is not allowed: "${poison}"`);
  return { op, path, value };
}

function checkPointer(pointer: unknown, where: string): asserts pointer is string {
  if (typeof pointer !== "string" || !(pointer === "" || pointer.startsWith("/"))) {
    throw badRequest(`${where} is no JSON pointer`);
  }
  const poison = tokensOf(pointer).find(isPoisonous);
  if (poison !== undefined) throw badRequest(`${where} has a key that is not allowed: "${poison}"`);
}

/** @see RFC 6901 section 4 */
function tokensOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Where a pointer points at. Only own members count: `toString` and `length` are none. */
function placeAt(holder: Holder, pointer: string, where: string): Place {
  const tokens = ["document", ...tokensOf(pointer)];
  const key = tokens.pop() ?? "";
  let parent: unknown = holder;
  for (const token of tokens) parent = memberOf(parent, token);
  if (Array.isArray(parent)) return { parent, key };
  if (isRecord(parent)) return { parent, key };
  throw refused(`${where} cannot be applied: there is no ${pointer.slice(0, pointer.lastIndexOf("/"))}`);
}

function memberOf(parent: unknown, key: string): unknown {
  const holds = Array.isArray(parent) ? INDEX.test(key) : isRecord(parent);
  return holds && Object.hasOwn(parent as object, key) ? (parent as Record<string, unknown>)[key] : undefined;
}

function valueAt({ parent, key }: Place, pointer: string, where: string): unknown {
  const value = memberOf(parent, key);
  if (value === undefined) throw refused(`${where} cannot be applied: there is no ${pointer}`);
  return value;
}

function insert(place: Place, value: unknown, where: string): void {
  const { parent, key } = place;
  if (!Array.isArray(parent)) return assign(place, value);
  const index = key === "-" ? parent.length : INDEX.test(key) ? Number(key) : Infinity;
  if (index > parent.length) throw refused(`${where} cannot be applied: the list has ${parent.length} items`);
  parent.splice(index, 0, value);
}

/** Sets a member of an object, or an item that is there. */
function assign({ parent, key }: Place, value: unknown): void {
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else parent[key] = value;
}

function remove(place: Place, pointer: string, where: string): void {
  valueAt(place, pointer, where);
  if (pointer === "") throw refused(`${where} cannot be applied: nothing would be left`);
  const { parent, key } = place;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

/** The value, unless it is nested so deep that what walks through it would run out of stack. */
function shallow(value: unknown): unknown {
  if (isTooDeep(value)) throw badRequest(`the JSON patch makes an object of more than ${MAX_NESTING} levels`);
  return value;
}

function refused(message: string): StatusError {
  return new StatusError("Invalid", message);
}
