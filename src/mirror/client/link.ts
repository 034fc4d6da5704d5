/** The target of the first link with `rel="next"` in a `Link` header, as it is written. @see RFC 8288 */
export function nextLink(header: string | null): string | undefined {
  for (const [, target, parameters = ""] of (header ?? "").matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)/i.test(parameters)) return target;
  }
  return undefined;
}

/**
 * An address that a registry hands out in `Location`, `Link` or a realm, absolute or relative to what was asked. Where a proxy
 * ended TLS the registry may not know and say `http:`; on the same host that is put right.
 */
export function handedAddress(text: string | undefined, asked: URL): URL | undefined {
  if (text === undefined || !URL.canParse(text, asked)) return undefined;
  const url = new URL(text, asked);
  url.hash = "";
  if (asked.protocol !== "https:" || url.protocol !== "http:" || url.hostname !== asked.hostname) return url;
  url.protocol = "https:";
  if (url.port === "80") url.port = "";
  return url;
}
