import { errors, importX509, type JWTVerifyGetKey } from "jose";
import * as z from "zod";
import type { ScopeAccess } from "../../oci/index.ts";
import { type Clock, err, ok } from "../../platform/index.ts";
import { API_GROUPS } from "../api-groups.ts";
import type { Authenticator } from "../authenticator.ts";
import { ANONYMOUS, type Principal } from "../identity.ts";
import { claimedIssuer, type IdentityClaims, type IssuerKeys, verifyIdentityToken } from "../oidc/index.ts";
import type { Grant, Rule } from "../policy.ts";
import { TOKEN_LIMITS } from "./access-token.ts";
import { isInTime, parseCertificates, type TrustedCertificates, trustCertificates } from "./certificates.ts";
import { repositoryActions } from "./granted-scopes.ts";

/** What tokens of an external service are taken with. */
export interface ExternalIssuerPorts {
  /** `TOKEN_ISSUER`. */
  readonly issuer: string;
  /** `TOKEN_SERVICE`. */
  readonly service: string;
  readonly keys: { readonly jwksUrl: string; readonly issuerKeys: IssuerKeys } | { readonly certificates: string };
  readonly clock: Clock;
}

const accessSchema = z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) })).nullish();

/**
 * Takes Bearer tokens of an external token service. What they may do is what their claim `access` says, no less and no
 * more: nothing is looked for in the directory.
 * @throws {ConfigError} if the certificates cannot be read
 */
export function createExternalIssuer({ issuer, service, keys, clock }: ExternalIssuerPorts): Authenticator {
  const issuerKeys = "jwksUrl" in keys ? keys.issuerKeys : certificateKeys(keys.certificates, clock);
  const source = "jwksUrl" in keys ? { issuer, jwksUrl: keys.jwksUrl } : { issuer };
  const refused = (detail: string) => err({ reason: "unauthenticated", detail: `external token: ${detail}` } as const);
  return {
    name: "external-token",
    async authenticate(credential) {
      if (credential.scheme !== "bearer" || credential.token.length > TOKEN_LIMITS.length) return undefined;
      if (claimedIssuer(credential.token) !== issuer) return undefined;
      const verified = await verifyIdentityToken(
        credential.token,
        { source, audiences: [service] },
        { keys: issuerKeys, clock },
      );
      if (!verified.ok) return refused(verified.error.reason);
      const access = accessSchema.safeParse(verified.value["access"]);
      if (!access.success) return refused("the claim access is malformed");
      // Names of the platform's own are not for others to give.
      if (verified.value.sub.startsWith("system:")) return refused("a reserved subject");
      return ok(principalOf(verified.value, access.data ?? []));
    },
  };
}

function principalOf({ sub, jti, exp }: IdentityClaims, claimed: readonly ScopeAccess[]): Principal {
  // A star in a rule stands for any text, in a claim for itself.
  const access = claimed.filter(({ name }) => !name.includes("*"));
  return {
    name: sub === "" ? ANONYMOUS : sub,
    groups: [],
    credential: { type: "token", ...(jti !== undefined && { id: jti }) },
    scope: access,
    expiresAt: exp * 1000,
    vouched: true,
    grants: grantsOf(access),
  };
}

function grantsOf(access: readonly ScopeAccess[]): Grant[] {
  const rules = access.flatMap(({ type, name, actions }): Rule[] => {
    const about = { apiGroups: [API_GROUPS.content], resources: ["repositories"] };
    if (type === "repository") return [{ ...about, resourceNames: [name], verbs: repositoryActions(actions) }];
    // The catalog lists what one may pull; the scope keeps this from being a right to pull.
    const catalog = type === "registry" && name === "catalog" && actions.includes("*");
    return catalog ? [{ ...about, verbs: ["pull"] }] : [];
  });
  return [{ rules, source: "token" }];
}

/** Keys by certificates: of the chain in the header if there is one, otherwise by the name of the key. */
function certificateKeys(pem: string, clock: Clock): IssuerKeys {
  const certificates = parseCertificates(pem);
  let trusted: TrustedCertificates | undefined;
  const keyOf: JWTVerifyGetKey = async ({ alg, kid, x5c }) => {
    trusted ??= await trustCertificates(certificates);
    const now = clock();
    const certificate = Array.isArray(x5c) ? trusted.byChain(x5c, now) : trusted.byKeyName(kid ?? "");
    if (certificate === undefined || alg === undefined || !isInTime(certificate, now)) {
      throw new errors.JWKSNoMatchingKey();
    }
    return importX509(certificate.toString(), alg);
  };
  return { keysOf: async () => ok(keyOf) };
}
