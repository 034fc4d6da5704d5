import { err, ok } from "../../platform/index.ts";
import type { Authenticator } from "../authenticator.ts";
import type { Session } from "./session-store.ts";
import type { Sessions } from "./sessions.ts";

export interface SessionAuthenticatorPorts {
  readonly sessions: Pick<Sessions, "find">;
  /** Whether what the session was made of is still good (`sessionStanding`). */
  readonly stands: (session: Session) => Promise<boolean>;
  /** Whether another site may have made a request with this session's cookie. */
  readonly isForged: (request: Request, sessionId: string) => Promise<boolean>;
}

/**
 * Takes session cookies. Its answer belongs to the request and not to the cookie alone, because of the check against
 * forgery: it must not be remembered for other requests.
 */
export function sessionAuthenticator({ sessions, stands, isForged }: SessionAuthenticatorPorts): Authenticator {
  return {
    name: "session",
    async authenticate(credential, request) {
      if (credential.scheme !== "session") return undefined;
      const session = await sessions.find(credential.cookie);
      if (session === undefined) return err({ reason: "unauthenticated", detail: "no such session" });
      if (!(await stands(session)))
        return err({ reason: "unauthenticated", detail: "session: its credential is gone" });
      if (await isForged(request, session.id)) return err({ reason: "forged" });
      return ok({
        name: session.identity,
        // A session stores who it is of, and nothing of what they may do.
        groups: [],
        credential: { type: "session", id: session.id },
        expiresAt: session.expiresAt,
        ...(session.issuer === undefined ? {} : { issuer: session.issuer }),
      });
    },
  };
}
