import { decodeJwt } from "jose";
import { err, ok } from "../../platform/index.ts";
import type { Authenticator } from "../authenticator.ts";
import { TOKEN_ISSUER, TOKEN_LIMITS, type TokenPorts, verifyAccessToken } from "./access-token.ts";
import { type CredentialStanding, stillStands } from "./credential-standing.ts";

/**
 * Takes tokens of the platform's own token service as Bearer. Tokens of other issuers, and what is no JWT, are left to
 * others. A token is good while the credential is that it was made from.
 */
export function createTokenAuthenticator(ports: TokenPorts & { readonly standing: CredentialStanding }): Authenticator {
  const refused = (detail: string) => err({ reason: "unauthenticated", detail: `token: ${detail}` } as const);
  return {
    name: "token",
    announces: true,
    async authenticate(credential, _request, reading) {
      if (credential.scheme !== "bearer") return undefined;
      if (credential.token.length > TOKEN_LIMITS.length) return undefined;
      if (claimedIssuer(credential.token) !== TOKEN_ISSUER) return undefined;
      const verified = await verifyAccessToken(ports, credential.token);
      if (!verified.ok) return refused(verified.error);
      const { id, subject, access, groups, credential: source, issuer, expiresAt } = verified.value;
      reading?.(subject);
      if (!(await stillStands(ports.standing, source, subject))) return refused(`its ${source.type} is gone`);
      return ok({
        name: subject,
        groups,
        credential: { type: "token", id },
        scope: access,
        expiresAt,
        ...(issuer !== undefined && { issuer }),
      });
    },
  };
}

/** The issuer that a token says it is from, before anything is verified. */
function claimedIssuer(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
