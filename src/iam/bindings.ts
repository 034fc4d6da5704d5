import * as z from "zod";
import type { AdmissionAttributes, KindDeclaration, StatusCause } from "../resources/index.ts";
import { CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS } from "./names.ts";
import { subjectCauses, subjectSchema } from "./subjects.ts";

const MAX_SUBJECTS = 1000;

const roleName = z.string().min(1).max(253);
const subjects = z.array(subjectSchema).max(MAX_SUBJECTS).default([]).describe("Who has the role.");

export const roleBindingSpec = z.object({
  roleRef: z
    .object({
      kind: z.enum(["Role", "ClusterRole"]).describe("`Role` of the same namespace, or `ClusterRole`."),
      name: roleName.describe("Name of the role."),
    })
    .describe("The role. It cannot be changed: make another binding."),
  subjects,
});

export const clusterRoleBindingSpec = z.object({
  roleRef: z
    .object({
      kind: z.literal("ClusterRole").default("ClusterRole").describe("`ClusterRole`."),
      name: roleName.describe("Name of the role."),
    })
    .describe("The role. It cannot be changed: make another binding."),
  subjects,
});

export type RoleBindingSpec = z.infer<typeof roleBindingSpec>;
export type ClusterRoleBindingSpec = z.infer<typeof clusterRoleBindingSpec>;

/** What both kinds of binding say. */
export type BindingSpec = RoleBindingSpec | ClusterRoleBindingSpec;

const columns = [
  { name: "Role kind", type: "string", jsonPath: ".spec.roleRef.kind", priority: 1 },
  { name: "Role", type: "string", jsonPath: ".spec.roleRef.name" },
  { name: "Subjects", type: "string", jsonPath: ".spec.subjects[*].name", priority: 1 },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
] as const;

export const roleBindingKind: KindDeclaration<typeof roleBindingSpec> = {
  kind: "RoleBinding",
  plural: ROLE_BINDINGS.plural,
  categories: ["iam"],
  scope: "Namespaced",
  description: "Gives what a role allows to someone, in this namespace.",
  spec: roleBindingSpec,
  columns,
  selectableFields: [".spec.roleRef.name"],
};

export const clusterRoleBindingKind: KindDeclaration<typeof clusterRoleBindingSpec> = {
  kind: "ClusterRoleBinding",
  plural: CLUSTER_ROLE_BINDINGS.plural,
  categories: ["iam"],
  scope: "Cluster",
  description: "Gives what a cluster role allows to someone, everywhere.",
  spec: clusterRoleBindingSpec,
  columns,
  selectableFields: [".spec.roleRef.name"],
};

/** What is wrong with a binding, beyond its schema. */
export function bindingCauses({ object, oldObject, namespace }: AdmissionAttributes): StatusCause[] {
  const spec = object.spec as BindingSpec;
  const before = oldObject?.spec as BindingSpec | undefined;
  const causes = spec.subjects.flatMap((subject, index) =>
    subjectCauses(subject, `spec.subjects[${index}]`, namespace),
  );
  const isOther =
    before !== undefined && (before.roleRef.kind !== spec.roleRef.kind || before.roleRef.name !== spec.roleRef.name);
  if (!isOther) return causes;
  const message = "Invalid value: cannot be changed; delete the binding and make another";
  return [...causes, { reason: "FieldValueInvalid", field: "spec.roleRef", message }];
}
