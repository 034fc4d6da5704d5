import type { SchemaNode } from "../kinds/kind.ts";
import { compilePattern } from "./patterns.ts";
import { ANYTHING, mergedIntersection, mergedUnion } from "./union-node.ts";
import { type JsonRecord, isRecord, own } from "./values.ts";

/** Keywords that are kept as they are. */
const KEPT: ReadonlySet<string> = new Set([
  "description",
  "format",
  "default",
  "nullable",
  "writeOnly",
  "enum",
  "required",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minProperties",
  "maxProperties",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-int-or-string",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
  "x-entrepot-uses",
]);

const TYPES: ReadonlySet<unknown> = new Set(["object", "array", "string", "integer", "number", "boolean"]);

/** Beyond it, a schema that contains itself is no longer unfolded. */
const MAX_UNFOLDING = 3;

/**
 * Makes a structural schema of one that zod has written: references inlined, objects open (fields that are not known
 * are pruned or refused, not invalid), unions turned into one structure with constraints.
 */
export function cleanNode(json: unknown): SchemaNode {
  return clean(json, isRecord(json) ? json : {}, new Map());
}

type Unfolded = ReadonlyMap<string, number>;

function clean(json: unknown, root: JsonRecord, unfolded: Unfolded): SchemaNode {
  if (!isRecord(json)) return ANYTHING;
  if (typeof json["$ref"] === "string") return resolved(json["$ref"], json, root, unfolded);
  const child = (node: unknown) => clean(node, root, unfolded);
  const own = kept(json);
  const alternatives = json["anyOf"] ?? json["oneOf"];
  if (Array.isArray(alternatives)) return { ...mergedUnion(alternatives.map(child)), ...own };
  if (Array.isArray(json["allOf"])) {
    const self = json["type"] === undefined ? [] : [typed(json, own, child)];
    return { ...mergedIntersection([...self, ...json["allOf"].map(child)]), ...own };
  }
  return typed(json, own, child);
}

function resolved(reference: string, json: JsonRecord, root: JsonRecord, unfolded: Unfolded): SchemaNode {
  const times = unfolded.get(reference) ?? 0;
  if (times >= MAX_UNFOLDING) return { ...ANYTHING, type: "object", ...kept(json) };
  const target = reference
    .replace(/^#\/?/, "")
    .split("/")
    .filter((part) => part !== "")
    .reduce<unknown>((node, part) => (isRecord(node) ? own(node, part) : undefined), root);
  return { ...clean(target, root, new Map(unfolded).set(reference, times + 1)), ...kept(json) };
}

function kept(json: JsonRecord): SchemaNode {
  return Object.fromEntries(Object.entries(json).filter(([key]) => KEPT.has(key)));
}

function typed(json: JsonRecord, keywords: SchemaNode, child: (node: unknown) => SchemaNode): SchemaNode {
  const type = TYPES.has(json["type"]) ? (json["type"] as SchemaNode["type"]) : typeOfEnum(keywords);
  if (type === undefined) return { ...ANYTHING, ...withoutNullEnum(keywords) };
  switch (type) {
    case "object":
      return { type, ...keywords, ...objectParts(json, child) };
    case "array":
      return { type, ...keywords, items: child(json["items"]) };
    case "string":
      return { type, ...withoutNullEnum(keywords), ...patternOf(json) };
    case "integer":
      return { type, ...withoutSafeBounds(keywords) };
    case "number":
      // A literal that is whole is written as a number.
      return keywords.enum?.every(Number.isInteger) === true ? { ...keywords, type: "integer" } : { type, ...keywords };
    case "boolean":
      return { type, ...keywords };
  }
}

function objectParts(json: JsonRecord, child: (node: unknown) => SchemaNode): SchemaNode {
  const properties = isRecord(json["properties"]) ? json["properties"] : undefined;
  const additional = json["additionalProperties"];
  const parts: SchemaNode =
    properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([key, node]) => [key, child(node)])) };
  if (!isRecord(additional)) {
    return properties === undefined && additional === undefined ? { ...parts, ...ANYTHING } : parts;
  }
  // A structural schema has fields or keys, not both: what is besides the fields is kept, and left to zod.
  if (properties !== undefined) return { ...parts, ...ANYTHING };
  const values = child(additional);
  return { additionalProperties: values.type === undefined && isAnything(values) ? true : values };
}

function isAnything(node: SchemaNode): boolean {
  return node["x-kubernetes-preserve-unknown-fields"] === true && node["x-kubernetes-int-or-string"] !== true;
}

/** Patterns of known formats only repeat them. What RE2 cannot do is left to zod. */
function patternOf(json: JsonRecord): SchemaNode {
  const { pattern, format } = json;
  if (typeof pattern !== "string" || format !== undefined) return {};
  return compilePattern(pattern) === undefined ? {} : { pattern };
}

/** The bounds within which a double is exact say nothing about the field. */
function withoutSafeBounds(keywords: SchemaNode): SchemaNode {
  const { minimum, maximum, ...others } = keywords;
  return {
    ...others,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
}

function typeOfEnum(keywords: SchemaNode): SchemaNode["type"] {
  const types = new Set(keywords.enum?.filter((value) => value !== null).map((value) => typeof value));
  const [type] = types;
  return types.size === 1 && (type === "string" || type === "number" || type === "boolean") ? type : undefined;
}

function withoutNullEnum(keywords: SchemaNode): SchemaNode {
  return keywords.enum?.includes(null) === true ? { ...keywords, nullable: true } : keywords;
}
