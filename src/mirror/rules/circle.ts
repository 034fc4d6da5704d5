import type { SourceRule, TargetRule } from "./mirror-rules.ts";
import { exactName, filledPattern, meet, type NamePattern, namePattern } from "./name-pattern.ts";
import { sourceGlobs } from "./repositories.ts";
import { parseTemplate, type TemplatePart } from "./template.ts";

/** What a task reads and writes. Registries are by what they are, not by their names: two names of one are equal. */
export interface Flow {
  /** As messages call the task. */
  readonly task: string;
  readonly source: SourceRule;
  readonly targets: readonly TargetRule[];
}

/** A way from what a task writes back to what it reads. */
export interface Circle {
  /** Which of its targets begins it. */
  readonly target: number;
  /** Names of the other tasks on the way; none if the task reads what it writes. */
  readonly through: readonly string[];
}

/** Longest way that is looked for, in tasks besides the first. */
const MAX_TASKS = 8;
/** Steps from a name or glob to a task. Tasks in which there are more are not looked at to the end. */
const MAX_STEPS = 5000;

/**
 * Whether a task would read what it wrote, by itself or by way of other tasks: each run would then find the work of the
 * one before, and with a name that changes on the way there would be more of it each time.
 */
export function circleOf(flow: Flow, others: readonly Flow[]): Circle | undefined {
  const readers = new Map<string, Reader[]>();
  for (const other of others) {
    const reader = readerOf(other);
    readers.set(reader.registry, [...(readers.get(reader.registry) ?? []), reader]);
  }
  const own = readerOf(flow);
  const back = registriesBefore(own.registry, others);
  let steps = 0;
  for (const [target, { registry }] of flow.targets.entries()) {
    if (!back.has(registry)) continue;
    const ways: Way[] = written(own, target, all(own)).map((names) => ({ registry, names, through: [] }));
    const seen = new Set<string>();
    // The list grows while it is gone through.
    for (const { registry: place, names, through } of ways) {
      if (place === own.registry && found(own, names).length > 0) return { target, through };
      if (through.length >= MAX_TASKS) continue;
      for (const reader of readers.get(place) ?? []) {
        steps += 1;
        if (steps > MAX_STEPS) return undefined;
        const matches = found(reader, names);
        for (const [index, next] of reader.flow.targets.entries()) {
          if (!back.has(next.registry)) continue;
          for (const some of written(reader, index, matches)) {
            const key = `${reader.flow.task} ${index} ${some.map((pattern) => pattern.join("")).join(" ")}`;
            if (seen.has(key)) continue;
            seen.add(key);
            ways.push({ registry: next.registry, names: some, through: [...through, reader.flow.task] });
          }
        }
      }
    }
  }
  return undefined;
}

/** The registries from which tasks lead to one, itself included. */
function registriesBefore(registry: string, flows: readonly Flow[]): ReadonlySet<string> {
  const before = new Set([registry]);
  // The set grows while it is gone through.
  for (const place of before) {
    for (const { source, targets } of flows) {
      if (targets.some((target) => target.registry === place)) before.add(source.registry);
    }
  }
  return before;
}

/** Names that match each of these patterns. */
type Names = readonly NamePattern[];

/** What came to a registry on a way. */
interface Way {
  readonly registry: string;
  readonly names: Names;
  readonly through: readonly string[];
}

/** A task by what it reads. */
interface Reader {
  readonly flow: Flow;
  readonly registry: string;
  readonly exact: ReadonlyMap<string, NamePattern>;
  readonly globs: readonly NamePattern[];
  readonly templates: readonly (readonly TemplatePart[])[];
}

function readerOf(flow: Flow): Reader {
  const patterns = sourceGlobs(flow.source).map(namePattern);
  const exact = new Map<string, NamePattern>();
  for (const pattern of patterns) {
    const name = exactName(pattern);
    if (name !== undefined) exact.set(name, pattern);
  }
  const templates = flow.targets.map(({ repository = "{{ .Repository }}" }) => {
    const parsed = parseTemplate(repository);
    return parsed.ok ? parsed.value : [];
  });
  const globs = patterns.filter((pattern) => exactName(pattern) === undefined);
  return { flow, registry: flow.source.registry, exact, globs, templates };
}

/** All that a task may find. */
function all({ exact, globs }: Reader): readonly Names[] {
  return [...exact.values(), ...globs].map((pattern) => [pattern]);
}

/** What a task finds of names that are at its source. */
function found({ exact, globs }: Reader, names: Names): readonly Names[] {
  const [known] = names.flatMap((pattern) => exactName(pattern) ?? []);
  const own = known === undefined ? [...exact.values()] : [exact.get(known) ?? []].filter(({ length }) => length > 0);
  return [...own, ...globs]
    .filter((pattern) => names.every((some) => meet(some, pattern)))
    .map((pattern) => [pattern, ...names]);
}

/** The names that a task gives at a target to what it finds, each once. */
function written({ flow, templates }: Reader, target: number, names: readonly Names[]): readonly Names[] {
  const template = templates[target] ?? [];
  const { project } = flow.source;
  const made = names.map((some) => distinct(some.map((pattern) => filledPattern(template, pattern, project))));
  return [...new Map(made.map((some) => [JSON.stringify(some), some])).values()];
}

function distinct(patterns: Names): Names {
  const exact = patterns.find((pattern) => exactName(pattern) !== undefined);
  // A name says more than any pattern.
  if (exact !== undefined) return [exact];
  return [...new Map(patterns.map((pattern) => [pattern.join(""), pattern])).values()];
}
