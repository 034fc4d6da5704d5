import { parseRepositoryName, parseTag } from "../../oci/index.ts";
import { err, ok, type Result } from "../../platform/index.ts";
import { parseTemplate, type TemplateVariable } from "./template.ts";

/** What is copied, as its source calls it. */
export interface SourceName {
  /** The whole name of the repository. */
  readonly repository: string;
  /** The project of the source rule, if it has one. */
  readonly project?: string | undefined;
  readonly tag: string;
}

/** The name of a repository at a target; the error says which rule gives which name that is not one. */
export function targetName(template: string | undefined, source: SourceName): Result<string, string> {
  const name = filledIn(template ?? "{{ .Repository }}", source);
  if (!name.ok) return name;
  if (parseRepositoryName(name.value) !== undefined) return name;
  return err(
    `${naming("repository", template)} makes ${JSON.stringify(name.value)} of ${source.repository}, which is not a legal repository name`,
  );
}

/** The name of a tag at a target; the error says which rule gives which name that is not one. */
export function targetTag(template: string | undefined, source: SourceName): Result<string, string> {
  const tag = filledIn(template ?? "{{ .Tag }}", source);
  if (!tag.ok || parseTag(tag.value) !== undefined) return tag;
  return err(
    `${naming("tag", template)} makes ${JSON.stringify(tag.value)} of ${source.repository}:${source.tag}, which is not a legal tag`,
  );
}

function naming(field: string, template: string | undefined): string {
  return template === undefined
    ? `the target's ${field}, which is that of the source,`
    : `the target's ${field} ${template}`;
}

function filledIn(template: string, source: SourceName): Result<string, string> {
  const parts = parseTemplate(template);
  if (!parts.ok) return err(`the target's name ${template} ${parts.error}`);
  const values = variablesOf(source);
  return ok(parts.value.map((part) => (typeof part === "string" ? part : values[part.variable])).join(""));
}

/**
 * What the variables of templates stand for. `Project` is that of the rule if the repository is below it, else the first
 * of several components (`library` for a name with one, as Docker Hub has it, would be a guess: it is empty then);
 * `Name` is what follows it; `Base` is the last component.
 */
export function variablesOf({ repository, project, tag }: SourceName): Record<TemplateVariable, string> {
  const slash = repository.indexOf("/");
  const isBelow = project !== undefined && repository.startsWith(`${project}/`);
  const first = isBelow ? project : slash < 0 ? "" : repository.slice(0, slash);
  return {
    Repository: repository,
    Project: first,
    Name: first === "" ? repository : repository.slice(first.length + 1),
    Base: repository.slice(repository.lastIndexOf("/") + 1),
    Tag: tag,
  };
}

/**
 * The tag at the source that a tag at the target is a copy of: the way back through the template. `undefined` if the
 * target's tag is not made by the template, or the template does not have the tag exactly once.
 */
export function sourceTag(
  template: string | undefined,
  source: Omit<SourceName, "tag">,
  tag: string,
): string | undefined {
  const parts = parseTemplate(template ?? "{{ .Tag }}");
  if (!parts.ok) return undefined;
  const values = variablesOf({ ...source, tag: "" });
  const isTag = (part: (typeof parts.value)[number]) => typeof part !== "string" && part.variable === "Tag";
  const position = parts.value.findIndex(isTag);
  if (position < 0 || parts.value.findLastIndex(isTag) !== position) return undefined;
  const text = (some: typeof parts.value) =>
    some.map((part) => (typeof part === "string" ? part : values[part.variable])).join("");
  const before = text(parts.value.slice(0, position));
  const after = text(parts.value.slice(position + 1));
  if (!tag.startsWith(before) || !tag.endsWith(after) || tag.length <= before.length + after.length) return undefined;
  return tag.slice(before.length, tag.length - after.length);
}
