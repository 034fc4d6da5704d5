/**
 * Whether a text matches a pattern in which `*` stands for any text, the empty one and slashes included. Nothing else
 * is special. Each part between stars is looked for once, from left to right: there is no backtracking.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return pattern === text;
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let position = first.length;
  for (const part of others) {
    const found = text.indexOf(part, position);
    if (found === -1 || found + part.length > end) return false;
    position = found + part.length;
  }
  return true;
}

/** Whether a pattern matches every text: it is of stars only. */
export function matchesAll(pattern: string): boolean {
  return pattern !== "" && pattern.replaceAll("*", "") === "";
}

/**
 * Whether `held` matches all that `wanted` matches; may say no where it does. A star of `wanted` is taken as a character
 * that only a star of `held` can stand for.
 */
export function coversGlob(held: string, wanted: string): boolean {
  return matchesGlob(held, wanted);
}

/** Whether a pattern matches some text that begins with `prefix`. */
export function matchesSomeWithPrefix(pattern: string, prefix: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern.startsWith(prefix);
  const literal = pattern.slice(0, star);
  return literal.startsWith(prefix) || prefix.startsWith(literal);
}
