import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { TYPES } from "../support/image-factory.ts";

const tagsSchema = z.object({ tags: z.array(z.string()).nullable() });
const manifestSchema = z.object({
  config: z.object({ digest: z.string() }).optional(),
  layers: z.array(z.object({ digest: z.string() })).default([]),
  manifests: z.array(z.object({ digest: z.string() })).default([]),
});

/** Watches a repository while something is copied into it. */
export interface TagWatch {
  /** How many tags were looked at when they appeared. */
  readonly looked: number;
  /** Tags that were there before what they name, with what was missing. */
  readonly early: readonly string[];
  stop(): Promise<void>;
}

const PAUSE_MS = 50;
/** Looked at whenever tags are new; among thousands, more would be the load that is tested. */
const MOST_PER_ROUND = 100;

/** `url` is that of a registry that may be gone for a while. */
export function watchTags(url: string | (() => string), repository: string): TagWatch {
  const known = new Set<string>();
  const early: string[] = [];
  const stopped = new AbortController();
  const base = (): string => `${typeof url === "string" ? url : url()}/v2/${repository}`;

  /** `undefined` if nobody answers. */
  const status = async (path: string): Promise<number | undefined> =>
    fetch(`${base()}/${path}`, { method: "HEAD" }).then(
      (response) => response.status,
      () => undefined,
    );

  const lookAt = async (reference: string): Promise<void> => {
    const response = await fetch(`${base()}/manifests/${reference}`, {
      headers: { accept: `${TYPES.index}, ${TYPES.manifest}` },
    });
    if (!response.ok) {
      early.push(`${reference}: ${response.status}`);
      return;
    }
    const { config, layers, manifests } = manifestSchema.parse(await response.json());
    for (const { digest } of [...(config === undefined ? [] : [config]), ...layers]) {
      const answer = await status(`blobs/${digest}`);
      if (answer !== undefined && answer !== 200) early.push(`${reference}: ${digest} ${answer}`);
    }
    for (const { digest } of manifests) await lookAt(digest);
  };

  const round = async (): Promise<void> => {
    const response = await fetch(`${base()}/tags/list`);
    if (!response.ok) {
      await response.body?.cancel();
      return;
    }
    const fresh = (tagsSchema.parse(await response.json()).tags ?? []).filter((tag) => !known.has(tag));
    for (const tag of fresh.slice(-MOST_PER_ROUND)) await lookAt(tag);
    for (const tag of fresh) known.add(tag);
  };

  const rounds = (async () => {
    while (!stopped.signal.aborted) {
      // Nobody answers while it is killed and started again.
      await round().catch(() => undefined);
      await sleep(PAUSE_MS);
    }
  })();
  return {
    get looked() {
      return known.size;
    },
    early,
    stop: async () => {
      stopped.abort();
      await rounds;
    },
  };
}
