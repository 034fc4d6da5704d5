import type { SchemaNode } from "../kinds/kind.ts";
import { assemble, type Part, type Parts, partsOf } from "./typed-value.ts";

/**
 * Lays `applied` over `live`: what is divided by the schema is merged part by part, what is owned whole is replaced.
 * Parts that only one side has stay. Merging the same again changes nothing.
 */
export function mergeValues(live: unknown, applied: unknown, node: SchemaNode | undefined): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const [below, above] = [partsOf(live, node), partsOf(applied, node)];
  // Null says nothing about the parts of a map or a list that has some.
  if (applied === null) return below === undefined || below.size === 0 ? applied : live;
  if (above === undefined || below === undefined) return applied;
  if (Array.isArray(live) !== Array.isArray(applied)) return applied;
  if (above.size === 0 && below.size === 0) return applied;
  const merged = mergedOrder([...below.keys()], [...above.keys()], Array.isArray(live)).map(
    (element) => [element, mergedPart(element, below, above)] as const,
  );
  return assemble(merged, Array.isArray(live));
}

function mergedPart(element: string, below: Parts, above: Parts): unknown {
  const part: Part | undefined = above.get(element) ?? below.get(element);
  return mergeValues(below.get(element)?.value, above.get(element)?.value, part?.node);
}

/** Lists take the order of what is applied, and items that it does not have stay where they stand; maps keep theirs. */
function mergedOrder(live: readonly string[], applied: readonly string[], isList: boolean): string[] {
  if (!isList) return [...new Set([...live, ...applied])];
  const shared = new Set(applied);
  const merged = new Set<string>();
  let next = 0;
  const takeLiveOnly = (): void => {
    for (; next < live.length; next += 1) {
      const element = live[next];
      if (element === undefined || (shared.has(element) && !merged.has(element))) return;
      merged.add(element);
    }
  };
  for (const element of applied) {
    takeLiveOnly();
    merged.add(element);
  }
  takeLiveOnly();
  return [...merged];
}
