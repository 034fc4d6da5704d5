import { isPoisonous, MAX_NESTING } from "../../platform/index.ts";
import { applyOperation, JsonPatchError, type Operation } from "fast-json-patch";
import { isRecord } from "../schema/values.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { findPoison, isTooDeep } from "./limits.ts";

/** Kubernetes' own limit. @see kubernetes/apiserver, endpoints/handlers/patch.go, maxJSONPatchOperations */
const MAX_OPERATIONS = 10_000;
/** What all `copy` operations of a patch together may write, in characters of JSON: copies can double again and again. */
const MAX_COPIED = 3 * 1024 * 1024;

type Op = "add" | "remove" | "replace" | "move" | "copy" | "test";
interface CheckedOperation {
  readonly op: Op;
  readonly path: string;
  readonly from: string | undefined;
  readonly value: unknown;
}

const NEEDS_VALUE: readonly string[] = ["add", "replace", "test"];
const NEEDS_FROM: readonly string[] = ["move", "copy"];
const OPERATIONS: readonly string[] = [...NEEDS_VALUE, ...NEEDS_FROM, "remove"];

/**
 * Applies a JSON patch. Neither argument is changed, and nothing is applied unless everything can be.
 * @throws {StatusError} BadRequest, for what is no JSON patch; Invalid, for one that does not fit the object;
 *   RequestEntityTooLarge, for too many operations
 * @see RFC 6902
 */
export function applyJsonPatch(object: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch is a list of operations");
  if (patch.length > MAX_OPERATIONS) {
    const message = `a JSON patch has at most ${MAX_OPERATIONS} operations, and this one has ${patch.length}`;
    throw new StatusError("RequestEntityTooLarge", message);
  }
  const operations = patch.map(checkOperation);
  let document: unknown = structuredClone(object);
  let copied = 0;
  for (const [index, operation] of operations.entries()) {
    const where = `operation ${index} of the JSON patch (${operation.op} ${operation.path})`;
    if (operation.op === "copy") {
      copied += JSON.stringify(resolve(document, operation.from ?? "", where)).length;
      if (copied > MAX_COPIED) throw new StatusError("RequestEntityTooLarge", `${where} copies too much`);
    }
    document = applyOne(document, operation, where);
  }
  if (isTooDeep(document)) throw badRequest(`the JSON patch makes an object of more than ${MAX_NESTING} levels`);
  return document;
}

function applyOne(document: unknown, operation: CheckedOperation, where: string): unknown {
  const { op, path, from } = operation;
  if (from !== undefined) resolve(document, from, where);
  if (op === "move" && path.startsWith(`${from}/`)) throw refused(`${where} moves a value into itself`);
  resolve(document, op === "replace" || op === "remove" || op === "test" ? path : parentOf(path), where);
  const value = structuredClone(operation.value);
  try {
    return applyOperation(document, { ...operation, value } as Operation, true, true).newDocument;
  } catch (error) {
    const failedTest = error instanceof JsonPatchError && error.name === "TEST_OPERATION_FAILED";
    throw refused(failedTest ? `${where} failed: the value is another` : `${where} cannot be applied`);
  }
}

function checkOperation(operation: unknown, index: number): CheckedOperation {
  const where = `operation ${index} of the JSON patch`;
  if (!isRecord(operation)) throw badRequest(`${where} is not an object`);
  const { op, path, from, value } = operation;
  if (typeof op !== "string" || !OPERATIONS.includes(op)) throw badRequest(`${where}: "op" is none of ${OPERATIONS}`);
  checkPointer(path, `${where}: "path"`);
  if (NEEDS_FROM.includes(op)) checkPointer(from, `${where}: "from"`);
  if (NEEDS_VALUE.includes(op) && value === undefined) throw badRequest(`${where} has no "value"`);
  const poison = findPoison(value);
  if (poison !== undefined) throw badRequest(`${where} has a key that is not allowed: "${poison}"`);
  return { op: op as Op, path, from: NEEDS_FROM.includes(op) ? (from as string) : undefined, value };
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

function parentOf(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf("/")));
}

/** What a pointer points at. Only own properties count: the library would also find `toString`. */
function resolve(document: unknown, pointer: string, where: string): unknown {
  let node = document;
  for (const token of tokensOf(pointer)) {
    const isItem = Array.isArray(node) && /^(?:0|[1-9]\d*)$/.test(token);
    if (!(isItem || isRecord(node)) || !Object.hasOwn(node as object, token)) {
      throw refused(`${where} cannot be applied: there is no ${pointer}`);
    }
    node = (node as Record<string, unknown>)[token];
  }
  return node;
}

function refused(message: string): StatusError {
  return new StatusError("Invalid", message);
}
