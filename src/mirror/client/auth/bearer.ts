import * as z from "zod";
import type { Clock } from "../../../platform/index.ts";
import { RegistryError } from "../../registry.ts";
import { answerError } from "../answer-error.ts";
import { basicAuthorization } from "../credential.ts";
import { discard, type HttpAnswer, type HttpClient, readBytes } from "../http-client.ts";
import { CLIENT_LIMITS } from "../limits.ts";

/** Where a registry says that tokens are to be had. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string | undefined;
}

/** What a token service is shown. */
export type TokenCredential =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "refresh"; readonly token: string; readonly username?: string | undefined };

/** A token and until when to use it, in milliseconds since 1970. */
export interface Token {
  readonly text: string;
  readonly usableUntil: number;
}

/** What is needed to ask for a token. */
export interface TokenPorts {
  readonly registry: string;
  readonly base: URL;
  readonly http: HttpClient;
  readonly clock: Clock;
}

const LIFETIME_SECONDS = 60;
/** Not used in its last seconds, in milliseconds. */
const EARLY = 5000;

const token = z
  .string()
  .max(64 * 1024)
  // It goes into a header.
  .regex(/^[\x21-\x7e]+$/);
const answerSchema = z.object({
  token: token.optional(),
  access_token: token.optional(),
  expires_in: z.coerce.number().positive().catch(LIFETIME_SECONDS),
});

/**
 * Asks a token service for a token for `scopes`. A refresh token is sent by POST, and as a password by GET where the
 * service knows no POST. @see Docker, "Token authentication specification" and "OAuth2 token authentication"
 */
export async function requestToken(
  { realm, service }: TokenService,
  scopes: readonly string[],
  credential: TokenCredential,
  ports: TokenPorts,
): Promise<Token> {
  const what = `token from ${realm.host}`;
  const sentAt = ports.clock();
  if (credential.kind === "refresh") {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credential.token,
      client_id: "entrepot",
    });
    if (service !== undefined) form.set("service", service);
    if (scopes.length > 0) form.set("scope", scopes.join(" "));
    const answer = await postForm(realm, form, what, ports);
    if (answer.status !== 404 && answer.status !== 405) return await tokenOf(answer, what, sentAt, ports);
    await discard(answer);
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const authorization =
    credential.kind === "anonymous"
      ? undefined
      : credential.kind === "basic"
        ? basicAuthorization(credential.username, credential.password)
        : basicAuthorization(credential.username ?? "<token>", credential.token);
  const answer = await ports.http.send({ method: "GET", url, from: ports.base, authorization, what });
  return await tokenOf(answer, what, sentAt, ports);
}

/** Sends a form to a token service. */
export async function postForm(
  url: URL,
  form: URLSearchParams,
  what: string,
  { http, base }: TokenPorts,
): Promise<HttpAnswer> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return await http.send({ method: "POST", url, from: base, headers, body: form.toString(), what });
}

async function tokenOf(answer: HttpAnswer, what: string, sentAt: number, ports: TokenPorts): Promise<Token> {
  const parsed = answerSchema.safeParse(await readTokenAnswer(answer, what, ports));
  const text = parsed.data?.token ?? parsed.data?.access_token;
  if (!parsed.success || text === undefined) {
    throw new RegistryError("refused", `${ports.registry}: ${what}: the answer is not a token`);
  }
  return { text, usableUntil: sentAt + parsed.data.expires_in * 1000 - EARLY };
}

/** The JSON of a successful answer; throws for all others. */
export async function readTokenAnswer(answer: HttpAnswer, what: string, ports: TokenPorts): Promise<unknown> {
  if (answer.status !== 200) throw await answerError(answer, `${ports.registry}: ${what}`, ports.clock());
  const bytes = await readBytes(answer, CLIENT_LIMITS.token);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
