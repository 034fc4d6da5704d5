import type { Directory } from "../directory.ts";
import type { PasswordIds } from "../password-ids.ts";
import type { Session } from "./session-store.ts";

/**
 * Whether what a session was made of still proves who it proved then: the user's password is the same or, of a sign-in by
 * an issuer, people sign in by it, and the user is linked to the same person there.
 */
export function sessionStanding(
  passwords: Pick<PasswordIds, "isCurrent">,
  directory: Pick<Directory, "issuers" | "userByLogin">,
): (session: Session) => Promise<boolean> {
  return async function stands({ identity, issuer: name, credential }) {
    if (name === undefined) return passwords.isCurrent(identity, credential);
    const issuer = (await directory.issuers()).find((candidate) => candidate.name === name);
    if (issuer?.login === undefined) return false;
    return (await directory.userByLogin(name, credential))?.name === identity;
  };
}
