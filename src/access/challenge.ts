/** What a challenge is made of. */
export interface ChallengeSettings {
  /** `AUTH_CHALLENGE` */
  readonly kind: "token" | "basic";
  /** `TOKEN_SERVICE` */
  readonly service: string;
  /** Address of an external token service; this server's own if absent. */
  readonly realm?: string | undefined;
  /** Scheme by which clients reach the server, if it is not the request's. */
  readonly publicScheme?: "http" | "https" | undefined;
}

/** What a challenge says about the request that it answers. */
export interface ChallengeDetails {
  /** What to ask the token service for: `repository:team-a/app:pull`. */
  readonly scope?: string;
  readonly error?: "insufficient_scope" | "invalid_token";
}

/**
 * The value of `WWW-Authenticate`.
 * @see Docker, "Token authentication specification"; RFC 6750, section 3; RFC 7617
 */
export function challengeText(settings: ChallengeSettings, requestUrl: string, details: ChallengeDetails = {}): string {
  if (settings.kind === "basic") return `Basic realm="Entrepot"`;
  const realm = settings.realm ?? `${publicOrigin(requestUrl, settings.publicScheme)}/auth/token`;
  const parameters = { realm, service: settings.service, scope: details.scope, error: details.error };
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return `Bearer ${pairs.join(",")}`;
}

/** The origin by which clients reach the server. `scheme` is that of whatever ends TLS in front of it. */
export function publicOrigin(requestUrl: string, scheme: "http" | "https" | undefined): string {
  const { protocol, host } = new URL(requestUrl);
  return `${scheme ?? protocol.slice(0, -1)}://${host}`;
}

/** A quoted-string (RFC 9110, section 5.6.4), without what a header cannot carry. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, String.raw`\$&`)}"`;
}
