/** Characters that a path may have as they are, and registries expect so. @see RFC 3986 section 3.3 */
const PLAIN = /%(?:3A|40|2B|2C|3D|24|26|3B)/g;

/** The base address of a data source, or `undefined` if there is none in `text`. */
export function parseBase(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain = /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  return plain && url.search === "" && url.hash === "" ? url : undefined;
}

/** The path of a base address, with one slash at its end. */
function root(base: URL): string {
  return `${base.pathname.replace(/\/+$/, "")}/`;
}

/** Whether an address is below a base address. */
export function isBelow(base: URL, url: URL): boolean {
  const path = root(base);
  const inside = url.pathname.startsWith(path) || `${url.pathname}/` === path;
  // A server may take an encoded slash, or a backslash, for a slash.
  return url.origin === base.origin && inside && !/%2e%2e|%2f\.\.|\.\.%2f|%5c/i.test(url.pathname);
}

/**
 * An address below a base address; `undefined` if the path leads out.
 * @param path decoded, without a leading slash
 */
export function addressBelow(base: URL, path: string, query: string): URL | undefined {
  const segments = path.split("/");
  if (segments.some((segment) => segment === "." || segment === ".." || /[\\\0]/.test(segment))) return undefined;
  if (segments.some((segment) => /%2e|%2f|%5c/i.test(segment))) return undefined;
  const url = new URL(base.origin);
  url.pathname = root(base) + segments.map(encode).join("/");
  url.search = query;
  return isBelow(base, url) ? url : undefined;
}

function encode(segment: string): string {
  return encodeURIComponent(segment).replaceAll(PLAIN, (code) => decodeURIComponent(code));
}
