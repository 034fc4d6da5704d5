import * as z from "zod";

export const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string(),
  message: z.string().optional(),
  lastTransitionTime: z.string().describe("Since when it is so, RFC 3339."),
  observedGeneration: z.int().optional().describe("Of which generation of the object it speaks."),
});

export const conditionsSchema = z
  .array(conditionSchema)
  .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] });

/** Something that is or is not so about an object. @see Kubernetes API conventions, "Typical status properties" */
export type Condition = z.infer<typeof conditionSchema>;

/**
 * The conditions with some of them set. `lastTransitionTime` stays where the status does.
 * @param now in milliseconds since the Unix epoch
 */
export function withConditions(
  before: readonly Condition[] | undefined,
  set: readonly Omit<Condition, "lastTransitionTime">[],
  now: number,
): Condition[] {
  const conditions = new Map((before ?? []).map((condition) => [condition.type, condition]));
  for (const condition of set) {
    const old = conditions.get(condition.type);
    const since = old?.status === condition.status ? old.lastTransitionTime : timestamp(now);
    conditions.set(condition.type, { ...condition, lastTransitionTime: since });
  }
  return [...conditions.values()];
}

/** RFC 3339, whole seconds, as Kubernetes writes times. */
export function timestamp(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z");
}
