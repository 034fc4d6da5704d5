import { publicOrigin } from "../challenge.ts";

/** The scheme by which browsers see this server. */
export type Scheme = "http" | "https";

/** The scheme by which the client sees this server: `PUBLIC_SCHEME` if it is set, or as requested. */
export function publicScheme(request: Request, configured: Scheme | undefined): Scheme {
  return configured ?? (request.url.startsWith("https:") ? "https" : "http");
}

/** The origin by which the client sees this server, as browsers write it. */
export function ownOrigin(request: Request, configured: Scheme | undefined): string {
  return new URL(publicOrigin(request.url, configured)).origin;
}

/**
 * Whether a browser says that a page of this very origin made the request; `undefined` if no browser says anything.
 * Pages can set neither header. `Sec-Fetch-Site` decides where it is sent: it also knows of redirects.
 * @see W3C, "Fetch Metadata Request Headers", section 2.3
 */
export function sameOrigin(request: Request, configured: Scheme | undefined): boolean | undefined {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  return origin === null ? undefined : origin === ownOrigin(request, configured);
}
