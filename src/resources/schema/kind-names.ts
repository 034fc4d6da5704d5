import type { KindNames, PrinterColumn, SchemaNode } from "../kinds/kind.ts";
import { parseJsonPath } from "../objects/json-path.ts";
import { own } from "./values.ts";

const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;
const LABEL = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const GROUP = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;
const VERSION = /^v[1-9]\d{0,3}(?:(?:alpha|beta)[1-9]\d{0,3})?$/;

/**
 * What is wrong with the names of a kind, in words; empty if nothing is.
 * @see Kubernetes API conventions, "Types (Kinds)" and "Resources"
 */
export function nameProblems(group: string, version: string, names: KindNames): string[] {
  const problems: string[] = [];
  const check = (isGood: boolean, what: string) => {
    if (!isGood) problems.push(what);
  };
  check(group === "" || GROUP.test(group), `group "${group}" must be a DNS name with a dot, in lower case`);
  check(VERSION.test(version), `version "${version}" must be such as v1, v1beta1 or v2alpha1`);
  check(KIND.test(names.kind), `kind "${names.kind}" must begin with a capital and have letters and digits only`);
  check(KIND.test(names.listKind), `kind of lists "${names.listKind}" must be such as ${names.kind}List`);
  check(names.listKind !== names.kind, `kind of lists "${names.listKind}" must not be that of the objects`);
  check(LABEL.test(names.plural), `plural "${names.plural}" must be a DNS label in lower case`);
  check(LABEL.test(names.singular), `singular "${names.singular}" must be a DNS label in lower case`);
  for (const name of names.shortNames)
    check(LABEL.test(name), `short name "${name}" must be a DNS label in lower case`);
  for (const name of names.categories) check(LABEL.test(name), `category "${name}" must be a DNS label in lower case`);
  const all = [names.plural, ...names.shortNames];
  check(
    new Set(all).size === all.length,
    `short names must differ from each other and from the plural: ${all.join(", ")}`,
  );
  return problems;
}

/** What is wrong with the columns of a kind. */
export function columnProblems(columns: readonly PrinterColumn[]): string[] {
  return columns.flatMap((column) => {
    if (column.name === "") return ["a column must have a name"];
    if (!column.jsonPath.startsWith(".")) return [`column "${column.name}": the path must begin with a dot`];
    try {
      parseJsonPath(column.jsonPath);
      return [];
    } catch (error) {
      return [`column "${column.name}": ${(error as Error).message}`];
    }
  });
}

/** What is wrong with the selectable fields of a kind: each must be a scalar that the schema has. */
export function selectableFieldProblems(paths: readonly string[], schema: SchemaNode): string[] {
  return paths.flatMap((path) => {
    if (!path.startsWith(".")) return [`selectable field "${path}" must begin with a dot`];
    const node = path
      .slice(1)
      .split(".")
      .reduce<SchemaNode | undefined>((parent, name) => own(parent?.properties, name), schema);
    if (node === undefined) return [`selectable field "${path}" is not in the schema`];
    return node.type === "object" || node.type === "array" ? [`selectable field "${path}" must be a scalar`] : [];
  });
}
