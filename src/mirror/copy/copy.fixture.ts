import type { Checkpoints, ProgressEvent, TargetBlob, UploadCheckpoint } from "../ports.ts";
import type { MemoryRegistry } from "../memory-registry.fixture.ts";
import type { CopyItem, CopyPorts, CopyRules, CopySource, CopyTarget } from "./copy-contract.ts";
import { copyImage } from "./copy-image.ts";
import { memoryWrittenDigests } from "./written-digests.ts";

/** Rules, ports and a call for the tests of copies. */

export const RULES: CopyRules = {
  platforms: { mode: "all", select: [] },
  artifacts: { referrers: false, digestTags: false, foreignLayers: "skip", types: [] },
  existing: "overwrite",
  retry: { attempts: 4, initial: 10, maximum: 1000 },
};

export interface TestPorts extends CopyPorts {
  readonly events: ProgressEvent[];
  readonly waits: number[];
  readonly positions: Map<string, UploadCheckpoint>;
}

export function testPorts(more: Partial<CopyPorts> = {}): TestPorts {
  const events: ProgressEvent[] = [];
  const waits: number[] = [];
  const positions = new Map<string, UploadCheckpoint>();
  const textOf = ({ origin, repository, digest }: TargetBlob) => `${origin}|${repository}|${digest}`;
  const checkpoints: Checkpoints = {
    load: async (blob) => positions.get(textOf(blob)),
    save: async (blob, checkpoint) => void positions.set(textOf(blob), checkpoint),
    remove: async (blob) => void positions.delete(textOf(blob)),
  };
  return {
    progress: (event) => events.push(event),
    checkpoints,
    written: memoryWrittenDigests(),
    signal: new AbortController().signal,
    clock: () => Date.now(),
    sleep: async (duration, signal) => {
      signal.throwIfAborted();
      waits.push(duration);
    },
    random: () => 1,
    ...more,
    events,
    waits,
    positions,
  };
}

export function target(registry: MemoryRegistry, repository = "mirror/app", tag = "v1"): CopyTarget {
  return { registry, repository: registry.repository(repository, "push"), tag };
}

export function sourceOf(registry: MemoryRegistry, repository = "app"): CopySource {
  return { registry, repository: registry.repository(repository, "pull") };
}

/** Copies `app:v1` of `source` as it is now. */
export async function copyNow(
  source: MemoryRegistry,
  targets: MemoryRegistry | readonly CopyTarget[],
  rules: Partial<CopyRules> = {},
  ports: CopyPorts = testPorts(),
) {
  const item: CopyItem = { repository: "app", tag: "v1", digest: source.tagsOf("app")["v1"] ?? "" };
  const to = "calls" in targets ? [target(targets)] : targets;
  return await copyImage(item, sourceOf(source), to, { ...RULES, ...rules }, ports);
}
