import type { ScopeAccess } from "../oci/index.ts";
import type { Grant, Policy } from "./policy.ts";

/** What may be done to a repository. `catalog` is listing those that one may pull from. */
export type RepositoryVerb = "pull" | "push" | "delete" | "catalog";

/** How a request proved who it is from. */
export interface CredentialUse {
  readonly type:
    | "none"
    | "password"
    | "api-key"
    | "token"
    | "session"
    | "federated"
    | "access-assertion"
    /** The platform itself. */
    | "internal";
  /** Finds the credential again and is no secret: the id of an API key or of a session, the `jti` of a token. */
  readonly id?: string;
  /** What its owner called it, of an API key. */
  readonly name?: string;
}

/** Someone who wrote something earlier, as what they wrote remembers them. */
export interface Writer {
  readonly name: string;
  /** The kind of their credential. */
  readonly credential: CredentialUse["type"];
  /** Whether another party named them (`Identity.issuer`). */
  readonly isNamedElsewhere: boolean;
}

/** Who makes a request, and what roles let them do. */
export interface Identity {
  /** As roles, audit and events name it: `alice`, `system:serviceaccount:team-a:ci`, `system:anonymous`. */
  readonly name: string;
  /** `system:authenticated` or `system:unauthenticated`, `system:masters` for administrators, `team:<name>`. */
  readonly groups: readonly string[];
  readonly credential: CredentialUse;
  readonly policy: Policy;
  /** What the credential is limited to, whatever the policy allows; absent if it is not limited. */
  readonly scope?: readonly ScopeAccess[];
  /** Since when the credential proves nothing, in milliseconds since the Unix epoch: what is made of it ends no later. */
  readonly expiresAt?: number;
  /** As `Principal.issuer`: what is made of the credential keeps it. */
  readonly issuer?: string;
}

/** Who a credential proved to be, before it is known what they may do. */
export interface Principal {
  readonly name: string;
  /** Groups that come with the credential, besides `system:authenticated` and teams. */
  readonly groups: readonly string[];
  readonly credential: CredentialUse;
  readonly scope?: readonly ScopeAccess[];
  /** Since when the credential proves nothing, in milliseconds since the Unix epoch. */
  readonly expiresAt?: number;
  /**
   * The credential answers for there being such a person: no account of that name is looked for, neither among objects
   * nor in the settings. What it may do comes from its groups and from bindings.
   */
  readonly vouched?: true;
  /** All that a vouched principal may do, if the credential itself says so: neither teams nor bindings add to it. */
  readonly grants?: readonly Grant[];
  /**
   * The issuer by which someone signed in, also of a session, and of a key or token that was made of such a sign-in. What
   * the settings give to a name (`ADMIN_PASSWORD`, `HTPASSWD`) is not for those whom another party named.
   */
  readonly issuer?: string;
}

/** Why a request was not authenticated. The wire says only what it must. */
export type AuthenticationFailure =
  /** The credential is wrong, expired, revoked, or of someone disabled. `detail` is for the audit, never for the wire. */
  | { readonly reason: "unauthenticated"; readonly detail?: string }
  /** Another site may have had a browser make the request. */
  | { readonly reason: "forged" }
  /** This deployment has no credential with which anyone could get in. */
  | { readonly reason: "not-configured" }
  /** Too many wrong credentials from this address or for this account. */
  | { readonly reason: "locked-out"; readonly retryAfterSeconds: number }
  /** Too many passwords are waiting to be looked at. */
  | { readonly reason: "busy"; readonly retryAfterSeconds: number };

/** What a client is told that has to wait before it may sign in. */
export const WAIT_MESSAGES = {
  "locked-out": "too many wrong credentials",
  busy: "too many sign-ins at the same time",
} as const;

/** Groups that the platform gives; nobody can be put in them. */
export const GROUPS = {
  authenticated: "system:authenticated",
  unauthenticated: "system:unauthenticated",
  masters: "system:masters",
} as const;

/** The name of whoever sent no credential. */
export const ANONYMOUS = "system:anonymous";

/** Whether nobody proved to be anybody. Where access is open, whoever sends no credential may do everything, and is not this. */
export function isAnonymous({ name, groups }: Pick<Identity, "name" | "groups">): boolean {
  return name === ANONYMOUS && !groups.includes(GROUPS.masters);
}

/** The name of a service account among identities. @see Kubernetes, "Service account tokens" */
export function serviceAccountIdentity(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The namespace and name in the name of a service account; `undefined` for any other identity. */
export function parseServiceAccountIdentity(
  identity: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace, name, ...rest] = identity.split(":");
  if (system !== "system" || kind !== "serviceaccount" || !namespace || !name || rest.length > 0) return undefined;
  return { namespace, name };
}

/** An identity that may do everything, for what the platform does on its own. */
export function systemIdentity(name: string): Identity {
  return {
    name,
    groups: [GROUPS.masters],
    credential: { type: "internal" },
    policy: { decide: () => ({ allowed: true, reason: "system" }), mayIn: () => true, uncovered: () => [] },
  };
}
