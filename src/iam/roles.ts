import * as z from "zod";
import { BUILT_IN_ROLES } from "../access/index.ts";
import {
  impliedMetadata,
  type ImpliedObjects,
  type KindDeclaration,
  matchesFields,
  matchesLabels,
  type ResourceObject,
  StatusError,
  type StorageHooks,
  withImplied,
} from "../resources/index.ts";
import { CLUSTER_ROLES, IAM_GROUP, IAM_VERSION, ROLES } from "./names.ts";

/** Bounds of a rule's lists, and of the rules of a role. */
const MAX_ENTRIES = 64;
const MAX_NAMES = 256;
const MAX_RULES = 100;

const GROUP = /^(?:\*|!?(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)?)$/;
const RESOURCE = /^(?:\*|!?[a-z][a-z0-9-]{0,62}|!?(?:\*|[a-z][a-z0-9-]{0,62})\/[a-z][a-z0-9-]{0,62})$/;
const NAME = /^[A-Za-z0-9*._:@/-]{1,512}$/;
const VERB = /^(?:\*|[a-z]{1,32})$/;

function allowsSomething(list: readonly string[]): boolean {
  return list.some((entry) => !entry.startsWith("!"));
}

const ONLY_TAKES_OUT = "must have an entry that does not begin with `!`";

/** What a role allows, as `Rule` of access has it. */
export const ruleSchema = z.object({
  apiGroups: z
    .array(z.string().regex(GROUP))
    .min(1)
    .max(MAX_ENTRIES)
    .refine(allowsSomething, ONLY_TAKES_OUT)
    .describe("Groups, the core group as the empty text, `*` for all; `!` before one takes it out."),
  resources: z
    .array(z.string().regex(RESOURCE))
    .min(1)
    .max(MAX_ENTRIES)
    .refine(allowsSomething, ONLY_TAKES_OUT)
    .describe(
      "Plurals, `plural/subresource`, `*` with a subresource for those of all, `*` for all; `!` before one takes it out.",
    ),
  resourceNames: z
    .array(z.string().regex(NAME))
    .max(MAX_NAMES)
    .optional()
    .describe(
      "Names, in which `*` stands for any text: `team-a/*`. All if there are none. Lists and creating have no name, so that only `*` allows them.",
    ),
  verbs: z
    .array(z.string().regex(VERB))
    .min(1)
    .max(MAX_ENTRIES)
    .describe(
      "`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `connect`; `pull` and `push` of repositories; `*` for all.",
    ),
});

export const roleSpec = z.object({
  description: z.string().max(1024).optional().describe("What the role is for."),
  rules: z.array(ruleSchema).max(MAX_RULES).default([]).describe("What the role allows. Rules only add."),
});

export type RoleSpec = z.infer<typeof roleSpec>;

const columns = [
  { name: "Description", type: "string", jsonPath: ".spec.description" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
] as const;

export const roleKind: KindDeclaration<typeof roleSpec> = {
  kind: "Role",
  plural: ROLES.plural,
  categories: ["iam"],
  scope: "Namespaced",
  description: "Rules that a RoleBinding of the same namespace gives to someone.",
  spec: roleSpec,
  columns,
};

export const clusterRoleKind: KindDeclaration<typeof roleSpec> = {
  kind: "ClusterRole",
  plural: CLUSTER_ROLES.plural,
  categories: ["iam"],
  scope: "Cluster",
  description:
    "Rules that bindings give to someone: everywhere by a ClusterRoleBinding, in its namespace by a RoleBinding.",
  spec: roleSpec,
  columns,
};

/** On the cluster roles that are always there. */
const BUILT_IN = { "iam.entrepot.dev/built-in": "true" };

const builtIn: ImpliedObjects = {
  names: async () => [...BUILT_IN_ROLES.keys()],
  make: builtInObject,
  shown: (object) => object,
};

/** The built-in cluster roles are read with the others, and cannot be changed. */
export const clusterRoleHooks: StorageHooks = {
  begin({ verb, ref }) {
    if (verb !== "get" && ref !== undefined) refuseBuiltIn(ref.name);
  },
  read: (stored) => ({
    ...withImplied(stored, builtIn),
    async *watch(context, query) {
      if (query.since === 0) {
        for (const name of BUILT_IN_ROLES.keys()) {
          const object = builtInObject(name, "1");
          const isWatched = matchesLabels(object.metadata.labels, query.labels) && matchesFields(object, query.fields);
          if (isWatched) yield { type: "ADDED", object };
        }
      }
      yield* stored.watch(context, query);
    },
  }),
};

/** @throws {StatusError} Forbidden */
function refuseBuiltIn(name: string): void {
  if (!BUILT_IN_ROLES.has(name)) return;
  const message = `${CLUSTER_ROLES.plural}.${IAM_GROUP} "${name}" is forbidden: it is built in; make a role of another name`;
  throw new StatusError("Forbidden", message, { name, group: IAM_GROUP, kind: CLUSTER_ROLES.plural });
}

function builtInObject(name: string, resourceVersion: string): ResourceObject<RoleSpec> {
  const role = BUILT_IN_ROLES.get(name);
  if (role === undefined) throw new Error(`${name} is no built-in role`);
  return {
    apiVersion: `${IAM_GROUP}/${IAM_VERSION}`,
    kind: clusterRoleKind.kind,
    metadata: { ...impliedMetadata(`clusterrole-${name}`, name, resourceVersion), labels: BUILT_IN },
    spec: {
      description: role.description,
      rules: role.rules.map(({ apiGroups, resources, verbs }) => ({
        apiGroups: [...apiGroups],
        resources: [...resources],
        verbs: [...verbs],
      })),
    },
  };
}
