import type { SchemaNode } from "../kinds/kind.ts";
import type { StatusCause } from "../status-error.ts";
import { invalidValue } from "./causes.ts";

type Validate = (value: unknown, node: SchemaNode, path: string, depth: number) => StatusCause[];

/** `allOf`, `anyOf`, `oneOf` and `not`. `validate` is handed in, since it leads back here. */
export function checkCombinations(
  value: unknown,
  node: SchemaNode,
  path: string,
  depth: number,
  validate: Validate,
): StatusCause[] {
  const check = (member: SchemaNode) => validate(value, member, path, depth + 1);
  const causes = (node.allOf ?? []).flatMap(check);
  if (node.anyOf !== undefined) causes.push(...anyOf(node.anyOf.map(check), value, path));
  if (node.oneOf !== undefined) causes.push(...oneOf(node.oneOf.map(check), value, path));
  if (node.not !== undefined && check(node.not).length === 0)
    causes.push(invalidValue(path, value, "must not validate the schema (not)"));
  return causes;
}

function anyOf(results: readonly StatusCause[][], value: unknown, path: string): StatusCause[] {
  if (results.length === 0 || results.some((causes) => causes.length === 0)) return [];
  return [invalidValue(path, value, "must validate at least one schema (anyOf)"), ...nearest(results)];
}

function oneOf(results: readonly StatusCause[][], value: unknown, path: string): StatusCause[] {
  const matching = results.filter((causes) => causes.length === 0).length;
  if (results.length === 0 || matching === 1) return [];
  const cause = invalidValue(path, value, "must validate one and only one schema (oneOf)");
  return matching === 0 ? [cause, ...nearest(results)] : [cause];
}

/** What is wrong with the alternative that was meant: one whose discriminator fits, with the fewest mistakes. */
function nearest(results: readonly StatusCause[][]): StatusCause[] {
  const distance = (causes: readonly StatusCause[]) =>
    causes.filter((cause) => cause.reason === "FieldValueNotSupported").length * 1000 + causes.length;
  return results.toSorted((left, right) => distance(left) - distance(right))[0] ?? [];
}
