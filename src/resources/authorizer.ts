import type { Identity } from "../access/index.ts";

/** One thing that someone wants to do. @see Kubernetes, authorizer.Attributes */
export interface AuthorizationAttributes {
  readonly identity: Identity;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, or `connect`. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** The plural; empty for paths that name no resource. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For requests that name no resource, such as `/version`. */
  readonly path: string;
}

/** `no-opinion` leaves the decision to the next authorizer in the chain; if none has one, the answer is no. */
export type AuthorizationDecision =
  | { readonly decision: "allow" | "no-opinion" }
  /** The reason is for the log and the audit, and is what the caller is told. */
  | { readonly decision: "deny"; readonly reason: string };

export type Authorizer = (
  attributes: AuthorizationAttributes,
) => AuthorizationDecision | Promise<AuthorizationDecision>;

/** Asks each in turn; the first that has an opinion decides. */
export function authorizerChain(authorizers: readonly Authorizer[]): Authorizer {
  return async function chain(attributes) {
    for (const authorizer of authorizers) {
      const decision = await authorizer(attributes);
      if (decision.decision !== "no-opinion") return decision;
    }
    return { decision: "no-opinion" };
  };
}
