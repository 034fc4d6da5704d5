import { err, ok, type Result } from "../platform/index.ts";
import type { PresentedCredential } from "./authenticator.ts";
import { parseBasic } from "./basic.ts";
import type { AuthenticationFailure } from "./identity.ts";

/** Where a browser keeps its session: the first over https, the second over plain http. */
export const SESSION_COOKIES = { secure: "__Host-entrepot_session", plain: "entrepot_session" } as const;

/** Longest credential that is looked at, in characters. */
const MAX_LENGTH = 16_384;

/** What a request shows, before it is taken apart: enough to know it again. */
export interface CredentialText {
  readonly source: "authorization" | "access-assertion" | "session";
  readonly text: string;
}

/** What is looked at besides `Authorization`. */
export interface CredentialSources {
  /** Whether `Cf-Access-Jwt-Assertion` counts: Cloudflare Access is configured. */
  readonly accessAssertion: boolean;
  /** Whether clients reach the server by https. Then only the cookie with `__Host-` counts, which no subdomain can set. */
  readonly secure: boolean;
}

/** The credential that a request carries, the first of: `Authorization`, the assertion of Cloudflare Access, the session. */
export function credentialText(headers: Headers, sources: CredentialSources): CredentialText | undefined {
  const authorization = headers.get("authorization");
  if (authorization !== null)
    return isNobody(authorization) ? undefined : { source: "authorization", text: authorization };
  const assertion = sources.accessAssertion ? headers.get("cf-access-jwt-assertion") : null;
  if (assertion !== null) return { source: "access-assertion", text: assertion };
  const cookies = headers.get("cookie");
  if (cookies === null) return undefined;
  const session = cookieText(cookies, sources.secure ? SESSION_COOKIES.secure : SESSION_COOKIES.plain);
  return session === undefined ? undefined : { source: "session", text: session };
}

/** A user without a name and without a password: what skopeo, asked for Basic, sends for someone who has not signed in. */
function isNobody(authorization: string): boolean {
  return authorization.endsWith(" Og==") && authorization.slice(0, -" Og==".length).trim().toLowerCase() === "basic";
}

/**
 * Takes a credential apart. What is not well-formed is a wrong credential: whoever sends one does not want to be
 * nobody. Two values of `Authorization` arrive as one with a comma, which is in no credential (RFC 9110, section 5.3).
 */
export function parseCredential({ source, text }: CredentialText): Result<PresentedCredential, AuthenticationFailure> {
  if (text.length > MAX_LENGTH) return malformed("too long");
  if (source !== "authorization" && !/^[\x21-\x7e]+$/.test(text)) return malformed(`${source} is not well-formed`);
  switch (source) {
    case "access-assertion":
      return ok({ scheme: "access-assertion", assertion: text });
    case "session":
      return text.includes(",") ? malformed("more than one session") : ok({ scheme: "session", cookie: text });
    case "authorization":
      return parseAuthorization(text);
  }
}

/** A JSON Web Token, as far as one sees from outside: three parts, of which the first is a JSON object. @see RFC 7515, section 7.1 */
export function looksLikeJwt(text: string): boolean {
  return /^ey[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(text);
}

/** An API key, as far as one sees from outside. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith("ent_");
}

function parseAuthorization(text: string): Result<PresentedCredential, AuthenticationFailure> {
  const scheme = /^(basic|bearer) /i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "bearer") {
    // RFC 6750, section 2.1
    const token = /^ *([A-Za-z0-9\-._~+/]+=*) *$/.exec(text.slice("bearer ".length))?.[1];
    return token === undefined ? malformed("not a bearer token") : ok({ scheme: "bearer", token });
  }
  if (scheme !== "basic") return malformed("a scheme that is neither Basic nor Bearer");
  const basic = parseBasic(text);
  if (basic === undefined) return malformed("not a Basic credential");
  // RFC 7617, section 2: neither holds control characters.
  if (/\p{Cc}/u.test(basic.username) || /\p{Cc}/u.test(basic.password)) return malformed("control characters");
  return basic.password === "" ? malformed("an empty password") : ok({ scheme: "basic", basic });
}

/** The value of a cookie (RFC 6265, section 4.2.1); values with commas between if it is there more than once. */
function cookieText(cookies: string, name: string): string | undefined {
  const values = cookies
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 0 ? undefined : values.join(",");
}

function malformed(detail: string): Result<never, AuthenticationFailure> {
  return err({ reason: "unauthenticated", detail: `malformed: ${detail}` });
}
