import type { PlannedItem } from "./plan.ts";

/**
 * Which image of the source has which name at a target. Of two with one name the second would replace the first, in every
 * run again.
 */
export class TakenNames {
  readonly #images = new Map<string, string>();

  /** Takes the names of an image that was planned; it fails if another has one of them. */
  check(item: PlannedItem): PlannedItem {
    const own = `${item.repository}:${item.tag}`;
    for (const { target, repository, tag } of item.targets) {
      const place = { registry: target.registry.name, repository, tag };
      const other = this.take(own, place);
      if (other !== undefined) {
        const reason = `${other} has the same name at ${place.registry}: ${repository}:${tag}`;
        return { ...item, state: "failed", reason };
      }
    }
    return item;
  }

  /** Takes a name for an image. Answers which other has it. */
  take(
    image: string,
    place: { readonly registry: string; readonly repository: string; readonly tag: string },
  ): string | undefined {
    const key = `${place.registry} ${place.repository}:${place.tag}`;
    const other = this.#images.get(key);
    if (other !== undefined && other !== image) return other;
    this.#images.set(key, image);
    return undefined;
  }
}
