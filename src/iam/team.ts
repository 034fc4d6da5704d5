import * as z from "zod";
import type { KindDeclaration } from "../resources/index.ts";
import { TEAMS } from "./names.ts";
import { memberSchema } from "./subjects.ts";

const MAX_MEMBERS = 5000;

export const teamSpec = z.object({
  displayName: z.string().max(253).optional().describe("Name for people."),
  description: z.string().max(1024).optional().describe("What the team is for."),
  members: z.array(memberSchema).max(MAX_MEMBERS).default([]).describe("Who is in the team."),
});

export type TeamSpec = z.infer<typeof teamSpec>;

export const teamKind: KindDeclaration<typeof teamSpec> = {
  kind: "Team",
  plural: TEAMS.plural,
  categories: ["iam"],
  scope: "Cluster",
  description: "Users and service accounts that get what bindings give to the team.",
  spec: teamSpec,
  columns: [
    { name: "Display name", type: "string", jsonPath: ".spec.displayName" },
    { name: "Members", type: "string", jsonPath: ".spec.members[*].name", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};
