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

/** Characters that the variables of one file may fill in, all together. */
export const MAX_EXPANDED = 1024 * 1024;

/** Problems of one text that are told. */
const MAX_PROBLEMS = 10;

/**
 * Fills `${NAME}` in, and `${NAME:-default}` where `NAME` may be unset or empty. `$${` stands for `${` itself; a `$` by
 * itself has no meaning. Values are not looked at again, so they cannot bring in variables.
 * @param room characters that may be filled in
 */
export function expandVariables(text: string, variables: Variables, room = MAX_EXPANDED): Expansion {
  const problems = new Set<string>();
  const complain = (message: string): void => void (problems.size < MAX_PROBLEMS && problems.add(message));
  let expanded = false;
  let left = room;
  const fill = (value: string): string => {
    left -= value.length;
    if (left >= 0) return value;
    complain(`variables fill in more than ${MAX_EXPANDED} characters`);
    return "";
  };
  const result = text.replace(VARIABLE, (whole, reference: string | undefined, end: string | undefined) => {
    expanded = true;
    if (reference === undefined) return "${";
    const [, name, fallback] = (end === undefined ? null : REFERENCE.exec(reference)) ?? [];
    if (name === undefined) {
      complain(`${whole.slice(0, 100)} is no variable; write $\${ for a text that begins with \${`);
      return whole;
    }
    const value = variables(name);
    if (fallback !== undefined) return fill(value === undefined || value === "" ? fallback : value);
    if (value === undefined) complain(`the variable ${name.slice(0, 100)} is not set`);
    return fill(value ?? "");
  });
  return { text: result, expanded, problems: [...problems] };
}

/** Text that expands to `text`. */
export function escapeVariables(text: string): string {
  return text.replaceAll("${", () => "$${");
}
