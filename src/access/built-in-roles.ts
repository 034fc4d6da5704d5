import { API_GROUPS } from "./api-groups.ts";
import type { Rule } from "./policy.ts";

/** A cluster role that is always there. */
export interface BuiltInRole {
  readonly name: string;
  readonly description: string;
  readonly rules: readonly Rule[];
}

const { content, iam, audit, secret } = API_GROUPS;

const READ = ["get", "list", "watch"];

/** Kinds of access without those that hold credentials or lead to them. */
const IAM_KINDS = [
  "users",
  "teams",
  "serviceaccounts",
  "roles",
  "clusterroles",
  "rolebindings",
  "clusterrolebindings",
  "federatedissuers",
];

const PULL: readonly Rule[] = [
  { apiGroups: [content], resources: ["repositories"], verbs: ["pull"] },
  { apiGroups: [content], resources: ["repositories", "tags", "manifests"], verbs: ["get", "list"] },
];

const PUSH: readonly Rule[] = [...PULL, { apiGroups: [content], resources: ["repositories"], verbs: ["push"] }];

const VIEW: readonly Rule[] = [
  ...PULL,
  // A data source's `proxy` and `resource` reach another service with credentials that the viewer was not given.
  {
    apiGroups: ["*", `!${iam}`, `!${audit}`, `!${secret}`],
    resources: ["*", "!*/proxy", "!*/resource"],
    verbs: READ,
  },
  { apiGroups: [iam], resources: IAM_KINDS, verbs: READ },
  { apiGroups: [iam], resources: ["display"], verbs: ["connect"] },
];

/** By name. In a RoleBinding they hold in its namespace, in a ClusterRoleBinding everywhere. */
export const BUILT_IN_ROLES: ReadonlyMap<string, BuiltInRole> = new Map(
  [
    {
      name: "viewer",
      description: "Reads everything but secrets, credentials and the audit, and pulls.",
      rules: VIEW,
    },
    { name: "puller", description: "Pulls, and reads repositories, tags and manifests.", rules: PULL },
    { name: "pusher", description: "Pulls and pushes, and reads repositories, tags and manifests.", rules: PUSH },
    {
      name: "editor",
      description: "Pulls, pushes, deletes content, and writes everything but users, teams, roles and their like.",
      rules: [
        ...PUSH,
        {
          apiGroups: [content],
          resources: ["repositories", "tags", "manifests"],
          verbs: ["delete", "deletecollection"],
        },
        {
          apiGroups: ["*", `!${iam}`, `!${audit}`],
          resources: ["*"],
          verbs: [...READ, "create", "update", "patch", "delete", "deletecollection", "connect"],
        },
        { apiGroups: [iam], resources: IAM_KINDS, verbs: READ },
        { apiGroups: [iam], resources: ["display"], verbs: ["connect"] },
      ],
    },
    {
      name: "admin",
      description: "Everything, who may do what included.",
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
    },
  ].map((role) => [role.name, role]),
);
