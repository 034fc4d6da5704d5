/** Scheme, host and port. A name as in DNS, where `_` is used as well, or an address. @see RFC 9110, section 7.2; RFC 3986, section 3.2.2 */
const ORIGIN = /^https?:\/\/(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;

/**
 * Whether what a request is for can be told: one `Host`, well-formed, and a target that is a path. Two `Host` headers
 * arrive as one with a comma, and `*` as a part of the host. Requests ask for the same few hosts again and again.
 */
export function requestTargets(): (request: Request) => boolean {
  let last = { origin: "", isWellFormed: false };
  return function isWellFormed({ url, headers }) {
    const slash = url.indexOf("/", "https://".length);
    if (slash < 0) return false;
    const origin = url.slice(0, slash);
    if (origin !== last.origin) last = { origin, isWellFormed: ORIGIN.test(origin) && URL.canParse(url) };
    return last.isWellFormed && HOST.test(headers.get("host") ?? "localhost");
  };
}
