/** Which page of a list a client asks for. */
export interface PageRequest {
  readonly limit: number;
  /** The last name of the page before; empty for the first page. */
  readonly after: string;
}

/** Parses `n` and `last`. `n` above `maximum` is cut to it; one that is no number is `undefined`. */
export function parsePage(query: URLSearchParams, standard: number, maximum: number): PageRequest | undefined {
  const n = query.get("n");
  const after = query.get("last") ?? "";
  if (n === null || n === "") return { limit: standard, after };
  if (!/^[0-9]{1,15}$/.test(n)) return undefined;
  return { limit: Math.min(Number(n), maximum), after };
}

/** The `Link` header that leads to the next page (RFC 8288). */
export function nextLink(pathname: string, parameters: Readonly<Record<string, string>>): string {
  return `<${pathname}?${new URLSearchParams(parameters)}>; rel="next"`;
}
