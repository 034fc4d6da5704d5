import { isRecord } from "./values.ts";

type Shape = (value: unknown) => boolean;

const isText: Shape = (value) => typeof value === "string";
const isFlag: Shape = (value) => typeof value === "boolean";
const isNumber: Shape = (value) => typeof value === "number" && Number.isFinite(value);
const isCount: Shape = (value) => Number.isInteger(value) && (value as number) >= 0;
const isTexts: Shape = (value) => Array.isArray(value) && value.every(isText);
const isNodes: Shape = (value) => Array.isArray(value) && value.length > 0 && value.every(isRecord);
const isOneOf =
  (...words: readonly string[]): Shape =>
  (value) =>
    typeof value === "string" && words.includes(value);

const REASONS: ReadonlySet<string> = new Set([
  "FieldValueInvalid",
  "FieldValueForbidden",
  "FieldValueRequired",
  "FieldValueDuplicate",
]);
const RULE_TEXTS = ["message", "messageExpression", "fieldPath"];

const isRule: Shape = (value) => {
  if (!isRecord(value) || !isText(value["rule"])) return false;
  const areTexts = RULE_TEXTS.every((name) => value[name] === undefined || isText(value[name]));
  const { reason, optionalOldSelf } = value;
  const isReason = reason === undefined || (typeof reason === "string" && REASONS.has(reason));
  return areTexts && isReason && (optionalOldSelf === undefined || isFlag(optionalOldSelf));
};

const isUse: Shape = (value) => {
  if (!isRecord(value) || !isText(value["resource"])) return false;
  return value["except"] === undefined || isTexts(value["except"]);
};

/**
 * Keywords of a schema, and what their values look like. A definition comes from outside: nothing in it has the type
 * that `SchemaNode` promises until this has been asked.
 */
export const KEYWORDS: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ["type", isOneOf("object", "array", "string", "integer", "number", "boolean")],
  ["title", isText],
  ["description", isText],
  ["format", isText],
  ["default", () => true],
  ["example", () => true],
  ["nullable", isFlag],
  ["enum", (value) => Array.isArray(value) && value.length > 0],
  ["properties", (value) => isRecord(value) && Object.values(value).every(isRecord)],
  ["additionalProperties", (value) => value === true || isRecord(value)],
  ["required", isTexts],
  ["items", isRecord],
  ["minimum", isNumber],
  ["maximum", isNumber],
  ["exclusiveMinimum", (value) => isFlag(value) || isNumber(value)],
  ["exclusiveMaximum", (value) => isFlag(value) || isNumber(value)],
  ["multipleOf", (value) => isNumber(value) && (value as number) > 0],
  ["minLength", isCount],
  ["maxLength", isCount],
  ["pattern", isText],
  ["minItems", isCount],
  ["maxItems", isCount],
  ["uniqueItems", isFlag],
  ["minProperties", isCount],
  ["maxProperties", isCount],
  ["allOf", isNodes],
  ["anyOf", isNodes],
  ["oneOf", isNodes],
  ["not", isRecord],
  ["x-kubernetes-preserve-unknown-fields", (value) => value === true],
  ["x-kubernetes-int-or-string", isFlag],
  ["x-kubernetes-embedded-resource", isFlag],
  ["x-kubernetes-list-type", isOneOf("atomic", "set", "map")],
  ["x-kubernetes-list-map-keys", isTexts],
  ["x-kubernetes-map-type", isOneOf("atomic", "granular")],
  ["x-kubernetes-validations", (value) => Array.isArray(value) && value.every(isRule)],
  ["x-entrepot-uses", isUse],
]);

/** Keywords that say what a value is. Below `allOf`, `anyOf`, `oneOf` and `not`, a schema may only constrain. */
export const DESCRIBING: readonly string[] = [
  "type",
  "description",
  "default",
  "additionalProperties",
  "nullable",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
  "x-entrepot-uses",
];
