import type { Environment } from "@marcbachmann/cel-js";
import type { SchemaNode } from "../../kinds/kind.ts";
import { celName } from "./values.ts";

/** The type of a value, and the fields of each type of object that was declared for it. */
export interface DeclaredType {
  readonly name: string;
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Declares in an environment what the values of a schema are, so that a rule over them can be checked before there is
 * one. Fields that are open, may be null, or are of several types may be anything.
 * @see kubernetes/apiserver, pkg/cel/common/schemas.go, SchemaDeclType
 */
export function declareType(environment: Environment, node: SchemaNode): DeclaredType {
  const declared = new Map<string, ReadonlySet<string>>();
  const declare = (current: SchemaNode): string => {
    const isOpen =
      current["x-kubernetes-preserve-unknown-fields"] === true ||
      current["x-kubernetes-embedded-resource"] === true ||
      current["x-kubernetes-int-or-string"] === true;
    if (isOpen || current.nullable === true) return "dyn";
    switch (current.type) {
      case "string":
        return "string";
      case "integer":
        return "int";
      case "number":
        return "double";
      case "boolean":
        return "bool";
      case "array":
        return `list<${current.items === undefined ? "dyn" : declare(current.items)}>`;
      case "object":
        return declareObject(current);
      default:
        return "dyn";
    }
  };
  const declareObject = (current: SchemaNode): string => {
    const { additionalProperties } = current;
    if (typeof additionalProperties === "object") return `map<string, ${declare(additionalProperties)}>`;
    if (additionalProperties === true) return "map<string, dyn>";
    const properties = Object.entries(current.properties ?? {});
    const fields = properties.map(([name, child]): [string, string] => [celName(current, name), declare(child)]);
    const name = `object${declared.size + 1}`;
    declared.set(name, new Set(fields.map(([field]) => field)));
    environment.registerType(name, { fields: Object.fromEntries(fields) });
    environment.registerOperator(`${name} == ${name}`, () => false);
    return name;
  };
  return { name: declare(node), fields: declared };
}
