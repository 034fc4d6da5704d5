import type { Identity } from "../../access/index.ts";
import type { AuthorizationAttributes } from "../authorizer.ts";
import { StatusError } from "../status-error.ts";
import type { RequestContext } from "../storage.ts";
import type { ApiServices } from "./services.ts";

/** Longest warning sent, in characters; clients cut or refuse longer headers. */
const MAX_WARNING = 256;

/** One authenticated request to the resource API. */
export interface ApiCall {
  readonly services: ApiServices;
  readonly identity: Identity;
  readonly request: Request;
  readonly url: URL;
  readonly warnings: string[];
}

/** @throws {StatusError} Forbidden, with the sentence that kubectl users know */
export async function authorize(
  call: ApiCall,
  attributes: Omit<AuthorizationAttributes, "identity" | "path">,
): Promise<void> {
  const asked = { ...attributes, identity: call.identity, path: call.url.pathname };
  const { decision } = await call.services.authorizer(asked);
  if (decision === "allow") return;
  const { verb, group, resource, subresource, namespace, name } = attributes;
  const target = subresource === "" ? resource : `${resource}/${subresource}`;
  const place = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  throw new StatusError(
    "Forbidden",
    `${qualified}${name === "" ? "" : ` "${name}"`} is forbidden: User "${call.identity.name}" cannot ${verb} resource "${target}" in API group "${group}" ${place}`,
    { name, group, kind: resource },
  );
}

/** The context in which storage acts for this request. */
export function contextOf(call: ApiCall, dryRun: boolean): RequestContext {
  return {
    identity: call.identity,
    dryRun,
    fieldManager: fieldManagerOf(call),
    warn: (message) => call.warnings.push(message),
  };
}

/** Who the written fields will belong to: as the client says, else the program it calls itself. */
function fieldManagerOf(call: ApiCall): string {
  const given = call.url.searchParams.get("fieldManager");
  if (given !== null && given !== "") {
    if (given.length > 128) throw new StatusError("BadRequest", "fieldManager: at most 128 characters");
    return given;
  }
  const agent = call.request.headers.get("user-agent") ?? "";
  return agent.split("/")[0]?.trim().slice(0, 128) || "unknown";
}

/** Adds what the request was warned of (RFC 7234 section 5.5). */
export function withWarnings(response: Response, warnings: readonly string[]): Response {
  for (const warning of warnings) {
    const text = warning
      .slice(0, MAX_WARNING)
      .replaceAll(/[\\"]/g, "\\$&")
      .replaceAll(/[^\x20-\x7e]/g, "?");
    response.headers.append("warning", `299 - "${text}"`);
  }
  return response;
}
