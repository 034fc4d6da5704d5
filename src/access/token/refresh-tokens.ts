import { type Clock, err, ok, type Result, toBase64Url, toHex, uuidv7 } from "../../platform/index.ts";
import type { Identity } from "../identity.ts";
import { type CredentialStanding, makesRefreshTokens, stillStands } from "./credential-standing.ts";
import type { RefreshTokenStore, StoredRefreshToken } from "./refresh-token-store.ts";

/** What every refresh token begins with, so that scanners for leaked secrets find them. */
export const REFRESH_TOKEN_PREFIX = "entr_";

const REFRESH_TOKEN = /^entr_[A-Za-z0-9_-]{43}$/;

/** What refresh tokens work with. */
export interface RefreshTokenPorts {
  readonly store: Pick<RefreshTokenStore, "add" | "byHash">;
  readonly standing: CredentialStanding;
  readonly clock: Clock;
  readonly service: string;
  readonly ttlSeconds: number;
}

/**
 * Makes a refresh token for an identity and keeps its hash. `undefined` if its credential makes none.
 * It is good for the service and while the credential is. The client's name is kept for those who look into the table,
 * and not compared: what `docker login` stores is used by other programs as well. A refresh token is used many times.
 */
export async function createRefreshToken(
  ports: RefreshTokenPorts,
  { name, credential, scope, issuer }: Identity,
  clientId: string,
): Promise<string | undefined> {
  if (!makesRefreshTokens(credential) || scope !== undefined) return undefined;
  const token = `${REFRESH_TOKEN_PREFIX}${toBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`;
  const now = ports.clock();
  await ports.store.add({
    id: uuidv7(now),
    hash: await sha256(token),
    identity: name,
    credential,
    issuer,
    service: ports.service,
    clientId,
    createdAt: now,
    expiresAt: now + ports.ttlSeconds * 1000,
  });
  return token;
}

/** Whose token it is, and what it was made from. The failure is a tag for the audit. */
export async function redeemRefreshToken(
  ports: RefreshTokenPorts,
  token: string,
): Promise<Result<StoredRefreshToken, string>> {
  if (!REFRESH_TOKEN.test(token)) return err("malformed");
  const stored = await ports.store.byHash(await sha256(token));
  if (stored === undefined) return err("unknown");
  if (stored.expiresAt <= ports.clock()) return err("expired");
  if (stored.service !== ports.service) return err("service");
  const stands = await stillStands(ports.standing, stored.credential, stored.identity);
  return stands ? ok(stored) : err("credential");
}

async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
