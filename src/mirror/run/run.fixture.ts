import { memoryWrittenDigests } from "../copy/index.ts";
import type { MemoryRegistry } from "../memory-registry.fixture.ts";
import { type MirrorRulesInput, mirrorRulesSchema, type SourceRule } from "../rules/index.ts";
import type { MirrorTarget, MirrorTask } from "../plan/index.ts";
import type { RunEvent, RunPorts } from "./run-task.ts";

/** A task between registries in memory, with waits that take no time. */
export function taskOf(
  source: MemoryRegistry,
  targets: readonly (MemoryRegistry | MirrorTarget)[],
  rules: MirrorRulesInput = {},
  select: Partial<SourceRule> = { repository: "app" },
): MirrorTask {
  return {
    name: "task",
    source,
    select: { registry: source.name, ...select },
    targets: targets.map((target) => ("registry" in target ? target : { registry: target })),
    rules: mirrorRulesSchema.parse({ artifacts: { referrers: false, digestTags: false }, ...rules }),
  };
}

export interface FakePorts extends RunPorts {
  readonly stop: AbortController;
  readonly events: RunEvent[];
  readonly retried: string[];
  readonly messages: string[];
}

export function fakePorts(more: Partial<RunPorts> = {}): FakePorts {
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const retried: string[] = [];
  const messages: string[] = [];
  return {
    clock: () => Date.UTC(2026, 0, 31),
    sleep: async (_duration, signal) => signal.throwIfAborted(),
    random: () => 0.5,
    signal: stop.signal,
    written: memoryWrittenDigests(),
    checkpoints: { load: async () => undefined, save: async () => undefined, remove: async () => undefined },
    progress: (event) => {
      if (event.type === "log") messages.push(event.message);
    },
    onRetry: (what) => retried.push(what),
    observe: (event) => events.push(event),
    ...more,
    stop,
    events,
    retried,
    messages,
  };
}
