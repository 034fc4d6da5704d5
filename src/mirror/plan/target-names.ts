import { targetName, targetTag } from "../rules/index.ts";
import type { ImageName, MirrorTarget, MirrorTask } from "./mirror-task.ts";

/** What an image is to be called at a target. */
export interface NameAtTarget {
  /** Of the task's targets. */
  readonly target: MirrorTarget;
  /** The whole name there. */
  readonly repository: string;
  readonly tag: string;
}

/** Names of an image at all targets of a task; a text says which rule makes which name that is not legal. */
export function namesAtTargets(task: MirrorTask, name: ImageName): readonly NameAtTarget[] | string {
  const source = { ...name, project: task.select.project };
  const names: NameAtTarget[] = [];
  for (const target of task.targets) {
    const repository = targetName(target.repository, source);
    if (!repository.ok) return repository.error;
    const tag = targetTag(target.tag, source);
    if (!tag.ok) return tag.error;
    names.push({ target, repository: repository.value, tag: tag.value });
  }
  return names;
}

/**
 * Which image of the source has which name at a target. Of two with one name the second would replace the first, in every
 * run again. The first in the order of the plan has it, whatever becomes of that one.
 */
export class TakenNames {
  readonly #images = new Map<string, string>();

  /** Takes the names of an image, all of them or none. Returns why not: another has one of them. */
  take(image: ImageName, names: readonly NameAtTarget[]): string | undefined {
    const own = `${image.repository}:${image.tag}`;
    for (const name of names) {
      const other = this.#images.get(keyOf(name));
      if (other === undefined || other === own) continue;
      return `${other} has the same name at ${name.target.registry.name}: ${name.repository}:${name.tag}`;
    }
    for (const name of names) this.#images.set(keyOf(name), own);
    return undefined;
  }
}

/** By the registry's address: a registry may have two names. */
function keyOf({ target, repository, tag }: NameAtTarget): string {
  return `${target.registry.origin} ${repository}:${tag}`;
}
