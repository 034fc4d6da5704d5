import type { KindKey } from "../client.ts";
import type { FieldRequirement } from "./field-selector.ts";
import { type LabelRequirement, MAX_LABEL_NUMBER } from "./label-selector.ts";
import { badRequest } from "../status-error.ts";

/** A boolean expression with a `?` for each parameter; the empty text if there is no condition. */
export interface SelectorSql {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/**
 * Parameters that a selector may bind. D1 binds at most 100 to a statement, which has parameters of its own, and may have
 * a selector of each sort.
 * @see Cloudflare D1, "Limits", bound parameters per query
 */
const MAX_PARAMETERS = 40;
const COLUMN = /^[a-z_][a-z0-9_.]*$/;

/**
 * Conditions on labels as SQL over a column with the object's JSON; true for exactly the objects that `matchesLabels`
 * finds.
 * @param column written into the statement as it is: a name in the code, never something that was sent
 * @throws {StatusError} BadRequest, if there are more conditions than a statement can bind
 */
export function labelSelectorSql(requirements: readonly LabelRequirement[], column: string): SelectorSql {
  checkColumn(column);
  return conjunction(requirements.map((requirement) => labelCondition(requirement, column)));
}

function labelCondition(requirement: LabelRequirement, column: string): SelectorSql {
  const path = jsonPath(["metadata", "labels", requirement.key]);
  switch (requirement.operator) {
    case "exists":
      return { sql: `json_type(${column}, ?) IS NOT NULL`, parameters: [path] };
    case "!":
      return { sql: `json_type(${column}, ?) IS NULL`, parameters: [path] };
    case "in":
      return { sql: `ifnull(${isOneOf(column)}, 0)`, parameters: [path, JSON.stringify(requirement.values)] };
    case "notin":
      return { sql: `ifnull(NOT ${isOneOf(column)}, 1)`, parameters: [path, JSON.stringify(requirement.values)] };
    case ">":
    case "<":
      return {
        sql: `ifnull(${comparison(column, requirement.operator)}, 0)`,
        parameters: [requirement.bound, path],
      };
  }
}

/** Digits that make a number of 64 bits; a larger one would be cut off to the largest. */
function comparison(column: string, operator: ">" | "<"): string {
  return `(SELECT CASE WHEN label <> '' AND label NOT GLOB '*[^0-9]*' AND (length(digits) < 19 OR
    (length(digits) = 19 AND digits <= '${MAX_LABEL_NUMBER}')) THEN CAST(label AS INTEGER) ${operator} CAST(? AS INTEGER) END
    FROM (SELECT label, ltrim(label, '0') AS digits FROM (SELECT json_extract(${column}, ?) AS label)))`;
}

/** However many values there are, they are one parameter. */
function isOneOf(column: string): string {
  return `(json_extract(${column}, ?) IN (SELECT value FROM json_each(?)))`;
}

/**
 * The same for fields, as `matchesFields` finds them: an absent field is the empty text, numbers are as JSON writes them.
 * @param columns paths that have a column of their own, which may have an index, such as `metadata.name`
 * @throws {StatusError} BadRequest
 */
export function fieldSelectorSql(
  requirements: readonly FieldRequirement[],
  column: string,
  columns: Readonly<Record<string, string>> = {},
): SelectorSql {
  for (const name of [column, ...Object.values(columns)]) checkColumn(name);
  return conjunction(
    requirements.map(({ path, operator, value }) => {
      const own = Object.hasOwn(columns, path) ? columns[path] : undefined;
      if (own !== undefined) return { sql: `${own} ${operator} ?`, parameters: [value] };
      return { sql: `${fieldText(column)} ${operator} ?`, parameters: [jsonPath(path.split(".")), value] };
    }),
  );
}

/** `->` gives the JSON text of what is there, once; a string must be taken out of its quotes. */
function fieldText(column: string): string {
  return (
    "ifnull((SELECT CASE json_type(node) WHEN 'text' THEN json_extract(node, '$') WHEN 'object' THEN '' " +
    `WHEN 'array' THEN '' WHEN 'null' THEN '' ELSE node END FROM (SELECT ${column} -> ? AS node)), '')`
  );
}

function jsonPath(names: readonly string[]): string {
  // SQLite has no escape for a quote in a path.
  if (names.some((name) => /["\\]/.test(name))) throw badRequest("a selector cannot name a field with a quote in it");
  return `$${names.map((name) => `."${name}"`).join("")}`;
}

function conjunction(conditions: readonly SelectorSql[]): SelectorSql {
  const parameters = conditions.flatMap((condition) => condition.parameters);
  if (parameters.length > MAX_PARAMETERS) {
    throw badRequest(
      `the selector has too many conditions: ${conditions.length}, at most ${MAX_PARAMETERS / 2} can be asked`,
    );
  }
  return { sql: conditions.map(({ sql }) => sql).join(" AND "), parameters };
}

function checkColumn(column: string): void {
  if (!COLUMN.test(column)) throw new TypeError(`not a column: ${column}`);
}

/** Which objects, and how many of them. */
export interface StorePage {
  readonly namespace?: string;
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
  readonly limit: number;
}

/** Fields that are columns as well. */
const COLUMNS = { "metadata.name": "name", "metadata.namespace": "namespace" };

/** The condition of a page of one kind. */
export function selection(
  kind: KindKey,
  page: StorePage,
): { readonly sql: string; readonly parameters: (string | number)[] } {
  const labels = labelSelectorSql(page.labels, "object");
  const fields = fieldSelectorSql(page.fields, "object", COLUMNS);
  const namespaced = page.namespace === undefined ? [] : [page.namespace];
  const conditions = [
    "api_group = ?",
    "resource = ?",
    ...namespaced.map(() => "namespace = ?"),
    labels.sql,
    fields.sql,
  ];
  return {
    sql: conditions.filter((condition) => condition !== "").join(" AND "),
    parameters: [kind.group, kind.plural, ...namespaced, ...labels.parameters, ...fields.parameters],
  };
}
