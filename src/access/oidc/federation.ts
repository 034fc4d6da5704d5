import { type Clock, err, ok, type Result } from "../../platform/index.ts";
import type { Authenticator, PresentedCredential } from "../authenticator.ts";
import type { Directory, Issuer } from "../directory.ts";
import { type AuthenticationFailure, type Principal, serviceAccountIdentity } from "../identity.ts";
import { matchingRule } from "./claim-rules.ts";
import { claimedIssuer, verifyIdentityToken } from "./identity-token.ts";
import type { IssuerKeys } from "./issuer-keys.ts";

/**
 * Takes identity tokens of the directory's issuers, such as those of CI jobs, for service accounts: as Basic password
 * with any user name, or as Bearer token. Tokens of issuers that are not known are left to others.
 */
export function createFederation(ports: {
  readonly directory: Pick<Directory, "issuers">;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
}): Authenticator {
  return {
    name: "federation",
    async authenticate(credential) {
      const token = tokenIn(credential);
      const claimed = token === undefined ? undefined : claimedIssuer(token);
      if (token === undefined || claimed === undefined) return undefined;
      const issuers = (await ports.directory.issuers()).filter(({ issuer }) => issuer === claimed);
      // The same issuer may be there more than once, with other audiences.
      let outcome: Result<Principal, AuthenticationFailure> | undefined;
      for (const issuer of issuers) {
        outcome = await serviceAccountOf(token, issuer, ports);
        if (outcome.ok) return outcome;
      }
      return outcome;
    },
  };
}

function tokenIn(credential: PresentedCredential): string | undefined {
  if (credential.scheme === "bearer") return credential.token;
  return credential.scheme === "basic" ? credential.basic.password : undefined;
}

async function serviceAccountOf(
  token: string,
  issuer: Issuer,
  ports: { readonly keys: IssuerKeys; readonly clock: Clock },
): Promise<Result<Principal, AuthenticationFailure>> {
  const verified = await verifyIdentityToken(token, { source: issuer, audiences: issuer.audiences }, ports);
  if (!verified.ok) {
    const { reason, detail } = verified.error;
    return refused(issuer, detail === undefined ? reason : `${reason} (${detail})`);
  }
  const claims = verified.value;
  const rule = matchingRule(issuer.rules, claims);
  if (rule === undefined) return refused(issuer, `no rule matches ${claims.sub}`);
  return ok({
    name: serviceAccountIdentity(rule.serviceAccount.namespace, rule.serviceAccount.name),
    groups: [],
    credential: { type: "federated", id: `${issuer.name}:${claims.jti ?? claims.sub}` },
    expiresAt: claims.exp * 1000,
    issuer: issuer.name,
  });
}

function refused(issuer: Issuer, why: string): Result<Principal, AuthenticationFailure> {
  return err({ reason: "unauthenticated", detail: `identity token of ${issuer.name}: ${why}` });
}
