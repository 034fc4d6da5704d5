import { type Scheme, SESSION_COOKIES } from "../access/index.ts";

/** Cookies of sign-ins: the session, and what a sign-in by an identity provider remembers on the way. */
export type CookieUse = "session" | "login";

/** As `SESSION_COOKIES`. */
const LOGIN_COOKIES = { secure: "__Host-entrepot_login", plain: "entrepot_login" } as const;

/**
 * The name of a cookie. By https the prefix has browsers refuse one that another host or plain http set; by http,
 * which is for loopback, they would refuse the prefix itself.
 * @see RFC 6265bis, section 4.1.3.2
 */
export function cookieName(use: CookieUse, scheme: Scheme): string {
  const names = use === "session" ? SESSION_COOKIES : LOGIN_COOKIES;
  return scheme === "https" ? names.secure : names.plain;
}

/**
 * A value of `Set-Cookie`. `SameSite=Lax` and not `Strict`: the return from an identity provider is a navigation from
 * another site. An age of 0 seconds deletes the cookie.
 */
export function setCookie(use: CookieUse, scheme: Scheme, value: string, maxAgeSeconds: number): string {
  const secure = scheme === "https" ? "; Secure" : "";
  return `${cookieName(use, scheme)}=${value}; Path=/; Max-Age=${maxAgeSeconds}${secure}; HttpOnly; SameSite=Lax`;
}

/** A value of `Set-Cookie` that deletes the cookie. */
export function clearCookie(use: CookieUse, scheme: Scheme): string {
  return setCookie(use, scheme, "", 0);
}

/**
 * The cookie of a request, under the name that fits the scheme and no other. A name that was sent twice counts as
 * none: one of the two is not ours.
 */
export function readCookie(request: Request, use: CookieUse, scheme: Scheme): string | undefined {
  const header = request.headers.get("cookie");
  if (header === null) return undefined;
  const prefix = `${cookieName(use, scheme)}=`;
  const found = header
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(prefix));
  const [only] = found;
  return only === undefined || found.length > 1 ? undefined : only.slice(prefix.length) || undefined;
}
