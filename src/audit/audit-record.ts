import { ANONYMOUS, type AuditEntry } from "../access/index.ts";

/** A row before it is written. Texts are cut, and free of control characters and of what looks like a credential. */
export interface AuditDraft {
  /** Milliseconds since the Unix epoch. */
  readonly occurredAt: number;
  readonly requestId: string;
  readonly identity: string;
  readonly credentialType: string;
  readonly credentialId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly allowed: boolean;
  readonly reason: string;
  readonly status: number;
}

/** A row as it is stored. */
export interface AuditRecord extends AuditDraft {
  /** Grows with time, without gaps. */
  readonly id: number;
  /** SHA-256 in hexadecimal over this row and the hash before it; `null` until the row is sealed. */
  readonly hash: string | null;
}

/** What a row says, in the order of the table's columns, which is the order that the chain hashes them in. */
export function columnsOf(draft: AuditDraft): readonly (string | number | null)[] {
  return [
    draft.occurredAt,
    draft.requestId,
    draft.identity,
    draft.credentialType,
    draft.credentialId,
    draft.address,
    draft.userAgent,
    draft.verb,
    draft.group,
    draft.resource,
    draft.subresource,
    draft.namespace,
    draft.name,
    draft.allowed ? 1 : 0,
    draft.reason,
    draft.status,
  ];
}

/** Where a request came from. */
export interface AuditSource {
  readonly occurredAt: number;
  readonly requestId: string;
  readonly address: string | undefined;
  readonly userAgent: string | null;
}

/** The most characters that are kept of a name, and of any other text. */
const MAX_NAME = 512;
const MAX_TEXT = 200;

const READ_VERBS = new Set(["get", "list", "watch", "pull", "catalog"]);
/** Kinds that are created to ask something: `kubectl auth can-i`. */
const REVIEW_GROUPS = new Set(["authorization.k8s.io", "authentication.k8s.io"]);

/** Whether the entry only looked. `display` looks up what identities are called. */
function isRead({ verb, group, resource }: Pick<AuditEntry, "verb" | "group" | "resource">): boolean {
  return READ_VERBS.has(verb) || REVIEW_GROUPS.has(group) || (verb === "connect" && resource === "display");
}

/** Whether the entry tells of someone who tried to sign in. */
function isSignIn({ verb, resource }: Pick<AuditEntry, "verb" | "resource">): boolean {
  return verb === "login" && resource === "sessions";
}

/** Whether an entry belongs in the audit. Every pull of a client begins with a refusal of nobody, which does not. */
export function isRecorded(entry: AuditEntry, options: { readonly reads: boolean }): boolean {
  if (entry.allowed) return options.reads || !isRead(entry);
  return entry.identity.name !== ANONYMOUS || isSignIn(entry);
}

/** What an entry becomes as a row. */
export function draftOf(entry: AuditEntry, source: AuditSource): AuditDraft {
  const { type, id } = entry.identity.credential;
  return {
    occurredAt: source.occurredAt,
    requestId: cleaned(source.requestId, MAX_TEXT),
    identity: cleaned(entry.identity.name, MAX_NAME),
    credentialType: type,
    credentialId: id === undefined ? null : cleaned(id, MAX_TEXT),
    address: source.address ?? null,
    userAgent: source.userAgent === null ? null : cleaned(source.userAgent, MAX_TEXT),
    verb: cleaned(entry.verb, MAX_TEXT),
    group: cleaned(entry.group, MAX_TEXT),
    resource: cleaned(entry.resource, MAX_TEXT),
    subresource: cleaned(entry.subresource, MAX_TEXT),
    namespace: cleaned(entry.namespace, MAX_NAME),
    name: cleaned(entry.name, MAX_NAME),
    allowed: entry.allowed,
    reason: cleaned(entry.reason, MAX_TEXT),
    status: entry.status,
  };
}

/** API keys, JSON Web Tokens, and values of `Authorization`. They have no place in a row, but a path or a `User-Agent` may hold one. */
const CREDENTIALS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/ent_([a-z2-7]{12})_[A-Za-z0-9_-]+/g, "ent_$1_(redacted)"],
  [/eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)*/g, "(redacted)"],
  [/\b(basic|bearer)([ :=]+)[A-Za-z0-9._~+/=-]{8,}/gi, "$1$2(redacted)"],
];

function cleaned(text: string, length: number): string {
  // More than is kept is never looked at: a credential that the cut would halve is still found.
  let clean = text.slice(0, 2 * length).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "");
  for (const [pattern, instead] of CREDENTIALS) clean = clean.replaceAll(pattern, instead);
  return clean.slice(0, length).toWellFormed();
}
