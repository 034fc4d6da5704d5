import { err, ok, type Result } from "../../platform/index.ts";

/** What a template of a name at the target may refer to. */
export const TEMPLATE_VARIABLES = ["Repository", "Name", "Base", "Project", "Tag"] as const;
export type TemplateVariable = (typeof TEMPLATE_VARIABLES)[number];

/** Text, and places where a variable stands. */
export type TemplatePart = string | { readonly variable: TemplateVariable };

const ACTION = /(\{\{[^{}]*\}\})/;
const REFERENCE = /^\{\{\s*\.([A-Za-z]+)\s*\}\}$/;

function isVariable(name: string): name is TemplateVariable {
  return TEMPLATE_VARIABLES.some((variable) => variable === name);
}

/** A template such as `mirror/{{ .Name }}`, in its parts. The error says what cannot be read. */
export function parseTemplate(template: string): Result<readonly TemplatePart[], string> {
  const parts: TemplatePart[] = [];
  for (const text of template.split(ACTION).filter((part) => part !== "")) {
    if (!ACTION.test(text)) {
      if (/[{}]/.test(text)) return err("has a brace that is not part of a {{ .Variable }}");
      parts.push(text);
      continue;
    }
    const name = REFERENCE.exec(text)?.[1];
    if (name === undefined || !isVariable(name)) {
      return err(`has ${text}, which is none of ${TEMPLATE_VARIABLES.map((known) => `{{ .${known} }}`).join(", ")}`);
    }
    parts.push({ variable: name });
  }
  return ok(parts);
}

/** What is wrong with a template of a repository name, if that can be told without a source. */
export function repositoryTemplateProblem(template: string): string | undefined {
  return templateProblem(template, /^[a-z0-9._/-]+$/, "a repository name is lower-case letters, digits, . _ - and /");
}

/** What is wrong with a template of a tag, if that can be told without a source. */
export function tagTemplateProblem(template: string): string | undefined {
  return templateProblem(template, /^[A-Za-z0-9._-]+$/, "a tag is letters, digits, . _ and -");
}

function templateProblem(template: string, legal: RegExp, rule: string): string | undefined {
  const parsed = parseTemplate(template);
  if (!parsed.ok) return parsed.error;
  const illegal = parsed.value.find((part) => typeof part === "string" && !legal.test(part));
  return typeof illegal === "string" ? `has ${JSON.stringify(illegal)}, but ${rule}` : undefined;
}
