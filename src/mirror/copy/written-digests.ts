import type { PlatformRule } from "../rules/index.ts";

/**
 * Remembers under which digest an image was written that loses platforms on the way. Without it every run would find
 * the target to differ from the source. Keys are made by `writtenKey`.
 */
export interface WrittenDigests {
  load(key: string): Promise<string | undefined>;
  save(key: string, digest: string): Promise<void>;
}

/** Key of what was written for `digest`; other platforms or another target make another key. */
export function writtenKey(
  target: { readonly registry: string; readonly repository: string },
  digest: string,
  platforms: PlatformRule,
): string {
  const select = platforms.select.map(({ os, architecture, variant, osVersion }) =>
    [os, architecture, variant ?? "", osVersion ?? ""].join("/"),
  );
  return [target.registry, target.repository, digest, platforms.mode, ...select.sort()].join("|");
}

/** Whether an image can get another digest under these rules, so that `WrittenDigests` has to be asked. */
export function changesDigest(platforms: PlatformRule): boolean {
  return platforms.mode === "rewrite" || platforms.mode === "single";
}

/** Digests kept for the length of a process. */
export function memoryWrittenDigests(): WrittenDigests {
  const digests = new Map<string, string>();
  return {
    load: async (key) => digests.get(key),
    save: async (key, digest) => void digests.set(key, digest),
  };
}
