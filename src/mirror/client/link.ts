/** What a `Link` header says of the page after this one. */
export type NextPage =
  /** The address of the next page, as it is written. */
  | { readonly next: string }
  /** There is none: the list ends here. */
  | { readonly next: undefined }
  /** It says something that cannot be understood, so there may be more. */
  | { readonly unclear: string };

const PARAMETER = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+)))?)?/y;

/** Reads a `Link` header for `rel="next"`. @see RFC 8288, section 3 and appendix B */
export function nextPage(header: string | null): NextPage {
  const text = (header ?? "").trim();
  let at = 0;
  let nameless = false;
  while (at < text.length) {
    if (/[\s,]/.test(text[at] ?? "")) {
      at += 1;
      continue;
    }
    const end = text.indexOf(">", at);
    if (text[at] !== "<" || end < 0) return { unclear: "its Link header cannot be read" };
    const target = text.slice(at + 1, end);
    const relations = relationsAt(text, end + 1);
    if (relations === undefined) return { unclear: "its Link header cannot be read" };
    if (relations.names.includes("next")) return { next: target };
    nameless ||= relations.names.length === 0;
    at = relations.end;
  }
  return nameless ? { unclear: "its Link header does not say what it links to (rel)" } : { next: undefined };
}

/** The relation types among the parameters from a position on, and where they end; `undefined` if they cannot be read. */
function relationsAt(
  text: string,
  from: number,
): { readonly names: readonly string[]; readonly end: number } | undefined {
  let end = from;
  let relations: string | undefined;
  for (;;) {
    PARAMETER.lastIndex = end;
    const found = PARAMETER.exec(text);
    if (found === null) break;
    end = PARAMETER.lastIndex;
    // Only the first counts.
    if (found[1]?.toLowerCase() === "rel") relations ??= found[2] ?? found[3] ?? "";
  }
  if (!/^[ \t]*(?:,|$)/.test(text.slice(end))) return undefined;
  return {
    names: (relations ?? "")
      .toLowerCase()
      .split(/\s+/)
      .filter((name) => name !== ""),
    end,
  };
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
