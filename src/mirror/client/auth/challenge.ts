/** One way to prove who one is that a `401` offers. @see RFC 9110, section 11.6.1 */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const LONGEST = 16 * 1024;
const BETWEEN = /[\s,]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[ \t]+[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
const VALUE = /[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*))/y;

/** All challenges of a `WWW-Authenticate` header; several such headers come joined by commas. What is not understood is left out. */
export function parseChallenges(header: string | null): readonly Challenge[] {
  const text = (header ?? "").slice(0, LONGEST);
  const challenges: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    position = pattern.lastIndex;
    return match;
  };
  while (position < text.length) {
    take(BETWEEN);
    const name = take(TOKEN)?.[0].toLowerCase();
    if (name === undefined) {
      position += 1;
      continue;
    }
    const value = take(VALUE);
    if (value === undefined) {
      challenges.push({ scheme: name, parameters: new Map() });
      take(TOKEN68);
    } else {
      // The first of a repeated parameter counts.
      const parameters = challenges.at(-1)?.parameters;
      if (parameters?.has(name) === false) parameters.set(name, value[1]?.replace(/\\(.)/g, "$1") ?? value[2] ?? "");
    }
  }
  return challenges;
}
