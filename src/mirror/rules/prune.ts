import type { PruneRule, TagRule } from "./mirror-rules.ts";
import { selectTags } from "./tags.ts";

/** Such that 29 of 100 are not more than a share of 0.29. */
const ROUNDING = 1e-9;

export interface PruneInput {
  readonly rule: PruneRule;
  readonly tags: TagRule;
  /** All tags of the source's repository, `undefined` if the list could not be read to its end. */
  readonly source: readonly string[] | undefined;
  /** All tags of the target's repository. */
  readonly target: readonly string[];
  /** The source's name of a tag at the target, `undefined` if it cannot be one that was mirrored. The same if not given. */
  readonly sourceTag?: (tag: string) => string | undefined;
}

/** Which tags of the target to delete, only to say so if `dryRun`; or why none may be. */
export type PruneDecision =
  | { readonly delete: readonly string[]; readonly dryRun: boolean }
  | { readonly refused: string };

/**
 * Which tags at a target are gone from the source. Only tags that the patterns and the range of the rule select are
 * ours to delete, whatever else the target has; a tag that the source still has stays, even if it is no longer among the
 * newest. Nothing is deleted if the source's answer is in doubt, or if more than the rule's share of our tags would be.
 */
export function pruneDecision(input: PruneInput): PruneDecision {
  const { rule, source, target, sourceTag = (tag: string) => tag } = input;
  if (!rule.enabled) return { delete: [], dryRun: rule.dryRun };
  if (source === undefined) return { refused: "the source's tags could not all be listed" };
  if (source.length === 0) return { refused: "the source has no tags" };
  if (selectTags(source, input.tags).length === 0) return { refused: "the rules select none of the source's tags" };
  const names = new Map(target.map((tag) => [tag, sourceTag(tag)]));
  const selected = new Set(
    selectTags(
      [...names.values()].filter((name) => name !== undefined),
      input.tags,
    ),
  );
  const present = new Set(source);
  const ours = [...names].flatMap(([tag, name]) => (name !== undefined && selected.has(name) ? [{ tag, name }] : []));
  const gone = ours.filter(({ name }) => !present.has(name)).map(({ tag }) => tag);
  if (gone.length > ours.length * rule.maximumShare + ROUNDING) {
    return {
      refused: `${gone.length} of ${ours.length} tags would be deleted, more than the share of ${rule.maximumShare}`,
    };
  }
  return { delete: gone, dryRun: rule.dryRun };
}
