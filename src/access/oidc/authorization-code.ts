import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientSecretPost,
  customFetch,
  None,
  OperationProcessingError,
  skipStateCheck,
  validateAuthResponse,
} from "oauth4webapi";
import * as z from "zod";
import {
  type Clock,
  err,
  ok,
  type Outbound,
  type OutboundFailure,
  type Result,
  toBase64Url,
} from "../../platform/index.ts";
import type { Issuer, IssuerLogin } from "../directory.ts";
import { type IdentityClaims, type TokenFailure, verifyIdentityToken } from "./identity-token.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { MetadataFailure, ProviderMetadata, Providers } from "./provider-metadata.ts";

/** What the browser is sent away with, and what has to be kept until it comes back. */
export interface LoginStart {
  /** Where to send the browser. */
  readonly url: string;
  /** Comes back with the browser. @see RFC 6749, section 10.12 */
  readonly state: string;
  /** Comes back in the identity token. @see OpenID Connect Core 1.0, section 15.5.2 */
  readonly nonce: string;
  /** Proves that who redeems the code is who asked for it. @see RFC 7636 */
  readonly verifier: string;
}

/** Someone who signed in. */
export interface LoginClaims {
  /** The claim `sub`, which is the issuer's for ever. */
  readonly subject: string;
  /** The claim that the issuer's `usernameClaim` names. Not yet the name of a user. */
  readonly username: string;
  readonly displayName?: string;
  /** Absent if the issuer says that it is not verified. */
  readonly email?: string;
}

/** Why a sign-in did not work. `detail` is for the log. */
export type LoginFailure =
  /** Nobody signs in by this issuer, or it says nothing of how to. */
  | { readonly reason: "no-login"; readonly detail?: string }
  | { readonly reason: "no-client-secret" }
  /** The answer is from another provider than was asked. @see RFC 9207, "mix-up attacks" */
  | { readonly reason: "wrong-issuer" }
  /** The code was refused, or its answer makes no sense. */
  | { readonly reason: "code-refused"; readonly detail: string }
  | { readonly reason: "unreachable"; readonly detail: OutboundFailure["reason"] }
  | { readonly reason: "bad-token"; readonly detail: TokenFailure["reason"] | "nonce" | "azp" | "sub" }
  /** The claim that names the user is absent, or an address that is not verified. */
  | { readonly reason: "no-username" };

/** Sign-in of people by OpenID Connect: authorization code flow with PKCE. */
export interface AuthorizationCode {
  beginLogin(login: {
    readonly issuer: Issuer;
    readonly redirectUri: string;
  }): Promise<Result<LoginStart, LoginFailure>>;
  /** The caller has compared the `state`, and has a code. `responseIssuer` is the parameter `iss` of the answer. */
  finishLogin(answer: {
    readonly issuer: Issuer;
    readonly redirectUri: string;
    readonly code: string;
    readonly responseIssuer?: string;
    readonly verifier: string;
    readonly nonce: string;
  }): Promise<Result<LoginClaims, LoginFailure>>;
}

