/** How the client sees this server, and what it asked. */
export interface ResponseContext {
  /** The client came by https, and not to `localhost`, which is shared by whatever runs on the machine. */
  readonly strictTransport: boolean;
  /** An answer of the registry API, which no browser shows: two headers are enough, and there are many of them. */
  readonly registry?: boolean;
}

/** Where pages may get things from: from this server, and nothing inline. @see W3C, "Content Security Policy Level 3" */
const PAGE_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/** For what is not a page but may be opened as one. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** One year in seconds. Other hosts of the domain are not ours to decide about. */
const STRICT_TRANSPORT = "max-age=31536000";

/**
 * Whether to have browsers insist on https for this host. Not for `localhost`: they would for every port of it.
 * @param publicScheme `PUBLIC_SCHEME`
 * @see RFC 6797, section 7.2
 */
export function strictTransport(url: string, publicScheme: "http" | "https" | undefined): boolean {
  const scheme = publicScheme ?? (url.startsWith("https:") ? "https" : "http");
  return scheme === "https" && !/^https?:\/\/(?:[^/]*\.)?localhost(?:[:/?]|$)/.test(url);
}

/**
 * The response with the headers that limit what a browser does with it. What the response says itself stays, and a
 * `304` says nothing new about what the browser has.
 */
export function withSecurityHeaders(response: Response, context: ResponseContext): Response {
  if (response.status === 101) return response;
  const headers: Record<string, string> = { "x-content-type-options": "nosniff" };
  if (context.strictTransport) headers["strict-transport-security"] = STRICT_TRANSPORT;
  if (!context.registry) addPageHeaders(headers, response.headers.get("content-type"), response.status);
  return withHeaders(response, headers);
}

function addPageHeaders(headers: Record<string, string>, contentType: string | null, status: number): void {
  headers["x-frame-options"] = "DENY";
  headers["cross-origin-resource-policy"] = "same-origin";
  if (status === 304) return;
  const page = contentType?.toLowerCase().startsWith("text/html") ?? false;
  headers["content-security-policy"] = page ? PAGE_POLICY : DATA_POLICY;
  headers["referrer-policy"] = page ? "same-origin" : "no-referrer";
}

/** The response with headers that it does not have yet. It is copied if its headers cannot be changed. */
export function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Response {
  try {
    return setMissing(response, headers);
  } catch (error) {
    // Of answers that came from `fetch`, such as static pages.
    if (!(error instanceof TypeError)) throw error;
    return setMissing(new Response(response.body, response), headers);
  }
}

function setMissing(response: Response, headers: Readonly<Record<string, string>>): Response {
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}
