import { errors, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import { SCOPE_LIMITS, type ScopeAccess } from "../../oci/index.ts";
import { type Clock, err, ok, type Result } from "../../platform/index.ts";
import type { CredentialUse } from "../identity.ts";
import { type SigningKeys, TOKEN_ALGORITHM } from "./signing-keys.ts";

/** The claim `iss` of tokens of the platform. A constant: the same deployment is reached by several names. */
export const TOKEN_ISSUER = "entrepot";

/** Limits of tokens. */
export const TOKEN_LIMITS = {
  /** A longer one is not looked at, in characters. */
  length: 8192,
  /** The claim `access` as JSON text; what would make it longer is not granted, in characters. */
  access: 4096,
  /** How far clocks may differ, in seconds. */
  skew: 60,
} as const;

const CREDENTIAL_TYPES = ["none", "password", "api-key", "federated", "internal"] as const;

const claimsSchema = z.object({
  sub: z.string().min(1),
  jti: z.string().min(1),
  iat: z.number(),
  exp: z.number(),
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()) })),
  groups: z.array(z.string()),
  by: z.string().optional(),
  cred: z.object({ type: z.enum(CREDENTIAL_TYPES), id: z.string().optional() }),
});

/** What a token says. Times are in milliseconds since the Unix epoch. */
export interface TokenClaims {
  readonly id: string;
  readonly subject: string;
  readonly access: readonly ScopeAccess[];
  /** Groups that came with the credential. */
  readonly groups: readonly string[];
  /** The credential that the token was made from. */
  readonly credential: CredentialUse;
  /** As `Principal.issuer`, the claim `by`: `iss` is who made the token. */
  readonly issuer: string | undefined;
  readonly expiresAt: number;
}

/** What tokens are signed and verified with. */
export interface TokenPorts {
  readonly keys: Pick<SigningKeys, "signer" | "verifier">;
  readonly clock: Clock;
  /** Name of the registry, the claim `aud`. */
  readonly service: string;
}

/**
 * Signs a token. It begins now and ends in the second in which `expiresAt` is, rounded down.
 * @see Docker, "Token Authentication Implementation"
 */
export async function signAccessToken(ports: TokenPorts, claims: TokenClaims): Promise<string> {
  const { kid, key } = await ports.keys.signer();
  const seconds = Math.floor(ports.clock() / 1000);
  return new SignJWT({
    access: claims.access,
    groups: claims.groups,
    cred: claims.credential,
    ...(claims.issuer !== undefined && { by: claims.issuer }),
  })
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: "JWT", kid })
    .setIssuer(TOKEN_ISSUER)
    .setSubject(claims.subject)
    .setAudience(ports.service)
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(Math.floor(claims.expiresAt / 1000))
    .setJti(claims.id)
    .sign(key);
}

/**
 * Verifies a token of the platform. Of its header only `alg`, `typ` and `kid` mean anything: keys and addresses of keys
 * in it are not looked at. The failure is a tag for the audit.
 */
export async function verifyAccessToken(ports: TokenPorts, token: string): Promise<Result<TokenClaims, string>> {
  if (token.length > TOKEN_LIMITS.length) return err("too long");
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = typeof kid === "string" ? await ports.keys.verifier(kid) : undefined;
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return key;
      },
      {
        algorithms: [TOKEN_ALGORITHM],
        typ: "JWT",
        issuer: TOKEN_ISSUER,
        audience: ports.service,
        clockTolerance: TOKEN_LIMITS.skew,
        currentDate: new Date(ports.clock()),
        requiredClaims: ["exp", "nbf", "iat", "jti"],
      },
    );
    const parsed = claimsSchema.safeParse(payload);
    if (!parsed.success) return err("claims");
    const { sub, jti, exp, access, groups, cred, by } = parsed.data;
    const credential = cred.id === undefined ? { type: cred.type } : { type: cred.type, id: cred.id };
    return ok({ id: jti, subject: sub, access, groups, credential, issuer: by, expiresAt: exp * 1000 });
  } catch (error) {
    if (error instanceof errors.JOSEError) return err(error.code);
    throw error;
  }
}

/** As many of the scopes, from the first on, as have room in a token. */
export function fittingScopes(scopes: readonly ScopeAccess[]): readonly ScopeAccess[] {
  let length = 0;
  const end = scopes.findIndex((scope) => (length += JSON.stringify(scope).length + 1) > TOKEN_LIMITS.access);
  return end < 0 ? scopes.slice(0, SCOPE_LIMITS.scopes) : scopes.slice(0, end);
}
