import * as z from "zod";
import { BODY_FAULT_STATUS, type BodyFault, bodyFaultMessage, readBodyText, restError } from "../http/index.ts";
import { parseScopes } from "../oci/index.ts";
import { ok, type Result } from "../platform/index.ts";
import {
  type AuthenticationFailure,
  type SigningKeys,
  type TokenAnswer,
  tokenByRefresh,
  tokenFor,
  type TokenRequest,
  type TokenServicePorts,
  WAIT_MESSAGES,
} from "../access/index.ts";

/** What the endpoints of the token service work with. */
export interface TokenHttpServices extends Omit<TokenServicePorts, "keys"> {
  readonly keys: SigningKeys;
  /** Whether an external token service does its work (`TOKEN_REALM`): there is none here then. */
  readonly external: boolean;
}

/** Longest form that is read, in bytes: identity tokens of CI jobs may have several KiB. */
const MAX_FORM = 32 * 1024;

/** The longest time that it may take to arrive, in milliseconds: nobody has proved anything yet. */
const FORM_MS = 20_000;

const CHALLENGE = `Basic realm="Entrepot"`;

const MESSAGES = {
  unauthenticated: "incorrect username or password",
  ...WAIT_MESSAGES,
  "not-configured": "this registry has no credentials yet: set ADMIN_PASSWORD",
} as const;

/** RFC 8693 section 3; a CI's identity token is both. */
const SUBJECT_TOKEN_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** Anything else would be taken for the password of a user. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const text = z.string().min(1);
const grantSchema = z.discriminatedUnion("grant_type", [
  z.object({ grant_type: z.literal("password"), username: z.string(), password: text }),
  z.object({ grant_type: z.literal("refresh_token"), refresh_token: text }),
  z.object({
    grant_type: z.literal("urn:ietf:params:oauth:grant-type:token-exchange"),
    subject_token: z.string().regex(JWT),
    subject_token_type: z.enum(SUBJECT_TOKEN_TYPES),
  }),
]);
type TokenGrant = z.infer<typeof grantSchema>;

const GRANT_TYPES: ReadonlySet<string> = new Set(grantSchema.options.map(({ shape }) => shape.grant_type.value));

/**
 * The token service: `GET` with Basic or without a credential, and `POST` of an OAuth2 form. Cookies and tokens prove
 * nothing here.
 * @see Docker, "Token Authentication Specification", "Registry v2 authentication using OAuth2"; RFC 6749; RFC 8693
 */
export function tokenHandler(services: TokenHttpServices): (request: Request) => Promise<Response> {
  return async function token(request) {
    if (services.external) return restError(404, "the token service is elsewhere");
    if (request.method === "GET") return byQuery(services, request);
    if (request.method === "POST") return byForm(services, request);
    return oauthError(405, "invalid_request", "method not allowed", { allow: "GET, POST" });
  };
}

/** `GET /.well-known/jwks.json`: the keys that tokens verify with. @see RFC 7517 section 5 */
export function jwksHandler(
  services: Pick<TokenHttpServices, "keys" | "external">,
): (request: Request) => Promise<Response> {
  return async function jwks() {
    if (services.external) return restError(404, "the token service is elsewhere");
    return Response.json(await services.keys.publicKeys(), { headers: { "cache-control": "public, max-age=300" } });
  };
}

async function byQuery(services: TokenHttpServices, request: Request): Promise<Response> {
  const query = new URL(request.url).searchParams;
  if (!isService(services, query)) return unknownService();
  const asked = { ...commonRequest(query), offline: query.get("offline_token") === "true" };
  const authorization = request.headers.get("authorization");
  return respond(await tokenFor(services, credentialRequest(request, authorization), asked));
}

async function byForm(services: TokenHttpServices, request: Request): Promise<Response> {
  const read = await readForm(request);
  if (!read.ok)
    return oauthError(BODY_FAULT_STATUS[read.error.reason], "invalid_request", bodyFaultMessage(read.error));
  const form = read.value;
  if (form === undefined) return oauthError(400, "invalid_request", "expected a form");
  if (!isService(services, form)) return unknownService();
  if (!GRANT_TYPES.has(form.get("grant_type") ?? "")) {
    return oauthError(400, "unsupported_grant_type", "grant_type is not supported");
  }
  const grant = grantSchema.safeParse(Object.fromEntries(form));
  if (!grant.success) {
    return oauthError(400, "invalid_request", `missing or malformed: ${grant.error.issues[0]?.path.join(".") ?? ""}`);
  }
  const asked = { ...commonRequest(form), offline: form.get("access_type") === "offline" };
  return byGrant(services, request, grant.data, asked);
}

