import type { Clock } from "../../../platform/index.ts";
import { RegistryError } from "../../registry.ts";
import { basicAuthorization, type Credential } from "../credential.ts";
import type { HttpClient } from "../http-client.ts";
import { handedAddress } from "../link.ts";
import { exchangeForAcr } from "./acr.ts";
import { requestToken, type Token, type TokenCredential, type TokenPorts, type TokenService } from "./bearer.ts";
import { parseChallenges } from "./challenge.ts";
import type { EcrApi } from "./ecr.ts";
import { mergeScopes } from "./scopes.ts";

/** A registry's refresh token is asked for again after this, in milliseconds; Azure's live three hours. */
const REFRESH_TOKEN_LIFE = 60 * 60 * 1000;

/** Knows how to prove to one registry who is asking. */
export interface Authorizer {
  /** The value of `Authorization` for a request that needs `scopes`, as far as the registry's ways are known. */
  authorization(scopes: readonly string[]): Promise<string | undefined>;
  /**
   * After a `401`: what to try instead of `used`, once. `undefined` if there is nothing else to show.
   * Throws what the token service answers.
   */
  challenged(headers: Headers, scopes: readonly string[], used: string | undefined): Promise<string | undefined>;
  /** Shows user name and password from now on to a registry that has not asked for them; answers whether that is new. */
  presume(): boolean;
}

/** What an authorizer works with. */
export interface AuthorizerOptions {
  readonly registry: string;
  readonly base: URL;
  readonly credential: Credential;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** For credentials of Amazon ECR. */
  readonly ecr: EcrApi | undefined;
}

/** Tokens are kept per set of scopes, and asked for once when several requests need the same. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { credential, clock, ecr } = options;
  const ports: TokenPorts = options;
  const tokens = new Map<string, Token>();
  const pending = new Map<string, Promise<Token>>();
  /** What a challenge demanded beyond what was asked for. */
  const demanded = new Map<string, readonly string[]>();
  let scheme: "unknown" | "basic" | TokenService = "unknown";
  let refresh: { readonly token: string; readonly until: number } | undefined;

  async function shown(): Promise<TokenCredential> {
    if (credential.kind === "basic") return credential;
    if (credential.kind === "identity")
      return { kind: "refresh", token: credential.token, username: credential.username };
    if (credential.kind !== "acr") return { kind: "anonymous" };
    if (refresh === undefined || clock() >= refresh.until) {
      refresh = { token: await exchangeForAcr(credential, ports), until: clock() + REFRESH_TOKEN_LIFE };
    }
    return { kind: "refresh", token: refresh.token };
  }

  async function bearer(service: TokenService, scopes: readonly string[]): Promise<string> {
    const key = scopes.join(" ");
    const known = tokens.get(key);
    if (known !== undefined && clock() < known.usableUntil) return `Bearer ${known.text}`;
    const asked =
      pending.get(key) ??
      (async () => {
        try {
          const token = await requestToken(service, scopes, await shown(), ports);
          tokens.set(key, token);
          return token;
        } finally {
          pending.delete(key);
        }
      })();
    pending.set(key, asked);
    return `Bearer ${(await asked).text}`;
  }

  async function basic(again: boolean): Promise<string | undefined> {
    if (ecr !== undefined) return await ecr.authorization(again);
    return credential.kind === "basic" ? basicAuthorization(credential.username, credential.password) : undefined;
  }

  return {
    async authorization(scopes) {
      if (credential.kind === "token") return `Bearer ${credential.token}`;
      if (ecr !== undefined || scheme === "basic") return await basic(false);
      return scheme === "unknown" ? undefined : await bearer(scheme, demanded.get(scopes.join(" ")) ?? scopes);
    },
    async challenged(headers, scopes, used) {
      if (credential.kind === "token") return undefined;
      const challenges = parseChallenges(headers.get("www-authenticate"));
      const offered = challenges.find(
        (challenge) => challenge.scheme === "bearer" && challenge.parameters.has("realm"),
      );
      if (ecr === undefined && offered !== undefined) {
        scheme = {
          realm: realmOf(offered.parameters.get("realm"), options),
          service: offered.parameters.get("service"),
        };
        const merged = mergeScopes(scopes, offered.parameters.get("scope"));
        demanded.set(scopes.join(" "), merged);
        // Whoever else met the same refusal may have asked anew already.
        const known = tokens.get(merged.join(" "));
        if (known !== undefined && used === `Bearer ${known.text}`) tokens.delete(merged.join(" "));
        return await bearer(scheme, merged);
      }
      if (!challenges.some((challenge) => challenge.scheme === "basic")) return undefined;
      scheme = "basic";
      const value = await basic(used !== undefined);
      return value === used ? undefined : value;
    },
    presume() {
      if (scheme !== "unknown" || credential.kind !== "basic") return false;
      scheme = "basic";
      return true;
    },
  };
}

function realmOf(text: string | undefined, { registry, base }: AuthorizerOptions): URL {
  const realm = text !== undefined && URL.canParse(text) ? handedAddress(text, base) : undefined;
  if (realm !== undefined) return realm;
  throw new RegistryError("forbidden-address", `${registry}: the realm of its challenge is not an address`);
}
