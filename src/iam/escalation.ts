import { type Grant, type Rule, serviceAccountIdentity } from "../access/index.ts";
import { type AdmissionAttributes, type KindKey, type ResourceClient, StatusError } from "../resources/index.ts";
import { type MayActAs, requireActingAs } from "./acting.ts";
import type { BindingSpec } from "./bindings.ts";
import type { FederatedIssuerSpec } from "./federated-issuer.ts";
import { CLUSTER_ROLES, FEDERATED_ISSUERS, IAM_GROUP, ROLES, SERVICE_ACCOUNTS, TEAMS, USERS } from "./names.ts";
import type { RoleSpec } from "./roles.ts";
import { type Member, subjectName, teamGroup } from "./subjects.ts";
import type { TeamSpec } from "./team.ts";

/** What checks against escalation work with. */
export interface EscalationPorts {
  readonly client: () => ResourceClient;
  /** What bindings give to groups now. */
  readonly grantsOf: (groups: readonly string[]) => Promise<readonly Grant[]>;
  readonly mayActAs: MayActAs;
}

/**
 * Refuses a role that allows more than its writer may do, unless they may `escalate` roles.
 * @throws {StatusError} Forbidden
 * @see Kubernetes, "Using RBAC Authorization", section "Privilege escalation prevention"
 */
export function checkRole(attributes: AdmissionAttributes, kind: KindKey): void {
  const { namespace, name, object } = attributes;
  if (may(attributes, "escalate", kind, namespace, name)) return;
  refuseUncovered(attributes, kind, (object.spec as RoleSpec).rules, namespace);
}

/**
 * Refuses a binding that gives more than its writer may do, unless they may `bind` the role. A role that is not there can
 * be bound by those only, since nobody knows what it will allow.
 * @throws {StatusError} Forbidden
 */
export async function checkBinding(
  attributes: AdmissionAttributes,
  kind: KindKey,
  client: () => ResourceClient,
): Promise<void> {
  const { context, namespace, object } = attributes;
  const { roleRef } = object.spec as BindingSpec;
  const isLocal = roleRef.kind === "Role";
  const role = isLocal ? ROLES : CLUSTER_ROLES;
  const found = await client().find<RoleSpec>(role, { namespace: isLocal ? namespace : undefined, name: roleRef.name });
  const mayBind = may(attributes, "bind", role, namespace, roleRef.name);
  if (found === undefined) {
    const what = `${role.plural}.${IAM_GROUP} "${roleRef.name}" is not there`;
    if (!mayBind) throw forbidden(attributes, kind, `${what}, and you may not bind what you do not hold`);
    context.warn(`${what}: the binding gives nothing until it is`);
    return;
  }
  if (!mayBind) refuseUncovered(attributes, kind, found.spec?.rules ?? [], namespace);
}

/**
 * Refuses members that get more from a team than who adds them may do, unless they may `escalate` teams.
 * @throws {StatusError} Forbidden
 */
export async function checkTeam(attributes: AdmissionAttributes, grantsOf: EscalationPorts["grantsOf"]): Promise<void> {
  const { name, object, oldObject } = attributes;
  const members = (spec: unknown) =>
    ((spec as TeamSpec | undefined)?.members ?? []).map((member: Member) => subjectName(member, undefined));
  const before = new Set(members(oldObject?.spec));
  if (members(object.spec).every((member) => before.has(member))) return;
  if (may(attributes, "escalate", TEAMS, undefined, name)) return;
  for (const { rules, namespace } of await grantsOf([teamGroup(name)])) {
    refuseUncovered(attributes, TEAMS, rules, namespace);
  }
}

/**
 * Refuses an issuer by whose tokens its writer could be someone else: a service account that they could not make tokens
 * of, or any user, unless they may `impersonate` all.
 * @throws {StatusError} Forbidden
 */
export async function checkIssuer(attributes: AdmissionAttributes, mayActAs: MayActAs): Promise<void> {
  const { rules, login } = attributes.object.spec as FederatedIssuerSpec;
  const { identity } = attributes.context;
  for (const { serviceAccount } of rules) {
    const { namespace, name } = serviceAccount;
    if (!may(attributes, "create", SERVICE_ACCOUNTS, namespace, name, "tokens")) {
      const what = `you may not create serviceaccounts/tokens of "${name}" in the namespace "${namespace}"`;
      throw forbidden(attributes, FEDERATED_ISSUERS, `${what}, so you may not give that account to anyone`);
    }
    await requireActingAs(mayActAs, identity, serviceAccountIdentity(namespace, name));
  }
  if (login === undefined) return;
  if (!may(attributes, "impersonate", USERS, undefined, "")) {
    const why = "only those who may impersonate all users may say by whom users sign in";
    throw forbidden(attributes, FEDERATED_ISSUERS, why);
  }
}

function may(
  { context }: AdmissionAttributes,
  verb: string,
  { group, plural: resource }: KindKey,
  namespace: string | undefined,
  name: string,
  subresource = "",
): boolean {
  const request = { verb, group, resource, subresource, namespace: namespace ?? "", name };
  return context.identity.policy.decide(request).allowed;
}

/** @throws {StatusError} Forbidden */
function refuseUncovered(
  attributes: AdmissionAttributes,
  kind: KindKey,
  rules: readonly Rule[],
  namespace: string | undefined,
): void {
  const uncovered = attributes.context.identity.policy.uncovered(rules, namespace);
  if (uncovered.length === 0) return;
  const where = namespace === undefined ? "" : ` in the namespace "${namespace}"`;
  const shown = uncovered.map((rule) => JSON.stringify(rule)).join(", ");
  throw forbidden(attributes, kind, `it gives what you do not have${where}: ${shown.slice(0, 2000)}`);
}

function forbidden({ context, name }: AdmissionAttributes, { group, plural }: KindKey, why: string): StatusError {
  const message = `${plural}.${group} "${name}" is forbidden: user "${context.identity.name}": ${why}`;
  return new StatusError("Forbidden", message, { name, group, kind: plural });
}
