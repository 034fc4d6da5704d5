import type { Sleep } from "../ports.ts";
import type { Registry } from "../registry.ts";
import { type MirrorRules, parseDuration, type RetryRule, type SourceRule } from "../rules/index.ts";
import type { WrittenDigests } from "../copy/index.ts";
import { type RetryPolicy, withRetries } from "../with-retries.ts";

/** Where a task writes to; names are templates, as in its rules. */
export interface MirrorTarget {
  readonly registry: Registry;
  readonly repository?: string | undefined;
  readonly tag?: string | undefined;
}

/** A task with the registries that it names. */
export interface MirrorTask {
  readonly name: string;
  readonly source: Registry;
  /** What of the source. */
  readonly select: SourceRule;
  readonly targets: readonly MirrorTarget[];
  readonly rules: MirrorRules;
  /** How long one attempt at one image may take, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** An image of a source, by its tag. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string;
}

/** Remembers when images were created, by their digests. In milliseconds since 1970; `null` if they do not say. */
export interface CreatedDates {
  load(digest: string): Promise<number | null | undefined>;
  save(digest: string, created: number | null): Promise<void>;
}

/**
 * Remembers when images that did not change were last looked at for new signatures and the like. Those do not change
 * a tag, so looking for them costs requests of its own.
 */
export interface ReferrerChecks {
  due(image: CheckedImage): Promise<boolean>;
  done(image: CheckedImage): Promise<void>;
}

/** An image of the source, as a task looks at it. */
export interface CheckedImage {
  /** The task's name. */
  readonly task: string;
  readonly repository: string;
  readonly digest: string;
}

/** What planning works with. */
export interface PlanPorts {
  readonly clock: () => number;
  readonly sleep: Sleep;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly written: WrittenDigests;
  readonly created?: CreatedDates | undefined;
  /** Without it, images that did not change are not looked at for new referrers. */
  readonly referrerChecks?: ReferrerChecks | undefined;
  /** Waits until these registries take one more image; resolves to what gives them back. */
  readonly permits?: ((registries: readonly Registry[]) => Promise<() => void>) | undefined;
  /** Whether to begin nothing more: what is left of the plan is for another message. */
  readonly isEnough?: (() => boolean) | undefined;
  /** Told what is tried again, and why. */
  readonly onRetry?: ((what: string, wait: number, error: unknown) => void) | undefined;
}

/** A rule's retries in milliseconds. */
export function retryPolicy(rule: RetryRule): RetryPolicy {
  return {
    attempts: rule.attempts,
    initial: parseDuration(rule.initial) ?? 0,
    maximum: parseDuration(rule.maximum) ?? 0,
  };
}

/** Calls a registry, again if it fails for reasons that may pass. `what` says for whom it is, for messages. */
export async function trying<T>(what: string, task: MirrorTask, ports: PlanPorts, work: () => Promise<T>): Promise<T> {
  const onRetry = ({ wait, error }: { wait: number; error: unknown }) => ports.onRetry?.(what, wait, error);
  return await withRetries(work, retryPolicy(task.rules.retry), { ...ports, onRetry });
}

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
