import {
  type AdmissionAttributes,
  type Authorizer,
  authorizerChain,
  type GroupBuilder,
  type GroupRoute,
  type KindKey,
  type KindRegistration,
  type ResourceClient,
  type StatusCause,
} from "../resources/index.ts";
import type { MayActAs } from "./acting.ts";
import { bindingCauses, clusterRoleBindingKind, roleBindingKind } from "./bindings.ts";
import type { ResourceDirectory } from "./directory.ts";
import { checkBinding, checkIssuer, checkRole, checkTeam, type EscalationPorts } from "./escalation.ts";
import { federatedIssuerKind } from "./federated-issuer.ts";
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  FEDERATED_ISSUERS,
  IAM_GROUP,
  IAM_VERSION,
  ROLE_BINDINGS,
  ROLES,
  TEAMS,
} from "./names.ts";
import { clusterRoleKind, clusterRoleHooks, roleKind } from "./roles.ts";
import { subjectCauses } from "./subjects.ts";
import { teamKind, type TeamSpec } from "./team.ts";

/** What the group works with. */
export interface IamGroupPorts {
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
  readonly directory: Pick<ResourceDirectory, "forget" | "grants">;
  readonly mayActAs: MayActAs;
  /** Users and service accounts. */
  readonly accounts: readonly KindRegistration[];
  readonly routes?: readonly GroupRoute[];
  /** Asked before the role rules, in this order. */
  readonly authorizers?: readonly Authorizer[];
}

/** Users, teams, service accounts, roles, bindings and issuers, as kinds of the resource API. */
export function iamGroup({
  client,
  directory,
  mayActAs,
  accounts,
  routes = [],
  authorizers = [],
}: IamGroupPorts): GroupBuilder {
  const ports: EscalationPorts = {
    client,
    grantsOf: (groups) => {
      // What a binding gave a moment ago counts.
      directory.forget();
      return directory.grants("", groups);
    },
    mayActAs,
  };
  return {
    group: IAM_GROUP,
    versions: [IAM_VERSION],
    kinds: [
      { declaration: teamKind },
      { declaration: roleKind },
      { declaration: clusterRoleKind, hooks: () => clusterRoleHooks },
      { declaration: roleBindingKind },
      { declaration: clusterRoleBindingKind },
      { declaration: federatedIssuerKind },
      ...accounts,
    ],
    routes,
    authorizer: authorizerChain(authorizers),
    validate: (attributes) => causesOf(attributes, ports),
  };
}

/**
 * What is wrong with an object. What an update leaves as it is was checked before, against someone else's rights.
 * @throws {StatusError} Forbidden, if it gives more than its writer has
 */
async function causesOf(attributes: AdmissionAttributes, ports: EscalationPorts): Promise<StatusCause[]> {
  const { operation, resource, subresource, object, oldObject } = attributes;
  if (operation === "DELETE" || subresource !== "") return [];
  if (oldObject !== undefined && JSON.stringify(oldObject.spec) === JSON.stringify(object.spec)) return [];
  switch (resource) {
    case ROLES.plural:
      checkRole(attributes, ROLES);
      return [];
    case CLUSTER_ROLES.plural:
      checkRole(attributes, CLUSTER_ROLES);
      return [];
    case ROLE_BINDINGS.plural:
      return checkedBinding(attributes, ROLE_BINDINGS, ports);
    case CLUSTER_ROLE_BINDINGS.plural:
      return checkedBinding(attributes, CLUSTER_ROLE_BINDINGS, ports);
    case FEDERATED_ISSUERS.plural:
      await checkIssuer(attributes, ports.mayActAs);
      return [];
    case TEAMS.plural:
      return checkedTeam(attributes, ports);
    default:
      return [];
  }
}

async function checkedBinding(
  attributes: AdmissionAttributes,
  kind: KindKey,
  { client }: EscalationPorts,
): Promise<StatusCause[]> {
  const causes = bindingCauses(attributes);
  if (causes.length === 0) await checkBinding(attributes, kind, client);
  return causes;
}

async function checkedTeam(attributes: AdmissionAttributes, { grantsOf }: EscalationPorts): Promise<StatusCause[]> {
  const { members } = attributes.object.spec as TeamSpec;
  const causes = members.flatMap((member, index) => subjectCauses(member, `spec.members[${index}]`, undefined));
  if (causes.length === 0) await checkTeam(attributes, grantsOf);
  return causes;
}
