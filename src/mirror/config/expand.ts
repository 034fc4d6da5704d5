/** Looks a variable up; `undefined` if it is not set. */
export type Variables = (name: string) => string | undefined;

/** A text with its variables filled in, or what is wrong with it. */
export interface Expansion {
  readonly text: string;
  /** Whether there was anything to fill in. */
  readonly expanded: boolean;
  readonly problems: readonly string[];
}

const VARIABLE = /\$\$\{|\$\{([^}]*)(\})?/g;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/**
 * Fills `${NAME}` in, and `${NAME:-default}` where `NAME` may be unset or empty. `$${` stands for `${` itself; a `$` by
 * itself has no meaning. Values are not looked at again, so they cannot bring in variables.
 */
export function expandVariables(text: string, variables: Variables): Expansion {
  const problems: string[] = [];
  let expanded = false;
  const result = text.replace(VARIABLE, (whole, reference: string | undefined, end: string | undefined) => {
    expanded = true;
    if (reference === undefined) return "${";
    const [, name, fallback] = (end === undefined ? null : REFERENCE.exec(reference)) ?? [];
    if (name === undefined) {
      problems.push(`${whole} is no variable; write $\${ for a text that begins with \${`);
      return whole;
    }
    const value = variables(name);
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (value === undefined) problems.push(`the variable ${name} is not set`);
    return value ?? "";
  });
  return { text: result, expanded, problems };
}

/** Text that expands to `text`. */
export function escapeVariables(text: string): string {
  return text.replaceAll("${", () => "$${");
}
