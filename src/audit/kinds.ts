import * as z from "zod";
import {
  badRequest,
  decodeContinue,
  encodeContinue,
  type FieldRequirement,
  type GroupBuilder,
  type KindDeclaration,
  type ListPage,
  type ListQuery,
  matchesFields,
  matchesLabels,
  notFound,
  type ResourceObject,
  type Storage,
  StatusError,
} from "../resources/index.ts";
import type { AuditQuery, AuditStore } from "./audit-store.ts";
import type { AuditRecord } from "./audit-record.ts";

/** The API group of the audit. */
export const AUDIT_GROUP = "audit.entrepot.dev";
const VERSION = "v1";

/** Digits of a name: names are in the order of time. */
const NAME_DIGITS = 12;
/** Pages of rows that are looked at for one list, if a selector is none that the database can answer. */
const MAX_PAGES = 10;
const PAGE = 1000;

const auditEventSpec = z.object({
  occurredAt: z.string().describe("When it was, RFC 3339."),
  requestId: z.string().describe("The request; answers have it as `x-request-id`."),
  identity: z.string().describe("Who."),
  credential: z
    .object({
      type: z.string().describe("How the request proved who it is from."),
      id: z.string().optional().describe("Which API key, session or token it was. No secret."),
    })
    .describe("With which credential."),
  address: z.string().optional().describe("The client's IP address, if it is known."),
  userAgent: z.string().optional().describe("What the client calls itself, 200 characters at most."),
  verb: z.string().describe("What was wanted, as roles name it; `login` for signing in."),
  group: z.string().optional().describe("API group of the object; absent for the core group."),
  resource: z.string().describe("Plural of the object's kind."),
  subresource: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string().optional().describe("The object; of a repository its whole name."),
  allowed: z.boolean().describe("Whether it was allowed."),
  reason: z.string().describe("By which binding it was allowed, or why it was refused."),
  status: z.int().describe("HTTP status of the answer."),
  hash: z
    .string()
    .optional()
    .describe("SHA-256 over this event and the hash of the one before it; absent until it is sealed, about a minute."),
});

/** An event as an object shows it. */
type AuditEventSpec = z.infer<typeof auditEventSpec>;

export const auditEventKind: KindDeclaration<typeof auditEventSpec> = {
  kind: "AuditEvent",
  plural: "auditevents",
  scope: "Cluster",
  categories: ["audit"],
  description: "Something that someone did, or was refused. The newest first; read-only.",
  spec: auditEventSpec,
  columns: [
    { name: "Age", type: "date", jsonPath: ".spec.occurredAt", description: "How long ago it was." },
    { name: "Who", type: "string", jsonPath: ".spec.identity" },
    { name: "Verb", type: "string", jsonPath: ".spec.verb" },
    { name: "Resource", type: "string", jsonPath: ".spec.resource" },
    { name: "Object", type: "string", jsonPath: ".spec.name" },
    { name: "Allowed", type: "boolean", jsonPath: ".spec.allowed" },
    { name: "Reason", type: "string", jsonPath: ".spec.reason" },
    { name: "From", type: "string", jsonPath: ".spec.address" },
    { name: "Namespace", type: "string", jsonPath: ".spec.namespace", priority: 1 },
    { name: "Credential", type: "string", jsonPath: ".spec.credential.type", priority: 1 },
    { name: "Status", type: "integer", jsonPath: ".spec.status", priority: 1 },
    { name: "Client", type: "string", jsonPath: ".spec.userAgent", priority: 1 },
  ],
  selectableFields: [
    ".spec.identity",
    ".spec.verb",
    ".spec.resource",
    ".spec.namespace",
    ".spec.name",
    ".spec.allowed",
    ".spec.reason",
  ],
};

/** What the kind is a view of. */
export type AuditReadStore = Pick<AuditStore, "get" | "list" | "newestId">;

/** The audit as a kind: `kubectl get auditevents`. It is read-only, and has no watch. */
export function auditGroup(store: AuditReadStore): GroupBuilder {
  return {
    group: AUDIT_GROUP,
    versions: [VERSION],
    kinds: [{ declaration: auditEventKind, storage: () => auditStorage(store) }],
  };
}

function auditStorage(store: AuditReadStore): Storage {
  return {
    async get(_context, { name }) {
      const id = idOf(name);
      const row = id === undefined ? undefined : await store.get(id);
      if (row === undefined) throw notFound({ group: AUDIT_GROUP, plural: auditEventKind.plural }, name);
      return auditEventObject(row);
    },
    list: (_context, query) => list(store, query),
  };
}

