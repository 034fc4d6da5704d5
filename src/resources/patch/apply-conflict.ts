import { type StatusCause, StatusError } from "../status-error.ts";
import { pathTexts } from "./field-set.ts";
import type { Owner } from "./managed-fields.ts";

/**
 * Fields that others own and that an apply would change. `kubectl` shows causes and message as they are.
 * @param conflicts the others' entries, cut down to those fields
 * @see Kubernetes, "Server-Side Apply", section "Conflicts"
 */
export function applyConflict(conflicts: readonly Owner[]): StatusError {
  const found = conflicts
    .map((entry) => ({ manager: managerText(entry), paths: pathTexts(entry.fields) }))
    .sort((left, right) => (left.manager < right.manager ? -1 : 1));
  const causes = found.flatMap(({ manager, paths }) =>
    paths.map((field): StatusCause => ({ reason: "FieldManagerConflict", message: `conflict with ${manager}`, field })),
  );
  const [first] = causes;
  const text =
    causes.length === 1 && first !== undefined
      ? `1 conflict: ${first.message}: ${first.field}`
      : `${causes.length} conflicts: ${found.map(groupText).join("\n")}`;
  return new StatusError("Conflict", `Apply failed with ${text}`, { causes });
}

function groupText({ manager, paths }: { readonly manager: string; readonly paths: readonly string[] }): string {
  return [`conflicts with ${manager}:`, ...paths.map((path) => `- ${path}`)].join("\n");
}

/** `"kubectl" using apps/v1`, `"operator" with subresource "status" using apps/v1`, or, of one who applies, `"flux"`. */
function managerText({ manager, operation, apiVersion, subresource }: Owner): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : "");
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