export interface AuthorizationCodePorts {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly providers: Providers;
  readonly keys: IssuerKeys;
  /** So many random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly secretOf: (ref: NonNullable<IssuerLogin["clientSecret"]>) => Promise<string | undefined>;
}

const RANDOM_BYTES = 32;
const MAX_ANSWER_BYTES = 128 * 1024;

const tokenAnswer = z.object({ id_token: z.string() });
const errorAnswer = z.object({ error: z.string().max(100) });

export function createAuthorizationCode(ports: AuthorizationCodePorts): AuthorizationCode {
  return {
    async beginLogin({ issuer, redirectUri }) {
      const provider = await providerOf(issuer, ports.providers);
      if (!provider.ok) return provider;
      const { login, metadata } = provider.value;
      if (metadata.authorizationEndpoint === undefined) return err({ reason: "no-login", detail: "no endpoint" });
      const [state, nonce, verifier] = [secret(ports), secret(ports), secret(ports)];
      const url = new URL(metadata.authorizationEndpoint);
      const parameters = {
        response_type: "code",
        client_id: login.clientId,
        redirect_uri: redirectUri,
        scope: [...new Set(["openid", ...login.scopes])].join(" "),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return ok({ url: url.href, state, nonce, verifier });
    },

    async finishLogin({ issuer, redirectUri, code, responseIssuer, verifier, nonce }) {
      const provider = await providerOf(issuer, ports.providers);
      if (!provider.ok) return provider;
      const { login, metadata } = provider.value;
      const answer = new URLSearchParams({ code, ...(responseIssuer === undefined ? {} : { iss: responseIssuer }) });
      const token = await redeem({ answer, verifier, redirectUri, login, metadata }, ports);
      if (!token.ok) return token;
      const expected = { source: issuer, audiences: [login.clientId] };
      const verified = await verifyIdentityToken(token.value, expected, ports);
      if (!verified.ok) return err({ reason: "bad-token", detail: verified.error.reason });
      const fault = faultOf(verified.value, login.clientId, nonce);
      if (fault !== undefined) return err({ reason: "bad-token", detail: fault });
      return person(verified.value, login);
    },
  };
}

function secret({ random }: AuthorizationCodePorts): string {
  return toBase64Url(random(RANDOM_BYTES));
}

async function providerOf(
  issuer: Issuer,
  providers: Providers,
): Promise<Result<{ readonly login: IssuerLogin; readonly metadata: ProviderMetadata }, LoginFailure>> {
  const { login } = issuer;
  if (login === undefined) return err({ reason: "no-login" });
  const metadata = await providers.metadataOf(issuer.issuer);
  if (metadata.ok) return ok({ login, metadata: metadata.value });
  return err(metadataFailure(metadata.error));
}

function metadataFailure({ reason }: MetadataFailure): LoginFailure {
  return reason === "wrong-issuer" ? { reason } : { reason: "no-login", detail: reason };
}

/**
 * Exchanges the code for the identity token, which is then verified as every other one is (`identity-token.ts`): the
 * library would let one pass that was given to another client (`azp`), and says only in words why it refuses one.
 * @see OpenID Connect Core 1.0, section 3.1.3
 */
async function redeem(
  grant: {
    /** What came with the browser. */
    readonly answer: URLSearchParams;
    readonly verifier: string;
    readonly redirectUri: string;
    readonly login: IssuerLogin;
    readonly metadata: ProviderMetadata;
  },
  ports: AuthorizationCodePorts,
): Promise<Result<string, LoginFailure>> {
  const { login, metadata, verifier, redirectUri } = grant;
  const endpoint = metadata.tokenEndpoint;
  if (endpoint === undefined) return err({ reason: "no-login", detail: "no endpoint" });
  const server = {
    issuer: metadata.issuer,
    token_endpoint: endpoint.href,
    authorization_response_iss_parameter_supported: metadata.sendsIssuer,
  };
  const client = { client_id: login.clientId };
  const proof = await clientProof(login, metadata, ports);
  if (!proof.ok) return proof;
  try {
    const answer = validateAuthResponse(server, client, grant.answer, skipStateCheck);
    const response = await authorizationCodeGrantRequest(server, client, proof.value, answer, redirectUri, verifier, {
      [customFetch]: (_url, { headers, body }) => post(endpoint, metadata, { headers, body: body.toString() }, ports),
      // Whether an endpoint may do without TLS was decided when the provider's document was read.
      [allowInsecureRequests]: true,
    });
    return await tokenIn(response);
  } catch (error) {
    if (error instanceof Unreachable) return err({ reason: "unreachable", detail: error.reason });
    // All that the answer can have wrong: there is a code, and the state was compared.
    if (error instanceof OperationProcessingError) return err({ reason: "wrong-issuer" });
    throw error;
  }
}

/** The network gave no answer: the library only knows how to throw. */
class Unreachable extends Error {
  readonly reason: OutboundFailure["reason"];

