import type { SchemaNode } from "../kinds/kind.ts";
import type { StatusCause } from "../status-error.ts";
import { invalidValue, required, unsupported, wrongType } from "./causes.ts";
import { checkCombinations } from "./validate-combinations.ts";
import { checkList } from "./validate-list.ts";
import { checkNumber, checkText } from "./validate-scalar.ts";
import { MAX_DEPTH, elementOf, equalJson, fieldOf, isRecord, jsonTypeOf, own, type JsonRecord } from "./values.ts";

/** Nobody reads more, and an answer must not be larger than its question. */
const MAX_CAUSES = 100;

/**
 * What is wrong with a value, by its schema. Fields that the schema does not know are none of its business: see
 * `unknownFields` and `prune`.
 */
export function validateSchema(value: unknown, node: SchemaNode): StatusCause[] {
  return validateNode(value, node, "", 0).slice(0, MAX_CAUSES);
}

/** The same for a part of a value, which is at `path`. */
function validateNode(value: unknown, node: SchemaNode, path: string, depth: number): StatusCause[] {
  if (depth > MAX_DEPTH) return [invalidValue(path, value, `must not be nested deeper than ${MAX_DEPTH} levels`)];
  if (value === null && node.nullable === true) return [];
  const type = checkType(value, node, path);
  if (type.length > 0) return type;
  const causes = checkEnum(value, node, path);
  if (typeof value === "string") causes.push(...checkText(value, node, path));
  else if (typeof value === "number") causes.push(...checkNumber(value, node, path));
  else if (Array.isArray(value)) causes.push(...checkElements(value, node, path, depth));
  else if (isRecord(value)) causes.push(...checkFields(value, node, path, depth));
  // A combination only repeats what is already known to be wrong.
  if (causes.length === 0) causes.push(...checkCombinations(value, node, path, depth, validateNode));
  return causes;
}

function checkType(value: unknown, node: SchemaNode, path: string): StatusCause[] {
  const actual = jsonTypeOf(value);
  if (node["x-kubernetes-int-or-string"] === true) {
    return actual === "integer" || actual === "string" ? [] : [wrongType(path, value, "integer,string", actual)];
  }
  if (node.type === undefined || node.type === actual) return [];
  if (node.type === "number" && actual === "integer") return [];
  return [wrongType(path, value, node.type, actual)];
}

function checkEnum(value: unknown, node: SchemaNode, path: string): StatusCause[] {
  if (node.enum === undefined || node.enum.some((allowed) => equalJson(allowed, value))) return [];
  return [unsupported(path, value, node.enum)];
}

function checkElements(value: readonly unknown[], node: SchemaNode, path: string, depth: number): StatusCause[] {
  const causes = checkList(value, node, path);
  if (node.items === undefined) return causes;
  for (const [index, element] of value.entries()) {
    causes.push(...validateNode(element, node.items, elementOf(path, index), depth + 1));
    if (causes.length >= MAX_CAUSES) break;
  }
  return causes;
}

function checkFields(value: JsonRecord, node: SchemaNode, path: string, depth: number): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const key of node.required ?? []) {
    if (!Object.hasOwn(value, key)) causes.push(required(fieldOf(path, key)));
  }
  const fields = Object.entries(value);
  if (node.minProperties !== undefined && fields.length < node.minProperties)
    causes.push(invalidValue(path, value, `should have at least ${node.minProperties} properties`));
  if (node.maxProperties !== undefined && fields.length > node.maxProperties)
    causes.push(invalidValue(path, value, `should have at most ${node.maxProperties} properties`));
  for (const [key, field] of fields) {
    const schema = own(node.properties, key) ?? node.additionalProperties;
    if (schema === undefined || typeof schema === "boolean") continue;
    causes.push(...validateNode(field, schema, fieldOf(path, key), depth + 1));
    if (causes.length >= MAX_CAUSES) break;
  }
  return causes;
}