async function byGrant(
  services: TokenHttpServices,
  request: Request,
  grant: TokenGrant,
  asked: TokenRequest,
): Promise<Response> {
  switch (grant.grant_type) {
    case "password": {
      // Neither can be in a header (RFC 7617 section 2), so nobody has such a name.
      if (grant.username.includes(":")) return failure({ reason: "unauthenticated" });
      const basic = basicHeader(grant.username, grant.password);
      return respond(await tokenFor(services, credentialRequest(request, basic), asked));
    }
    case "refresh_token":
      return respond(await tokenByRefresh(services, request, grant.refresh_token, asked));
    default: {
      const basic = basicHeader("token", grant.subject_token);
      const answer = await tokenFor(services, credentialRequest(request, basic), asked);
      return respond(answer, { issued_token_type: ACCESS_TOKEN_TYPE });
    }
  }
}

function commonRequest(parameters: URLSearchParams): Omit<TokenRequest, "offline"> {
  return {
    scopes: parseScopes(parameters.getAll("scope")),
    clientId: (parameters.get("client_id") ?? "").slice(0, 255),
  };
}

/** A client that names no service means the one that it asks. */
function isService({ service }: TokenHttpServices, parameters: URLSearchParams): boolean {
  return parameters.getAll("service").every((name) => name === service);
}

/** The request as the gate is to see it: from the same client, with this credential and no other. */
function credentialRequest(request: Request, authorization: string | null): Request {
  const headers = new Headers(request.headers);
  for (const name of ["authorization", "cookie", "cf-access-jwt-assertion", "content-length", "content-type"]) {
    headers.delete(name);
  }
  if (authorization !== null) headers.set("authorization", authorization);
  return new Request(request.url, { headers });
}

function basicHeader(username: string, password: string): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

/** The form in the body; `undefined` if it is of another type. */
async function readForm(request: Request): Promise<Result<URLSearchParams | undefined, BodyFault>> {
  const [type] = (request.headers.get("content-type") ?? "").split(";");
  if (type?.trim().toLowerCase() !== "application/x-www-form-urlencoded") return ok(undefined);
  const read = await readBodyText(request, { limit: MAX_FORM, totalMs: FORM_MS });
  return read.ok ? ok(new URLSearchParams(read.value)) : read;
}

function respond(
  result: Result<TokenAnswer, AuthenticationFailure>,
  more: Readonly<Record<string, string>> = {},
): Response {
  if (!result.ok) return failure(result.error);
  return Response.json({ ...result.value, ...more }, { headers: { "cache-control": "no-store", pragma: "no-cache" } });
}

function failure(failed: AuthenticationFailure): Response {
  const message = MESSAGES[failed.reason === "forged" ? "unauthenticated" : failed.reason];
  switch (failed.reason) {
    // Clients take 401 for a wrong password, where RFC 6749 section 5.2 has 400: so do other token services.
    case "unauthenticated":
    case "forged":
      return oauthError(401, "invalid_grant", message, { "www-authenticate": CHALLENGE });
    case "locked-out":
    case "busy":
      return oauthError(429, "slow_down", message, { "retry-after": String(failed.retryAfterSeconds) });
    case "not-configured":
      return oauthError(503, "temporarily_unavailable", message);
  }
}

function unknownService(): Response {
  return oauthError(400, "invalid_target", "there is no such service here");
}

const REGISTRY_CODES: Readonly<Record<number, string>> = {
  401: "UNAUTHORIZED",
  429: "TOOMANYREQUESTS",
  405: "UNSUPPORTED",
};

/** An error as OAuth2 clients read it, and in `errors` and `details` as registry clients do. */
function oauthError(
  status: number,
  error: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const code = REGISTRY_CODES[status] ?? (status >= 500 ? "UNAVAILABLE" : "UNSUPPORTED");
  return Response.json(
    { error, error_description: message, errors: [{ code, message }], details: message },
    { status, headers: { "cache-control": "no-store", ...headers } },
  );
}
