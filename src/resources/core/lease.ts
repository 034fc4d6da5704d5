import * as z from "zod";
import type { GroupBuilder } from "../kinds/group-builder.ts";

export const LEASES = { group: "coordination.k8s.io", plural: "leases" } as const;

const time = z.string().meta({ format: "date-time" }).nullable().optional();

const spec = z.object({
  holderIdentity: z.string().nullable().optional().describe("Who has the lease; nobody if empty."),
  leaseDurationSeconds: z
    .int()
    .positive()
    .nullable()
    .optional()
    .describe("Seconds since `renewTime` after which others may take it."),
  acquireTime: time.describe("When the holder got it, with microseconds."),
  renewTime: time.describe("When the holder last renewed it, with microseconds."),
  leaseTransitions: z.int().nonnegative().nullable().optional().describe("How often it changed hands."),
  strategy: z.string().nullable().optional().describe("How a holder is chosen, where that is coordinated."),
  preferredHolder: z.string().nullable().optional().describe("Whom the holder should make way for."),
});

/**
 * Leases, by which programs elect one of them as the leader. They are renewed every few seconds for as long as a program
 * runs, and nobody wants to know what they were.
 * @see Kubernetes, "Leases"
 */
export function coordinationGroup(): GroupBuilder {
  return {
    group: LEASES.group,
    versions: ["v1"],
    kinds: [
      {
        declaration: {
          kind: "Lease",
          plural: LEASES.plural,
          scope: "Namespaced",
          description: "What one of several programs holds, so that it alone does the work.",
          spec,
          history: false,
          columns: [
            { name: "Holder", type: "string", jsonPath: ".spec.holderIdentity", description: "Who has the lease." },
            {
              name: "Renewed",
              type: "date",
              jsonPath: ".spec.renewTime",
              description: "When it was renewed.",
              priority: 1,
            },
          ],
        },
        // Of its past nothing is kept.
        hooks: () => ({ refuse: ["restore"] }),
      },
    ],
  };
}
