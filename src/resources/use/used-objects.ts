import type { KindKey } from "../client.ts";
import type { SchemaNode, ServedKind, UsedKind } from "../kinds/kind.ts";
import type { ResourceInput } from "../objects/object.ts";
import { elementOf, fieldOf, isRecord, type JsonRecord, MAX_DEPTH, own } from "../schema/values.ts";

/** An object that another one names, to use it. */
export interface UsedObject extends KindKey {
  /** Empty for kinds of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  /** Path of the field that names it. */
  readonly field: string;
}

/**
 * Metadata of a field that names an object which whoever acts on this one uses. Whoever writes the object, and whoever
 * calls an endpoint below it, must be allowed to use what it names: `createUseRule` asks, for every kind alike.
 * @param except names that stand for something which is no object and has no secret
 */
export function uses({ group, plural }: KindKey, except?: readonly string[]): { "x-entrepot-uses": UsedKind } {
  return {
    "x-entrepot-uses": { resource: `${plural}.${group}`, ...(except === undefined ? {} : { except: [...except] }) },
  };
}

type Schemas = Pick<ServedKind, "group" | "schema" | "otherSchemas">;

/** Whether objects of a kind name others that they use. */
export function usesObjects({ schema, otherSchemas = [] }: Schemas): boolean {
  return [schema, ...otherSchemas].some((node) => marked(node, 0));
}

function marked(node: SchemaNode, depth: number): boolean {
  if (node["x-entrepot-uses"] !== undefined) return true;
  if (depth > MAX_DEPTH) return false;
  const { properties = {}, items, additionalProperties } = node;
  const children = [...Object.values(properties), ...(items === undefined ? [] : [items])];
  if (typeof additionalProperties === "object") children.push(additionalProperties);
  return children.some((child) => marked(child, depth + 1));
}

/**
 * What an object names to use it, by the marks of its kind's schemas (`x-entrepot-uses`). The object need not have been
 * checked: what has not the shape of a name is none.
 * @param place the object's namespace; empty for kinds of the whole cluster
 */
export function usedObjects(kind: Schemas, object: ResourceInput, place: string): readonly UsedObject[] {
  const { group, schema, otherSchemas = [] } = kind;
  const found = new Map<string, UsedObject>();
  const note = (field: string, { resource, except = [] }: UsedKind, value: unknown): void => {
    const given: JsonRecord = typeof value === "string" ? { name: value } : isRecord(value) ? value : {};
    const { name, namespace = place } = given;
    if (typeof name !== "string" || name === "" || typeof namespace !== "string" || except.includes(name)) return;
    const at = typeof value === "string" ? field : fieldOf(field, "name");
    const used = { ...kindKey(resource, group), namespace, name, field: at };
    found.set(JSON.stringify(used), used);
  };
  for (const node of [schema, ...otherSchemas]) walk(node, object, "", 0, note);
  return [...found.values()];
}

function kindKey(resource: string, group: string): KindKey {
  const dot = resource.indexOf(".");
  return dot === -1 ? { group, plural: resource } : { group: resource.slice(dot + 1), plural: resource.slice(0, dot) };
}

function walk(
  node: SchemaNode,
  value: unknown,
  field: string,
  depth: number,
  note: (field: string, use: UsedKind, value: unknown) => void,
): void {
  if (value === undefined || value === null || depth > MAX_DEPTH) return;
  const use = node["x-entrepot-uses"];
  if (use !== undefined) note(field, use, value);
  if (Array.isArray(value)) {
    const { items } = node;
    if (items === undefined) return;
    for (const [index, element] of value.entries()) walk(items, element, elementOf(field, index), depth + 1, note);
    return;
  }
  if (!isRecord(value)) return;
  const { properties, additionalProperties } = node;
  for (const [key, child] of Object.entries(value)) {
    const known = own(properties, key) ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    if (known !== undefined) walk(known, child, fieldOf(field, key), depth + 1, note);
  }
}