  constructor({ reason }: OutboundFailure) {
    super(reason);
    this.reason = reason;
  }
}

/** @throws Unreachable */
async function post(
  endpoint: URL,
  { issuer }: ProviderMetadata,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  { outbound }: AuthorizationCodePorts,
): Promise<Response> {
  const response = await outbound.request({
    ...request,
    url: endpoint,
    from: new URL(issuer),
    method: "POST",
    maxBytes: MAX_ANSWER_BYTES,
    // The code and the secret are for this address alone.
    within: (url) => url.href === endpoint.href,
  });
  if (!response.ok) throw new Unreachable(response.error);
  return response.value;
}

/** How the client proves itself to the token endpoint. @see RFC 6749, section 2.3.1 */
async function clientProof(
  { clientId, clientSecret }: IssuerLogin,
  { tokenEndpointAuthMethods: methods }: ProviderMetadata,
  { secretOf }: AuthorizationCodePorts,
): Promise<Result<ClientAuth, LoginFailure>> {
  if (clientSecret === undefined) return ok(None());
  const secret = await secretOf(clientSecret);
  if (secret === undefined) return err({ reason: "no-client-secret" });
  if (methods.includes("client_secret_post") && !methods.includes("client_secret_basic")) {
    return ok(ClientSecretPost(secret));
  }
  return ok((_server, _client, _body, headers) => headers.set("authorization", basic(clientId, secret)));
}

async function tokenIn(response: Response): Promise<Result<string, LoginFailure>> {
  let json: unknown;
  try {
    json = await response.json();
  } catch {
    return err({ reason: "code-refused", detail: `${response.status} without JSON` });
  }
  const answer = tokenAnswer.safeParse(json);
  if (response.status === 200 && answer.success) return ok(answer.data.id_token);
  const refusal = errorAnswer.safeParse(json);
  return err({
    reason: "code-refused",
    detail: `${response.status} ${refusal.success ? refusal.data.error : ""}`.trim(),
  });
}

/**
 * Both are form-encoded before they are joined. The library's own way encodes `-`, `.` and `_` as well, which providers
 * that do not decode it take for another client.
 */
function basic(clientId: string, clientSecret: string): string {
  const [user, password] = [clientId, clientSecret].map((text) =>
    new URLSearchParams({ "": text }).toString().slice(1),
  );
  return `Basic ${btoa(`${user}:${password}`)}`;
}

/** What is wrong with a verified token, for this sign-in. @see OpenID Connect Core 1.0, section 3.1.3.7 */
function faultOf(claims: IdentityClaims, clientId: string, nonce: string): "nonce" | "azp" | "sub" | undefined {
  if (claims["nonce"] !== nonce) return "nonce";
  const { aud } = claims;
  const several = Array.isArray(aud) && aud.length > 1;
  if ((several || claims["azp"] !== undefined) && claims["azp"] !== clientId) return "azp";
  return claims.sub === "" ? "sub" : undefined;
}

function person(claims: IdentityClaims, login: IssuerLogin): Result<LoginClaims, LoginFailure> {
  const verified = claims["email_verified"] !== false && claims["email_verified"] !== "false";
  const email = verified ? text(claims["email"]) : undefined;
  // Anyone can claim an address that nobody verified.
  const username = login.usernameClaim === "email" ? email : text(claims[login.usernameClaim]);
  if (username === undefined) return err({ reason: "no-username" });
  const displayName = text(claims["name"]);
  return ok({
    subject: claims.sub,
    username,
    ...(displayName === undefined ? {} : { displayName }),
    ...(email === undefined ? {} : { email }),
  });
}

function text(claim: unknown): string | undefined {
  return typeof claim === "string" && claim !== "" ? claim : undefined;
}
