import { namespaceOf } from "../oci/index.ts";
import { ANONYMOUS, type CredentialUse, type Identity, type RepositoryVerb } from "./identity.ts";
import type { AccessDecision, AccessRequest } from "./policy.ts";

/** Who did it, of all that is known of an identity. */
type Actor = Pick<Identity, "name" | "credential">;

/** What is told to the audit: who wanted to do what, and what came of it. Nothing of headers, queries or bodies. */
export interface AuditEntry extends AccessRequest {
  readonly identity: Actor;
  readonly allowed: boolean;
  /** Why it was allowed or refused: the reason of an `AccessDecision`, or a tag. Never text that a client sent. */
  readonly reason: string;
  /** The status of the answer. */
  readonly status: number;
}

/** Someone who did not get in. */
export interface FailedSignIn {
  /** The account that was tried, as it was typed. It is kept only if there is such an account. */
  readonly account?: string;
  /** What kind of credential it was; its id, if it has one that is no secret. */
  readonly credential: CredentialUse;
  /** A tag: `wrong-password`, `expired`, `locked-out`. */
  readonly reason: string;
  readonly status: number;
}

/** Where what was done, or tried, is told: a port, which the folder `audit/` implements. */
export interface Audit {
  /** Notes an entry in the background. Never throws, never waits. What does not belong in the audit is left out. */
  record(request: Request, entry: AuditEntry): void;
  /**
   * Notes an entry, whatever it is, before anything is answered: for what must not be given out unseen, which is a new
   * API key, a changed password, and a session.
   * @throws if it could not be noted
   */
  recordNow(request: Request, entry: AuditEntry): Promise<void>;
  /** Notes a failed sign-in in the background. Never throws, never waits. */
  recordFailedSignIn(request: Request, failed: FailedSignIn): void;
}

/** The name that stands for an account that does not exist: what was typed may have been a password. */
const UNKNOWN_ACCOUNT = "(unknown)";

/** What came of a request. */
export interface Outcome {
  readonly decision: AccessDecision;
  readonly status: number;
}

/** An entry of `/v2`. `repository` is the whole name. */
export function repositoryEntry(
  identity: Actor,
  verb: RepositoryVerb,
  repository: string,
  { decision, status }: Outcome,
): AuditEntry {
  return {
    identity,
    verb,
    group: "content.entrepot.dev",
    resource: "repositories",
    subresource: "",
    namespace: namespaceOf(repository),
    name: repository,
    allowed: decision.allowed,
    reason: decision.reason,
    status,
  };
}

/** An entry of anything that is asked of the policy, such as the resource API. */
export function accessEntry(identity: Actor, request: AccessRequest, { decision, status }: Outcome): AuditEntry {
  const { verb, group, resource, subresource, namespace, name } = request;
  const { allowed, reason } = decision;
  return { identity, verb, group, resource, subresource, namespace, name, allowed, reason, status };
}

/** Someone signed in (`login`) or out (`logout`). */
export function sessionEntry(identity: Actor, verb: "login" | "logout", status: number): AuditEntry {
  return { ...SESSIONS, identity, verb, name: identity.name, allowed: true, reason: identity.credential.type, status };
}

/** Someone did not get in. @param account `undefined` if there is no such account */
export function failedSignInEntry(
  account: string | undefined,
  credential: CredentialUse,
  reason: string,
  status: number,
): AuditEntry {
  const identity = { name: ANONYMOUS, credential };
  return { ...SESSIONS, identity, verb: "login", name: account ?? UNKNOWN_ACCOUNT, allowed: false, reason, status };
}

const SESSIONS = { group: "iam.entrepot.dev", resource: "sessions", subresource: "", namespace: "" } as const;
