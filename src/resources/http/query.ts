import { parseFieldSelector } from "../selectors/field-selector.ts";
import type { ServedKind } from "../kinds/kind.ts";
import { type LabelRequirement, parseLabelSelector } from "../selectors/label-selector.ts";
import { badRequest } from "../status-error.ts";
import type { DeleteOptions, ListQuery, PropagationPolicy } from "../storage/storage.ts";

/** Objects in a page, when the client does not say, and at the most. */
const MAX_LIMIT = 10_000;

/** Labels that ask for the past instead of the present; their value is `true`. */
export const HISTORY_LABEL = "entrepot.dev/get-history";
export const TRASH_LABEL = "entrepot.dev/get-trash";

/** @throws {StatusError} BadRequest */
export function parseListQuery(query: URLSearchParams, kind: ServedKind, namespace: string | undefined): ListQuery {
  const { labels, source } = takeSource(parseLabelSelector(query.get("labelSelector") ?? ""));
  const limit = wholeNumber(query, "limit") ?? 0;
  const match = query.get("resourceVersionMatch");
  if (match !== null && match !== "" && match !== "Exact" && match !== "NotOlderThan") {
    throw badRequest(`resourceVersionMatch: unsupported value ${match}`);
  }
  const resourceVersion = query.get("resourceVersion") ?? "";
  if (resourceVersion !== "" && !/^[0-9]{1,15}$/.test(resourceVersion)) {
    throw badRequest(`resourceVersion: not a version: ${resourceVersion.slice(0, 50)}`);
  }
  const token = query.get("continue") ?? "";
  return {
    ...(namespace === undefined ? {} : { namespace }),
    labels,
    fields: parseFieldSelector(query.get("fieldSelector") ?? "", kind.selectableFields),
    limit: limit === 0 ? MAX_LIMIT : Math.min(limit, MAX_LIMIT),
    ...(token === "" ? {} : { continue: token }),
    ...(resourceVersion === "" ? {} : { resourceVersion }),
    ...(match === "Exact" || match === "NotOlderThan" ? { resourceVersionMatch: match } : {}),
    source,
  };
}

function takeSource(requirements: readonly LabelRequirement[]): {
  labels: LabelRequirement[];
  source: ListQuery["source"];
} {
  const asks = (key: string): boolean =>
    requirements.some((each) => each.key === key && each.operator === "in" && each.values.includes("true"));
  const labels = requirements.filter(({ key }) => key !== HISTORY_LABEL && key !== TRASH_LABEL);
  return { labels, source: asks(HISTORY_LABEL) ? "history" : asks(TRASH_LABEL) ? "trash" : "current" };
}

const POLICIES: readonly string[] = ["Background", "Foreground", "Orphan"] satisfies PropagationPolicy[];

/** Options of a delete: from the body, else from the query. @throws {StatusError} BadRequest */
export function parseDeleteOptions(
  query: URLSearchParams,
  body: Readonly<Record<string, unknown>>,
): DeleteOptions & { readonly dryRun: boolean } {
  const policy =
    body["propagationPolicy"] ??
    query.get("propagationPolicy") ??
    (body["orphanDependents"] === true ? "Orphan" : "Background");
  if (typeof policy !== "string" || !POLICIES.includes(policy))
    throw badRequest("propagationPolicy: must be Background, Foreground or Orphan");
  return {
    propagationPolicy: policy as PropagationPolicy,
    preconditions: parsePreconditions(body["preconditions"] ?? {}),
    dryRun: isDryRun(query.getAll("dryRun")) || isDryRun(Array.isArray(body["dryRun"]) ? body["dryRun"] : []),
  };
}

/** Who asks for a condition that is none must not have the deletion without it. @throws {StatusError} BadRequest */
function parsePreconditions(given: unknown): { uid?: string; resourceVersion?: string } {
  const { uid, resourceVersion } = given as { readonly uid?: unknown; readonly resourceVersion?: unknown };
  for (const [name, value] of Object.entries({ uid, resourceVersion })) {
    if (value !== undefined && value !== null && typeof value !== "string")
      throw badRequest(`preconditions.${name}: must be a text`);
  }
  return {
    ...(typeof uid === "string" ? { uid } : {}),
    ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
  };
}

/** Whether writes are to be tried only. `All` is the only value there is. @throws {StatusError} BadRequest */
export function isDryRun(values: readonly unknown[]): boolean {
  for (const value of values) {
    if (value !== "All" && value !== "")
      throw badRequest(`dryRun: unsupported value ${JSON.stringify(value)}: must be All`);
  }
  return values.includes("All");
}

export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** What to do about fields that the kind does not have. @throws {StatusError} BadRequest */
export function parseFieldValidation(query: URLSearchParams): FieldValidation {
  const value = query.get("fieldValidation") || "Warn";
  if (value !== "Strict" && value !== "Warn" && value !== "Ignore")
    throw badRequest(`fieldValidation: unsupported value ${value.slice(0, 50)}`);
  return value;
}

/** A whole number among the parameters. @throws {StatusError} BadRequest */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) throw badRequest(`${name}: not a whole number: ${text.slice(0, 50)}`);
  return Number(text);
}

/**
 * A parameter that says yes or no: absent, `0` and `false` are no; anything else, nothing at all included, is yes.
 * @see kubernetes/apimachinery, pkg/runtime/conversion.go, Convert_Slice_string_To_bool
 */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== "0" && text.toLowerCase() !== "false";
}
