import type { ExistingRule } from "./mirror-rules.ts";

/** What is to be done about one tag at one target. */
export type ExistingDecision =
  /** It is not there, or is to be replaced. */
  | "copy"
  /** It is what it would become. */
  | "unchanged"
  /** It is another image and stays. */
  | "skip"
  /** It is another image, which the rule makes a failure. */
  | "conflict";

export interface ExistingTag {
  /** The digest at the target, `undefined` if the tag is not there. */
  readonly target: string | undefined;
  /**
   * The digest that the target has once the source's present image is copied: that of the source, or what was written
   * for it before if platforms are selected (`undefined` if that is not known, as before the first copy).
   */
  readonly expected: string | undefined;
  readonly rule: ExistingRule;
}

/** Decides whether a tag is copied, from the digests on both sides. */
export function existingDecision({ target, expected, rule }: ExistingTag): ExistingDecision {
  if (target === undefined) return "copy";
  if (target === expected) return "unchanged";
  switch (rule) {
    case "overwrite":
      return "copy";
    case "skip":
      return "skip";
    case "fail":
      return "conflict";
  }
}
