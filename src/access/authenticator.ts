import type { Result } from "../platform/index.ts";
import type { BasicCredential } from "./basic.ts";
import type { AuthenticationFailure, Principal } from "./identity.ts";

/** The credential that a request carries; at most one, the first of this order. */
export type PresentedCredential =
  | { readonly scheme: "basic"; readonly basic: BasicCredential }
  | { readonly scheme: "bearer"; readonly token: string }
  /** The value of Cloudflare's `Cf-Access-Jwt-Assertion`. */
  | { readonly scheme: "access-assertion"; readonly assertion: string }
  | { readonly scheme: "session"; readonly cookie: string };

/**
 * One way to prove who one is. The gate remembers the answer by the credential alone, except for sessions: for any other
 * credential, what differs from request to request (its method, its `Origin`) is to be judged elsewhere.
 */
export interface Authenticator {
  /** For the audit and the log. */
  readonly name: string;
  /**
   * Whether it calls `reading` in the turn in which it first reads something, and not before. Of the others, rights are
   * asked for before: what a credential proved is of no earlier moment than the rights.
   */
  readonly announces?: true;
  /** `undefined` leaves the credential to the next: it is of another kind. */
  authenticate(
    credential: PresentedCredential,
    request: Request,
    reading?: Reading,
  ): Promise<Result<Principal, AuthenticationFailure> | undefined>;
}

/**
 * Has all be read now that a request needs: what is asked for in the same turn is one crossing to the database.
 * @param name whose credential it is, if that is proved but for what is read
 */
export type Reading = (name?: string) => void;
