import * as z from "zod";
import {
  durationProblem,
  mirrorRulesShape,
  mirrorTaskShape,
  retryRuleSchema,
  scheduleSchema,
  tagRuleSchema,
  targetRuleSchema,
  targetRulesSchema,
} from "../rules/index.ts";

const name = z.string().min(1).max(253);
const duration = z.string().superRefine((text, context) => {
  const problem = durationProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** Products with ways of their own; `generic` is any registry that follows the OCI distribution specification. */
export const registryTypeSchema = z.enum([
  "generic",
  "docker-hub",
  "ghcr",
  "quay",
  "harbor",
  "ecr",
  "acr",
  "artifact-registry",
  "gitlab",
  "entrepot",
  "local",
]);

/** A text that is not given if it is empty, as in older files. */
const unlessEmpty = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .transform((text) => (text === "" ? undefined : text))
    .optional();

/** An entry of `registries`. */
export const registryEntrySchema = z.object({
  url: z.string().min(1).max(2048).optional(),
  type: registryTypeSchema.default("generic"),
  username: unlessEmpty(1024),
  password: unlessEmpty(16_384),
  token: unlessEmpty(16_384),
  /** Plain HTTP; with an `https:` address, certificates are not verified where that can be (`entrepot sync`). */
  insecure: z.boolean().default(false),
  rateLimit: z
    .object({
      /** Requests a second; 0 is no limit. */
      qps: z.number().min(0).max(10_000).default(0),
      /** Reads of the registry's own quota that are left to others. */
      reserve: z.int().min(0).max(1_000_000).default(0),
    })
    .prefault({}),
  /** Images copied from or to it at once, by all tasks together. */
  concurrency: z.int().min(1).max(50).default(3),
});

/** Retries under today's names and under those of older files. */
const retryEntrySchema = z
  .object({
    attempts: retryRuleSchema.shape.attempts.unwrap(),
    initial: retryRuleSchema.shape.initial.unwrap(),
    maximum: retryRuleSchema.shape.maximum.unwrap(),
    maxAttempts: retryRuleSchema.shape.attempts.unwrap(),
    initialInterval: retryRuleSchema.shape.initial.unwrap(),
    maxInterval: retryRuleSchema.shape.maximum.unwrap(),
  })
  .partial();

/** `global`: what holds for every rule that does not say otherwise. */
export const globalEntrySchema = z.object({
  concurrency: mirrorRulesShape.concurrency.unwrap().optional(),
  retry: retryEntrySchema.optional(),
  timeout: duration.optional(),
});

/** An entry of `sync_rules`: a task, with shorter spellings of some of its fields. */
export const ruleEntrySchema = z.object({
  name,
  description: z.string().max(4096).optional(),
  ...mirrorTaskShape,
  targets: targetRulesSchema.optional(),
  /** One target. */
  target: targetRuleSchema.optional(),
  tags: tagRuleSchema.extend({ latest: z.int().min(0).max(10_000).optional() }).prefault({}),
  platforms: mirrorRulesShape.platforms.unwrap().optional(),
  /** Short for `platforms` with mode `rewrite`: `amd64`, `arm/v7`, `windows/amd64`. */
  architectures: z.array(z.string()).max(50).default([]),
  schedule: scheduleSchema.optional(),
  /** Short for `schedule.cron`. */
  cronExpression: z.string().optional(),
  /** Short for `schedule.timeZone`. */
  timeZone: z.string().optional(),
  /** Short for `schedule.interval`. */
  interval: z.string().optional(),
  retry: retryEntrySchema.optional(),
  concurrency: mirrorRulesShape.concurrency.unwrap().optional(),
  enabled: z.boolean().optional(),
  timeout: duration.optional(),
});

/** The whole file. */
export const syncFileSchema = z.object({
  version: z.union([z.string(), z.number()]).optional(),
  global: globalEntrySchema.prefault({}),
  registries: z.record(name, registryEntrySchema).default({}),
  syncRules: z.array(ruleEntrySchema).max(1000),
});

export type RetryEntry = z.infer<typeof retryEntrySchema>;
export type GlobalEntry = z.infer<typeof globalEntrySchema>;
export type RuleEntry = z.infer<typeof ruleEntrySchema>;
export type SyncFile = z.infer<typeof syncFileSchema>;
