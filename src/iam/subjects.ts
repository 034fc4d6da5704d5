import * as z from "zod";
import { GROUPS, serviceAccountIdentity } from "../access/index.ts";
import type { StatusCause } from "../resources/index.ts";

const name = z.string().min(1).max(253);

/** Someone in a team. */
export const memberSchema = z.object({
  kind: z.enum(["User", "ServiceAccount"]).default("User").describe("What the member is."),
  name: name.describe("Name of the User or ServiceAccount."),
  namespace: name.optional().describe("Namespace of the ServiceAccount."),
});

/** Who a binding gives its role to. */
export const subjectSchema = z.object({
  kind: z
    .enum(["User", "Team", "ServiceAccount", "Group"])
    .describe("What has the role. `Group`: `system:authenticated`, `system:unauthenticated`, or one of a credential."),
  name: name.describe("Name of the User, Team, ServiceAccount or group."),
  namespace: name
    .optional()
    .describe("Namespace of the ServiceAccount; that of the binding unless given. Others have none."),
});

export type Member = z.infer<typeof memberSchema>;
export type Subject = z.infer<typeof subjectSchema>;

/** The group of a team's members. */
export function teamGroup(name: string): string {
  return `team:${name}`;
}

/** The name of the identity or group that a subject stands for. */
export function subjectName(
  { kind, name, namespace }: Omit<Subject, "namespace"> & { readonly namespace?: string | undefined },
  bindingNamespace: string | undefined,
): string {
  switch (kind) {
    case "User":
    case "Group":
      return name;
    case "Team":
      return teamGroup(name);
    case "ServiceAccount":
      return serviceAccountIdentity(namespace ?? bindingNamespace ?? "", name);
  }
}

/** Whether a subject is a group, rather than an identity. */
export function isGroupSubject({ kind }: Pick<Subject, "kind">): boolean {
  return kind === "Team" || kind === "Group";
}

/** What is wrong with a member or subject. `bindingNamespace` is where a service account is that does not say it. */
export function subjectCauses(
  subject: Omit<Subject, "namespace"> & { readonly namespace?: string | undefined },
  field: string,
  bindingNamespace: string | undefined,
): StatusCause[] {
  const { kind, name, namespace } = subject;
  if (kind === "ServiceAccount") {
    const message = "Required value: a ServiceAccount is in a namespace";
    const isPlaced = (namespace ?? bindingNamespace) !== undefined;
    return [
      ...(isPlaced ? [] : [{ reason: "FieldValueRequired", field: `${field}.namespace`, message } as const]),
      ...(name.includes(":") ? [forbidden(`${field}.name`, "a ServiceAccount's name has no colon")] : []),
    ];
  }
  const causes = namespace === undefined ? [] : [forbidden(`${field}.namespace`, `a ${kind} is in no namespace`)];
  const problem = nameProblem(kind, name);
  return problem === undefined ? causes : [...causes, forbidden(`${field}.name`, problem)];
}

function nameProblem(kind: Exclude<Subject["kind"], "ServiceAccount">, name: string): string | undefined {
  if (kind === "Group") {
    if (name === GROUPS.authenticated || name === GROUPS.unauthenticated) return undefined;
    if (name === GROUPS.masters) return `${GROUPS.masters} may do everything already, and nobody can be put in it`;
    if (name.startsWith("team:")) return "a team is a subject of the kind Team";
  }
  return name.startsWith("system:") ? "names that begin with `system:` are the platform's" : undefined;
}

function forbidden(field: string, message: string): StatusCause {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${message}` };
}