/** @throws {StatusError} BadRequest, Expired */
async function list(store: AuditReadStore, query: ListQuery): Promise<ListPage> {
  if (query.source !== "current") throw badRequest(`auditevents keep no ${query.source}`);
  if (query.resourceVersionMatch === "Exact") {
    throw new StatusError("Expired", "auditevents can only be listed as they are now");
  }
  const token = query.continue === undefined ? undefined : decodeContinue(query.continue);
  if (token !== undefined && token.before === undefined) throw badRequest("continue key is not valid");
  // A name is found at once, wherever it is.
  const named = query.fields.find(({ path, operator }) => path === "metadata.name" && operator === "=");
  if (named !== undefined) return listOne(store, query, idOf(named.value));
  const filter = filterOf(query.fields);
  const rv = token?.rv ?? (await store.newestId());
  const { items, before } = filter === undefined ? { items: [] } : await collect(store, query, filter, token?.before);
  return {
    items,
    resourceVersion: String(rv),
    ...(before === undefined ? {} : { continue: encodeContinue({ rv, namespace: "", name: "", before }) }),
  };
}

/** Events that match, and where to go on if there may be more. */
async function collect(
  store: AuditReadStore,
  query: ListQuery,
  filter: Omit<AuditQuery, "limit">,
  start: number | undefined,
): Promise<{ readonly items: readonly ResourceObject[]; readonly before?: number }> {
  const items: ResourceObject[] = [];
  let before = start;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const limit = Math.min(PAGE, query.limit - items.length);
    const page = await store.list({ ...filter, limit, ...(before === undefined ? {} : { before }) });
    items.push(...page.items.map(auditEventObject).filter((object) => matches(object, query)));
    before = page.next;
    if (before === undefined) return { items };
    if (items.length >= query.limit) break;
  }
  return { items, ...(before === undefined ? {} : { before }) };
}

async function listOne(store: AuditReadStore, query: ListQuery, id: number | undefined): Promise<ListPage> {
  const row = id === undefined ? undefined : await store.get(id);
  const items = row === undefined ? [] : [auditEventObject(row)];
  return { items: items.filter((object) => matches(object, query)), resourceVersion: String(row?.id ?? 0) };
}

function matches(object: ResourceObject, { labels, fields }: ListQuery): boolean {
  return matchesLabels(object.metadata.labels, labels) && matchesFields(object, fields);
}

/** Fields that are columns of the database. */
const FIELDS: Readonly<Record<string, Exclude<keyof AuditQuery, "allowed" | "since" | "until" | "before" | "limit">>> =
  {
    "spec.identity": "identity",
    "spec.verb": "verb",
    "spec.resource": "resource",
    "spec.namespace": "namespace",
    "spec.name": "name",
    "spec.reason": "reason",
  };

/** As much of the selector as the database can answer; `undefined` if nothing can match. */
function filterOf(fields: readonly FieldRequirement[]): Omit<AuditQuery, "limit"> | undefined {
  const filter: Record<string, string | boolean> = {};
  for (const { path, operator, value } of fields) {
    if (operator !== "=") continue;
    const field = Object.hasOwn(FIELDS, path) ? FIELDS[path] : undefined;
    if (field !== undefined) filter[field] = value;
    if (path === "spec.allowed") {
      if (value !== "true" && value !== "false") return undefined;
      filter["allowed"] = value === "true";
    }
  }
  return filter;
}

/** An event as an object. What is empty is absent. */
export function auditEventObject(row: AuditRecord): ResourceObject<AuditEventSpec> {
  const occurredAt = new Date(row.occurredAt).toISOString();
  return {
    apiVersion: `${AUDIT_GROUP}/${VERSION}`,
    kind: auditEventKind.kind,
    metadata: {
      name: String(row.id).padStart(NAME_DIGITS, "0"),
      uid: `audit-${row.id}`,
      resourceVersion: String(row.id),
      generation: 1,
      creationTimestamp: occurredAt.replace(/\.\d{3}Z$/, "Z"),
    },
    spec: {
      occurredAt,
      requestId: row.requestId,
      identity: row.identity,
      credential: { type: row.credentialType, ...(row.credentialId === null ? {} : { id: row.credentialId }) },
      ...(row.address === null ? {} : { address: row.address }),
      ...(row.userAgent === null ? {} : { userAgent: row.userAgent }),
      verb: row.verb,
      ...(row.group === "" ? {} : { group: row.group }),
      resource: row.resource,
      ...(row.subresource === "" ? {} : { subresource: row.subresource }),
      ...(row.namespace === "" ? {} : { namespace: row.namespace }),
      ...(row.name === "" ? {} : { name: row.name }),
      allowed: row.allowed,
      reason: row.reason,
      status: row.status,
      ...(row.hash === null ? {} : { hash: row.hash }),
    },
  };
}

function idOf(name: string): number | undefined {
  return /^[0-9]{12,15}$/.test(name) ? Number(name) : undefined;
}
