import {
  accessEntry,
  type AccessDecision,
  type AccessRequest,
  type Identity,
  isAnonymous,
} from "../../access/index.ts";
import { type AuthorizationAttributes, placed } from "../authorizer.ts";
import { StatusError } from "../status-error.ts";
import type { RequestContext } from "../storage/storage.ts";
import type { ApiServices } from "./services.ts";

/** Longest warning sent, in characters; clients cut or refuse longer headers. */
const MAX_WARNING = 256;
/** Characters of all warnings of an answer: clients bound their headers, Node's at 16 KiB. @see kubernetes/apiserver, warning.go */
const MAX_WARNINGS = 4096;

/** One authenticated request to the resource API. */
export interface ApiCall {
  readonly services: ApiServices;
  readonly identity: Identity;
  readonly request: Request;
  readonly url: URL;
  readonly warnings: string[];
  readonly trail: Trail;
}

/** What a request turned out to want, and whether it may: for the audit. */
export interface Trail {
  /** The latest that was asked of the authorizer. */
  asked?: { readonly attributes: AuthorizationAttributes; readonly decision: AccessDecision };
  /** Of the object that is made, which the path does not have. */
  name?: string;
}

/** What an authorizer is asked, but for what belongs to the request as a whole. */
export type Asked = Omit<AuthorizationAttributes, "identity" | "path">;

/** @throws {StatusError} Forbidden, with the sentence that kubectl users know; Unauthorized for nobody in particular */
export async function authorize(call: ApiCall, attributes: Asked): Promise<void> {
  const asked = { ...placed(attributes), identity: call.identity, path: call.url.pathname };
  const decided = await call.services.authorizer(asked);
  const allowed = decided.decision === "allow";
  call.trail.asked = { attributes: asked, decision: { allowed, reason: decided.reason ?? decided.decision } };
  if (!allowed) throw refusalOf(asked);
}

/** What somebody is told who may not: Forbidden, or Unauthorized for nobody in particular. */
export function refusalOf(asked: AuthorizationAttributes): StatusError {
  if (isAnonymous(asked.identity)) return notLoggedIn();
  const { verb, group, resource, subresource, namespace, name } = asked;
  const target = subresource === "" ? resource : `${resource}/${subresource}`;
  const place = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  return new StatusError(
    "Forbidden",
    `${qualified}${name === "" ? "" : ` "${name}"`} is forbidden: User "${asked.identity.name}" cannot ${verb} resource "${target}" in API group "${group}" ${place}`,
    { name, group, kind: resource },
  );
}

/** What is asked of whoever did not say who they are. */
export function notLoggedIn(): StatusError {
  return new StatusError("Unauthorized", "You must be logged in to the server (Unauthorized)");
}

/** Tells the audit what came of the request. */
export function recordOutcome({ services, identity, request, trail }: ApiCall, status: number): void {
  if (trail.asked === undefined) return;
  const { attributes: asked, decision } = trail.asked;
  // Endpoints of groups are all connected to; whether that changed anything is in the method.
  const looked = asked.verb === "connect" && (request.method === "GET" || request.method === "HEAD");
  const about: AccessRequest = { ...asked, verb: looked ? "get" : asked.verb, name: asked.name || (trail.name ?? "") };
  services.audit.record(request, accessEntry(identity, about, { decision, status }));
}

/** The context in which storage acts for this request. */
export function contextOf(call: ApiCall, dryRun: boolean): RequestContext {
  return {
    identity: call.identity,
    host: call.url.host,
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
  let left = MAX_WARNINGS;
  for (const [index, warning] of warnings.entries()) {
    const isLast = left < MAX_WARNING && index < warnings.length - 1;
    const text = (isLast ? `and ${warnings.length - index} more` : warning)
      .slice(0, MAX_WARNING)
      .replaceAll(/[\\"]/g, "\\$&")
      .replaceAll(/[^\x20-\x7e]/g, "?");
    response.headers.append("warning", `299 - "${text}"`);
    left -= text.length;
    if (isLast) break;
  }
  return response;
}
