/** An origin that nobody has: what resolves to it stayed on the page's own origin. */
const PLACEHOLDER = "https://origin.invalid";

/** The longest path that is kept through a sign-in, in characters. */
const MAX_LENGTH = 2048;

/**
 * Where to go after a sign-in: `wanted` if it is a path on this origin, or `/`. Browsers read backslashes as slashes
 * and skip control characters, so that `/\host` and `/<tab>/host` lead to another host.
 * @see WHATWG URL, section 4.4
 */
export function returnPath(wanted: string | null): string {
  // oxlint-disable-next-line no-control-regex
  if (wanted === null || wanted.length > MAX_LENGTH || !/^\/(?![/\\])[^\\\u0000-\u001f\u007f]*$/.test(wanted))
    return "/";
  const url = URL.parse(wanted, PLACEHOLDER);
  // Dots are resolved here: `/.//host` is a path that would lead elsewhere if it were resolved again.
  if (url === null || url.origin !== PLACEHOLDER || url.pathname.startsWith("//")) return "/";
  return `${url.pathname}${url.search}${url.hash}`;
}
