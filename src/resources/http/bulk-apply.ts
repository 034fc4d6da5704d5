import { readBodyText } from "../../http/index.ts";
import { isAnonymous } from "../../access/index.ts";
import { splitApiVersion } from "../kinds/kind.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { bodyFault } from "./body/body.ts";
import { type ApiCall, notLoggedIn, recordOutcome } from "./call.ts";
import { parseDocuments } from "./body/documents.ts";
import { handleObjects } from "./objects.ts";

/** Our own endpoint: many objects in one body. */
const PATH = "/api/v1/apply";

/** Bytes of a body at the most. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

export function isBulkApply({ url }: ApiCall): boolean {
  return url.pathname === PATH;
}

/** Documents whose outcomes the audit is told together: each time is a query. */
const AUDITED_TOGETHER = 25;

/** What became of one document. */
interface Applied {
  /** Where the document begins, from 1. */
  readonly line: number;
  readonly status: "created" | "configured" | "failed";
  readonly object?: unknown;
  readonly error?: unknown;
}

/**
 * `POST /api/v1/apply?fieldManager=…`: a body of several YAML or JSON documents, each applied as by server-side apply, in
 * order. Nothing is applied if a document cannot be read; one that is refused does not stop those after it.
 */
export async function handleBulkApply(call: ApiCall): Promise<Response> {
  if (isAnonymous(call.identity)) throw notLoggedIn();
  if (call.request.method !== "POST") throw new StatusError("MethodNotAllowed", "apply takes POST");
  await permitAny(call);
  const { documents, errors } = await parseDocuments(await readText(call.request), call.services.rest);
  if (errors.length > 0) {
    const shown = errors.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
    return Response.json({ ...badRequest(shown.join("; ")).toStatus(), errors }, { status: 400 });
  }
  const results: Applied[] = [];
  const outcomes: Outcome[] = [];
  try {
    for (const { object, line } of documents) {
      results.push({ line, ...(await applyOne(call, object, outcomes)) });
      if (outcomes.length >= AUDITED_TOGETHER) record(outcomes.splice(0));
    }
  } finally {
    record(outcomes);
  }
  const failed = results.filter(({ status }) => status === "failed").length;
  return Response.json({ results, failed }, { status: failed === 0 ? 200 : 207 });
}

/** What the audit is to be told of. */
interface Outcome {
  readonly call: ApiCall;
  readonly status: number;
}

function record(outcomes: readonly Outcome[]): void {
  for (const { call, status } of outcomes) recordOutcome(call, status);
}

async function applyOne(call: ApiCall, object: unknown, outcomes: Outcome[]): Promise<Omit<Applied, "line">> {
  const one = { ...call, trail: {} };
  try {
    const response = await send(one, object);
    outcomes.push({ call: one, status: response.status });
    const body: unknown = await response.json();
    return { status: response.status === 201 ? "created" : "configured", object: body };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    outcomes.push({ call: one, status: error.code });
    return { status: "failed", error: error.toStatus() };
  }
}

/** The same request that a client would make for one object. */
async function send(call: ApiCall, object: unknown): Promise<Response> {
  const { apiVersion, kind, metadata } = object as {
    apiVersion?: unknown;
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown };
  };
  const name = metadata?.name;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") {
    throw badRequest("apiVersion, kind and metadata.name are required");
  }
  const [group, version] = splitApiVersion(apiVersion);
  const found = await call.services.registry.version(group, version);
  const resource = found?.version.resources.find(({ served }) => served.kind === kind);
  if (found === undefined || resource === undefined) throw badRequest(`no kind ${kind} in ${apiVersion}`);
  const namespace =
    resource.served.scope === "Cluster"
      ? undefined
      : typeof metadata?.namespace === "string"
        ? metadata.namespace
        : "default";
  const query = new URLSearchParams(call.url.searchParams);
  if (!query.has("fieldManager")) query.set("fieldManager", "entrepot-apply");
  const url = new URL(`${call.url.origin}/${call.url.pathname}?${query}`);
  const request = new Request(url, {
    method: "PATCH",
    headers: { "content-type": "application/apply-patch+yaml", accept: "application/json" },
    body: JSON.stringify(object),
  });
  const info = {
    kind: "resource",
    group,
    version,
    namespace,
    resource: resource.served.plural,
    name,
    subresource: "",
    rest: "",
  } as const;
  return handleObjects({ call: { ...call, request, url }, group: found.group, resource, info });
}

/**
 * Nobody reads a large body for those who may apply nothing anywhere; what each document needs is asked with it.
 * @throws {StatusError} Forbidden
 */
async function permitAny(call: ApiCall): Promise<void> {
  const { identity, services, trail, url } = call;
  if (identity.scope === undefined) {
    for (const { group, versions } of await services.registry.groups()) {
      for (const { resources } of versions) {
        const some = resources.some(({ served }) =>
          identity.policy.mayIn({ verb: "patch", group, resource: served.plural }),
        );
        if (some) return;
      }
    }
  }
  const asked = { verb: "patch", group: "", version: "", resource: "", subresource: "", namespace: "", name: "" };
  trail.asked = {
    attributes: { ...asked, identity, path: url.pathname },
    decision: { allowed: false, reason: "no-rule" },
  };
  throw new StatusError("Forbidden", `forbidden: User "${identity.name}" cannot patch any resource`);
}

async function readText(request: Request): Promise<string> {
  const read = await readBodyText(request, { limit: MAX_BODY_BYTES });
  if (!read.ok) throw bodyFault(read.error);
  return read.value;
}
