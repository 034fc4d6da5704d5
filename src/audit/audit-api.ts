import * as z from "zod";
import { type ReportFailure, restAuthenticationError, restError, restFailure } from "../http/index.ts";
import {
  accessEntry,
  type AccessRequest,
  type Audit,
  type AuthenticationFailure,
  type Identity,
  isAnonymous,
} from "../access/index.ts";
import { type Result } from "../platform/index.ts";
import type { Authorizer } from "../resources/index.ts";
import type { AuditChain } from "./audit-chain.ts";
import type { AuditRecord } from "./audit-record.ts";
import type { AuditQuery, AuditStore, ChainLink } from "./audit-store.ts";

/** What the audit is served from. */
export interface AuditServices {
  readonly gate: {
    authenticate(request: Request): Promise<Result<Identity, AuthenticationFailure>>;
    challenge(request: Request): string;
  };
  readonly authorizer: Authorizer;
  readonly store: Pick<AuditStore, "list">;
  readonly chain: Pick<AuditChain, "verify">;
  readonly audit: Pick<Audit, "record">;
  readonly reportFailure: ReportFailure;
}

const PREFIX = "/api/v1/audit";
const NDJSON = "application/x-ndjson";
const MAX_LIMIT = 1000;
/** What whoever reads it is asked to be allowed. */
const ASKED: AccessRequest = {
  verb: "list",
  group: "audit.entrepot.dev",
  resource: "auditevents",
  subresource: "",
  namespace: "",
  name: "",
};
const FRESH = { "cache-control": "private, no-cache" };

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const text = z.string().max(512);
const querySchema = z.strictObject({
  identity: text.optional(),
  verb: text.optional(),
  group: text.optional(),
  resource: text.optional(),
  namespace: text.optional(),
  name: text.optional(),
  reason: text.optional(),
  allowed: z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .optional(),
  since: time.optional(),
  until: time.optional(),
  limit: z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .transform(Number)
    .pipe(z.number().min(1).max(MAX_LIMIT))
    .default(100),
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .optional(),
});
/** `<id>.<hash>` of the last event that was checked. */
const verifySchema = z.strictObject({
  cursor: z
    .string()
    .regex(/^[0-9]{1,15}\.[0-9a-f]{64}$/)
    .transform((value): ChainLink => {
      const [id = "", hash = ""] = value.split(".");
      return { id: Number(id), hash };
    })
    .optional(),
});

/**
 * `GET /api/v1/audit`: what was done, the newest first, by filters; as JSON or, if asked for, one event a line.
 * `GET /api/v1/audit/verify`: whether the chain of hashes holds. Errors are those of the REST endpoints,
 * `{error, details}`. Both are asked for as `list` of the resource `auditevents`.
 */
export async function auditApi(services: AuditServices, request: Request): Promise<Response> {
  try {
    return await answer(services, request);
  } catch (error) {
    return restFailure(error, services.reportFailure(request, error));
  }
}

async function answer(services: AuditServices, request: Request): Promise<Response> {
  const { pathname: path, searchParams } = new URL(request.url);
  const refusal = await refuse(services, request, path);
  if (refusal !== undefined) return refusal;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return restError(405, "the method is not allowed here", undefined, { allow: "GET, HEAD" });
  }
  switch (path) {
    case PREFIX:
      return list(services, searchParams, request.headers.get("accept") ?? "");
    case `${PREFIX}/verify`:
      return verify(services, searchParams);
    default:
      return restError(404, "not found");
  }
}

/** The answer to who may not read the audit. */
async function refuse(
  { gate, authorizer, audit }: AuditServices,
  request: Request,
  path: string,
): Promise<Response | undefined> {
  const identity = await gate.authenticate(request);
  if (!identity.ok) return restAuthenticationError(identity.error, gate.challenge(request));
  const who = identity.value;
  const { decision, reason = "" } = await authorizer({ ...ASKED, identity: who, version: "v1", path });
  const allowed = decision === "allow";
  const status = allowed ? 200 : isAnonymous(who) ? 401 : 403;
  audit.record(request, accessEntry(who, ASKED, { decision: { allowed, reason }, status }));
  if (allowed) return undefined;
  return status === 401
    ? restAuthenticationError({ reason: "unauthenticated" }, gate.challenge(request))
    : restError(403, "not allowed", `user ${who.name} may not read the audit`);
}

async function list({ store }: AuditServices, parameters: URLSearchParams, accept: string): Promise<Response> {
  const parsed = querySchema.safeParse(present(parameters));
  if (!parsed.success) return badQuery(parsed.error);
  const { cursor, ...filters } = parsed.data;
  const query: Record<string, unknown> = { ...filters, ...(cursor === undefined ? {} : { before: cursor }) };
  const page = await store.list(withoutAbsent(query, filters.limit));
  const items = page.items.map(eventJson);
  const next = page.next === undefined ? {} : { cursor: String(page.next) };
  if (!accept.includes(NDJSON)) return Response.json({ items, ...next }, { headers: FRESH });
  const link = page.next === undefined ? {} : { link: `<${nextPath(parameters, page.next)}>; rel="next"` };
  return new Response(items.map((item) => `${JSON.stringify(item)}\n`).join(""), {
    headers: { ...FRESH, "content-type": NDJSON, ...link },
  });
}

async function verify({ chain }: AuditServices, parameters: URLSearchParams): Promise<Response> {
  const parsed = verifySchema.safeParse(present(parameters));
  if (!parsed.success) return badQuery(parsed.error);
  const { checked, break: broken, last, unsealed, next } = await chain.verify(parsed.data.cursor);
  const body = {
    intact: broken === undefined,
    ...(broken === undefined ? {} : { break: broken }),
    checked,
    last,
    ...(unsealed === undefined ? {} : { unsealed }),
    ...(next === undefined ? {} : { cursor: `${next.id}.${next.hash}` }),
  };
  return Response.json(body, { headers: FRESH });
}

/** Parameters by name; empty ones are as good as absent. The last one of a name counts. */
function present(parameters: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...parameters].filter(([, value]) => value !== ""));
}

function withoutAbsent(query: Record<string, unknown>, limit: number): AuditQuery {
  return { ...Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)), limit };
}

function badQuery(error: z.ZodError): Response {
  const [issue] = error.issues;
  return restError(400, "a parameter is wrong", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
}

function nextPath(parameters: URLSearchParams, cursor: number): string {
  const next = new URLSearchParams(parameters);
  next.set("cursor", String(cursor));
  return `${PREFIX}?${next.toString()}`;
}

function eventJson(row: AuditRecord): object {
  const { id, occurredAt, credentialType, credentialId, address, userAgent, hash, ...others } = row;
  return {
    id,
    occurredAt: new Date(occurredAt).toISOString(),
    ...others,
    credential: { type: credentialType, ...(credentialId === null ? {} : { id: credentialId }) },
    ...(address === null ? {} : { address }),
    ...(userAgent === null ? {} : { userAgent }),
    ...(hash === null ? {} : { hash }),
  };
}
