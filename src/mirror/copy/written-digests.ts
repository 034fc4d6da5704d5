import { type ExistingDecision, existingDecision, type ExistingRule, type PlatformRule } from "../rules/index.ts";

/** What is remembered of an image that has none of the selected platforms. */
export const NOTHING_WRITTEN = "none";

/**
 * Remembers under which digest an image was written of which platforms are selected, or that it has none of them.
 * Without it every run would read it at the source to find out.
 */
export interface WrittenDigests {
  load(image: SelectedImage): Promise<string | undefined>;
  save(image: SelectedImage, digest: string): Promise<void>;
}

/** An image of the source at a target, of which platforms are selected. */
export interface SelectedImage {
  /** The target registry's name. */
  readonly registry: string;
  /** At the target. */
  readonly repository: string;
  /** At the source. */
  readonly digest: string;
  readonly platforms: PlatformRule;
}

/** A selection of platforms as text, for stores: the same for the same platforms in another order. */
export function selectionText({ mode, select }: PlatformRule): string {
  const texts = select.map(({ os, architecture, variant, osVersion }) =>
    [os, architecture, variant ?? "", osVersion ?? ""].join("/"),
  );
  return [mode, ...texts.sort()].join("|");
}

/** Whether an image can get another digest under these rules. */
export function changesDigest(platforms: PlatformRule): boolean {
  return platforms.mode === "rewrite" || platforms.mode === "single";
}

/** A tag at a target, and what it may become. */
export interface ComparedTag {
  /** Names of the registry and the repository that have the tag. */
  readonly registry: string;
  readonly repository: string;
  /** What the tag stands for there, `undefined` if it is not there. */
  readonly present: string | undefined;
  /** What it stands for at the source. */
  readonly digest: string;
}

/**
 * What is to be done about a tag; `none` if its image has none of the selected platforms. Before an image of selected
 * platforms was ever written, only a copy can tell whether it is the same, or whether all of it is there.
 */
export async function decideTag(
  { registry, repository, present, digest }: ComparedTag,
  { platforms, existing }: { readonly platforms: PlatformRule; readonly existing: ExistingRule },
  written: WrittenDigests,
): Promise<ExistingDecision | "none"> {
  if (platforms.mode === "all") return existingDecision({ target: present, expected: digest, rule: existing });
  const known = await written.load({ registry, repository, digest, platforms });
  if (known === NOTHING_WRITTEN) return "none";
  const isOpen = changesDigest(platforms) ? existing !== "skip" : present === digest;
  if (known === undefined && isOpen) return "copy";
  const expected = changesDigest(platforms) ? known : digest;
  return existingDecision({ target: present, expected, rule: existing });
}

/** Digests kept for the length of a process. */
export function memoryWrittenDigests(): WrittenDigests {
  const digests = new Map<string, string>();
  const textOf = ({ registry, repository, digest, platforms }: SelectedImage) =>
    [registry, repository, digest, selectionText(platforms)].join("|");
  return {
    load: async (image) => digests.get(textOf(image)),
    save: async (image, digest) => void digests.set(textOf(image), digest),
  };
}
