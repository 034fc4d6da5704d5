export { sessionAuthenticator, type SessionAuthenticatorPorts } from "./session-authenticator.ts";
export { sessionStanding } from "./session-standing.ts";
export { clearCookie, type CookieUse, cookieName, readCookie, type Scheme, setCookie } from "./session-cookie.ts";
export { pruneSessions, type Session, SessionStore } from "./session-store.ts";
export { type SessionPorts, Sessions, type StartedSession } from "./sessions.ts";
