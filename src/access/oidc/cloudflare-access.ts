import { type Clock, err, ok, type Result } from "../../platform/index.ts";
import type { Authenticator } from "../authenticator.ts";
import type { Account, Directory } from "../directory.ts";
import type { AuthenticationFailure, Principal } from "../identity.ts";
import { type IdentityClaims, verifyIdentityToken } from "./identity-token.ts";
import type { IssuerKeys } from "./issuer-keys.ts";

/**
 * Takes the assertion that Cloudflare Access adds to requests which it let through.
 * @see Cloudflare One, "Validate JWTs" and "Application token"
 */
export function createCloudflareAccess(ports: {
  readonly directory: Pick<Directory, "account" | "issuers" | "userByLogin">;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
  /** As `team.cloudflareaccess.com`. */
  readonly teamDomain: string;
  /** The application's audience tag. */
  readonly audience: string;
}): Authenticator {
  const issuer = `https://${ports.teamDomain}`;
  const source = { issuer, jwksUrl: `${issuer}/cdn-cgi/access/certs` };
  return {
    name: "cloudflare-access",
    async authenticate(credential): Promise<Result<Principal, AuthenticationFailure> | undefined> {
      if (credential.scheme !== "access-assertion") return undefined;
      const verified = await verifyIdentityToken(credential.assertion, { source, audiences: [ports.audience] }, ports);
      if (!verified.ok) {
        return err({ reason: "unauthenticated", detail: `Access assertion: ${verified.error.reason}` });
      }
      const claims = verified.value;
      const account = await accountOf(claims, issuer, ports.directory);
      if (account === undefined) {
        return err({ reason: "unauthenticated", detail: "Access assertion: there is no such user" });
      }
      return ok({
        name: account.name,
        groups: [],
        credential: { type: "access-assertion", id: text(claims["identity_nonce"]) ?? (claims.sub || account.name) },
        expiresAt: claims.exp * 1000,
        issuer,
      });
    },
  };
}

/**
 * The user who is known by the issuer and subject, or who is named as the person's address or the service token. Only
 * an address or the name of a service token is looked up by name: nobody becomes `admin` by a claim.
 */
async function accountOf(
  claims: IdentityClaims,
  issuer: string,
  directory: Pick<Directory, "account" | "issuers" | "userByLogin">,
): Promise<Account | undefined> {
  const serviceToken = text(claims["common_name"]);
  const subject = claims.sub || serviceToken;
  if (subject === undefined) return undefined;
  // Users name an issuer by its object, if it has one.
  const known = (await directory.issuers()).find((candidate) => candidate.issuer === issuer);
  const linked = await directory.userByLogin(known?.name ?? issuer, subject);
  if (linked !== undefined) return linked;
  const email = text(claims["email"]);
  if (email !== undefined && /^[^@:\s]+@[^@:\s]+$/.test(email)) return directory.account(email);
  if (serviceToken !== undefined && /^[\w-]+\.access$/.test(serviceToken)) return directory.account(serviceToken);
  return undefined;
}

function text(claim: unknown): string | undefined {
  return typeof claim === "string" && claim !== "" ? claim : undefined;
}
