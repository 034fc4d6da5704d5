import { API_GROUPS } from "../access/index.ts";
import type { KindKey } from "../resources/index.ts";

export const IAM_GROUP = API_GROUPS.iam;
export const IAM_VERSION = "v1";

function key(plural: string): KindKey {
  return { group: IAM_GROUP, plural };
}

export const USERS = key("users");
export const TEAMS = key("teams");
export const SERVICE_ACCOUNTS = key("serviceaccounts");
export const ROLES = key("roles");
export const CLUSTER_ROLES = key("clusterroles");
export const ROLE_BINDINGS = key("rolebindings");
export const CLUSTER_ROLE_BINDINGS = key("clusterrolebindings");
export const FEDERATED_ISSUERS = key("federatedissuers");

const NAMESPACES: KindKey = { group: "", plural: "namespaces" };

/** Kinds that say who has which rights; of users and service accounts only whether they are there. */
export const POLICY_KINDS: readonly KindKey[] = [
  TEAMS,
  ROLES,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  CLUSTER_ROLE_BINDINGS,
  FEDERATED_ISSUERS,
  NAMESPACES,
];

/** Kinds of those who have rights. */
export const ACCOUNT_KINDS: readonly KindKey[] = [USERS, SERVICE_ACCOUNTS];

/** Whether objects of a kind decide who may do what. */
export function decidesAccess({ group, plural }: KindKey): boolean {
  return [...POLICY_KINDS, ...ACCOUNT_KINDS].some((kind) => kind.group === group && kind.plural === plural);
}
