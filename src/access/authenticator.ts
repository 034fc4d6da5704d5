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
  /** `undefined` leaves the credential to the next: it is of another kind. */
  authenticate(
    credential: PresentedCredential,
    request: Request,
  ): Promise<Result<Principal, AuthenticationFailure> | undefined>;
}
