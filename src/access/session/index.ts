export { sessionAuthenticator, type SessionAuthenticatorPorts } from "./session-authenticator.ts";
export { clearCookie, type CookieUse, cookieName, readCookie, type Scheme, setCookie } from "./session-cookie.ts";
export { pruneSessions, type Session, SessionStore } from "./session-store.ts";
export { type SessionPorts, Sessions, type StartedSession } from "./sessions.ts";
