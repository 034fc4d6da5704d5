export { createCsrf, type Csrf } from "./csrf.ts";
export { ownOrigin, publicScheme, sameOrigin, type Scheme } from "./own-origin.ts";
export { sessionAuthenticator } from "./session-authenticator.ts";
export { sessionStanding } from "./session-standing.ts";
export { pruneSessions, SessionStore } from "./session-store.ts";
export { Sessions, type StartedSession } from "./sessions.ts";
