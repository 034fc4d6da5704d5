import { type AuthenticationFailure, WAIT_MESSAGES } from "../access/index.ts";
import { restError } from "./rest-error.ts";

/** What whoever was not authenticated is told, before it is put into a surface's dialect. */
export type AuthenticationRefusal =
  | { readonly status: 401 | 403; readonly message: string }
  | { readonly status: 429; readonly message: string; readonly retryAfterSeconds: number }
  /** `hint` says what can be done about it. */
  | { readonly status: 503; readonly message: string; readonly hint: string };

/** What a failed authentication is told: no more than whoever asked knows already. */
export function authenticationRefusal(failure: AuthenticationFailure): AuthenticationRefusal {
  switch (failure.reason) {
    case "unauthenticated":
      return { status: 401, message: "authentication required" };
    case "forged":
      return { status: 403, message: "the request does not come from a page of this server" };
    case "not-configured":
      return {
        status: 503,
        message: "this registry has no credentials yet",
        hint: "set the secret ADMIN_PASSWORD (npx wrangler secret put ADMIN_PASSWORD)",
      };
    case "locked-out":
    case "busy":
      return { status: 429, message: WAIT_MESSAGES[failure.reason], retryAfterSeconds: failure.retryAfterSeconds };
  }
}

/** The same as the REST endpoints write it. @param challenge value of `WWW-Authenticate` */
export function restAuthenticationError(failure: AuthenticationFailure, challenge: string): Response {
  const refusal = authenticationRefusal(failure);
  switch (refusal.status) {
    case 401:
      return restError(401, refusal.message, undefined, { "www-authenticate": challenge });
    case 403:
      return restError(403, refusal.message);
    case 429:
      return restError(429, refusal.message, undefined, { "retry-after": String(refusal.retryAfterSeconds) });
    case 503:
      return restError(503, refusal.message, refusal.hint);
  }
}
