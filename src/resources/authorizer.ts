import { type AccessRequest, type Gate, GROUPS, type Identity, REPOSITORIES } from "../access/index.ts";

/** One thing that someone wants to do. @see Kubernetes, authorizer.Attributes */
export interface AuthorizationAttributes extends AccessRequest {
  readonly identity: Identity;
  readonly version: string;
  /** For requests that name no resource, such as `/version`. */
  readonly path: string;
}

/** `no-opinion` leaves the decision to the next authorizer in the chain; if none has one, the answer is no. */
export type AuthorizationDecision =
  /** The reason is for the log and the audit. */
  | { readonly decision: "allow" | "no-opinion"; readonly reason?: string }
  | { readonly decision: "deny"; readonly reason: string };

export type Authorizer = (
  attributes: AuthorizationAttributes,
) => AuthorizationDecision | Promise<AuthorizationDecision>;

/** Asks each in turn; the first that has an opinion decides. Without one, the last reason there was is kept. */
export function authorizerChain(authorizers: readonly Authorizer[]): Authorizer {
  return async function chain(attributes) {
    let last: AuthorizationDecision = { decision: "no-opinion" };
    for (const authorizer of authorizers) {
      const decision = await authorizer(attributes);
      if (decision.decision !== "no-opinion") return decision;
      if (decision.reason !== undefined) last = decision;
    }
    return last;
  };
}

/** The platform itself and administrators may do everything, unless their credential is limited. */
export const systemAuthorizer: Authorizer = ({ identity }) =>
  identity.scope === undefined && identity.groups.includes(GROUPS.masters)
    ? { decision: "allow", reason: GROUPS.masters }
    : { decision: "no-opinion" };

/** What may be done to what is in the registry with a credential that is good for pulling it. */
const SCOPED_VERBS: ReadonlySet<string> = new Set(["get", "list"]);

/** A credential that is limited to actions on repositories is good for reading what is in them, and for nothing else here. */
export const scopeAuthorizer: Authorizer = ({ identity, group, verb }) =>
  identity.scope === undefined || (group === REPOSITORIES.group && SCOPED_VERBS.has(verb))
    ? { decision: "no-opinion" }
    : { decision: "deny", reason: "scope" };

/** What roles allow, within the limits of the credential. The end of the chain. */
export function roleAuthorizer(gate: Pick<Gate, "decide">): Authorizer {
  return ({ identity, ...request }) => {
    const { allowed, reason } = gate.decide(identity, request);
    return { decision: allowed ? "allow" : "no-opinion", reason };
  };
}

/** A namespace is in itself, so that a role that holds in it can be on it. @see Kubernetes, apiserver RequestInfo */
export function placed<A extends Omit<AccessRequest, "verb">>(attributes: A): A {
  const { group, resource, name } = attributes;
  return group === "" && resource === "namespaces" && name !== "" ? { ...attributes, namespace: name } : attributes;
}
