import type { SourceRule } from "./mirror-rules.ts";
import { compileGlob, isGlob, type Matcher } from "./pattern.ts";

/** Which repositories of a registry a task reads. */
export interface RepositoryMatcher {
  /** Names that are given as such: they need no listing. */
  readonly exact: readonly string[];
  /** Whether the registry has to be asked for its repositories. */
  readonly needsCatalog: boolean;
  /** The project that all that has to be listed is below, as narrow as can be told. */
  readonly project: string | undefined;
  matches(repository: string): boolean;
}

/** Whole names and globs of what a source rule reads. Those that it gives are relative to its project, if it has one. */
export function sourceGlobs({ repository, project, repositories }: SourceRule): readonly string[] {
  const names = repository === undefined ? (repositories ?? ["**"]) : [repository];
  return names.map((name) => (project === undefined ? name : `${project}/${name}`));
}

/** Reads a source rule. */
export function repositoryMatcher(source: SourceRule): RepositoryMatcher {
  const full = sourceGlobs(source);
  const exact = [...new Set(full.filter((name) => !isGlob(name)))];
  const globs = full.filter(isGlob);
  const matchers: readonly Matcher[] = globs.map(compileGlob);
  const known = new Set(exact);
  return {
    exact,
    needsCatalog: globs.length > 0,
    project: commonProject(globs),
    matches: (name) => known.has(name) || matchers.some((matches) => matches(name)),
  };
}

/** The path components, none of them the last, that all globs begin with and that have no `*`. */
function commonProject(globs: readonly string[]): string | undefined {
  const [first, ...others] = globs.map((glob) => {
    const components = glob.split("/").slice(0, -1);
    const open = components.findIndex(isGlob);
    return open < 0 ? components : components.slice(0, open);
  });
  if (first === undefined) return undefined;
  const differing = first.findIndex((component, index) => others.some((other) => other[index] !== component));
  const common = differing < 0 ? first : first.slice(0, differing);
  return common.length === 0 ? undefined : common.join("/");
}
