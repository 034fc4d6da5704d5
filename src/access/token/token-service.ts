import { formatScopes, type ScopeAccess } from "../../oci/index.ts";
import { err, ok, type Result, uuidv7 } from "../../platform/index.ts";
import type { Gate } from "../gate.ts";
import { type AuthenticationFailure, GROUPS, type Identity } from "../identity.ts";
import { fittingScopes, signAccessToken, type TokenPorts } from "./access-token.ts";
import { makesTokens } from "./credential-standing.ts";
import { createRefreshToken, redeemRefreshToken, type RefreshTokenPorts } from "./refresh-tokens.ts";
import { intersectScopes } from "./granted-scopes.ts";
import type { Audit } from "../audit.ts";

/** What the token service works with. */
export interface TokenServicePorts extends TokenPorts {
  readonly gate: Pick<Gate, "authenticate" | "identify" | "allows">;
  readonly refresh: RefreshTokenPorts;
  readonly audit: Pick<Audit, "recordFailedSignIn">;
  /** How long a token is good for. */
  readonly ttlSeconds: number;
}

/** What a client asks for, besides saying who it is. */
export interface TokenRequest {
  readonly scopes: readonly ScopeAccess[];
  /** Whether it wants a refresh token. */
  readonly offline: boolean;
  readonly clientId: string;
}

/** The answer, as it goes over the wire. @see Docker, "Token Authentication Specification"; RFC 6749 section 5.1 */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly scope: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

/**
 * A token for whoever the request is from, with what of the scopes they are allowed. A request without a credential gets
 * one too, for what everyone may pull.
 */
export async function tokenFor(
  ports: TokenServicePorts,
  request: Request,
  asked: TokenRequest,
): Promise<Result<TokenAnswer, AuthenticationFailure>> {
  const authenticated = await ports.gate.authenticate(request);
  if (!authenticated.ok) return authenticated;
  const identity = authenticated.value;
  const { name, credential } = identity;
  if (!makesTokens(credential)) return refused(ports, request, `a ${credential.type} makes no tokens`, name);
  const refreshToken = asked.offline ? await createRefreshToken(ports.refresh, identity, asked.clientId) : undefined;
  return ok(await answer(ports, identity, asked.scopes, refreshToken));
}

/**
 * A token for whoever a refresh token is of, with what of the scopes they are allowed now. The same refresh token is
 * answered if the client asked for one: it does not change.
 */
export async function tokenByRefresh(
  ports: TokenServicePorts,
  request: Request,
  refreshToken: string,
  asked: TokenRequest,
): Promise<Result<TokenAnswer, AuthenticationFailure>> {
  const redeemed = await redeemRefreshToken(ports.refresh, refreshToken);
  if (!redeemed.ok) return refused(ports, request, `refresh token: ${redeemed.error}`);
  const { identity: name, credential, issuer } = redeemed.value;
  const identified = await ports.gate.identify({
    name,
    groups: [],
    credential,
    ...(issuer !== undefined && { issuer }),
  });
  if (!identified.ok) return refused(ports, request, "refresh token: the account is gone or disabled", name);
  return ok(await answer(ports, identified.value, asked.scopes, asked.offline ? refreshToken : undefined));
}

/** The gate has told the audit of what it refused itself. */
function refused({ audit }: TokenServicePorts, request: Request, detail: string, account?: string) {
  const credential = { type: "token" } as const;
  const named = account === undefined ? {} : { account };
  audit.recordFailedSignIn(request, { ...named, credential, reason: detail, status: 401 });
  return err<AuthenticationFailure>({ reason: "unauthenticated", detail });
}

async function answer(
  ports: TokenServicePorts,
  identity: Identity,
  asked: readonly ScopeAccess[],
  refreshToken: string | undefined,
): Promise<TokenAnswer> {
  const access = fittingScopes(
    intersectScopes(asked, (verb, repository) => ports.gate.allows(identity, verb, repository)),
  );
  const now = ports.clock();
  const expiresAt = Math.min(now + ports.ttlSeconds * 1000, identity.expiresAt ?? Number.POSITIVE_INFINITY);
  const token = await signAccessToken(ports, {
    id: uuidv7(now),
    subject: identity.name,
    access,
    groups: identity.groups.filter(comesWithCredential),
    credential: identity.credential,
    issuer: identity.issuer,
    expiresAt,
  });
  return {
    token,
    access_token: token,
    token_type: "Bearer",
    scope: formatScopes(access),
    expires_in: Math.max(0, Math.floor(expiresAt / 1000) - Math.floor(now / 1000)),
    issued_at: new Date(now).toISOString(),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  };
}

/** The gate adds the others again, as they are then. */
function comesWithCredential(group: string): boolean {
  return group !== GROUPS.authenticated && group !== GROUPS.unauthenticated && !group.startsWith("team:");
}
