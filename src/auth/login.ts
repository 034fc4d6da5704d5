import * as z from "zod";
import {
  BODY_FAULT_STATUS,
  bodyFaultMessage,
  readBodyText,
  restAuthenticationError,
  restError,
} from "../http/index.ts";
import { err, ok, type Result } from "../platform/index.ts";
import {
  ANONYMOUS,
  type Identity,
  publicScheme,
  sameOrigin,
  sessionEntry,
  type StartedSession,
} from "../access/index.ts";
import { forged, FORM_CHALLENGE } from "./failures.ts";
import type { AuthServices } from "./services.ts";
import { clearCookie, readCookie, setCookie } from "./session-cookie.ts";

/** The longest body of a sign-in, in bytes. */
const MAX_BODY = 16 * 1024;

/** The longest time that one may take to arrive, in milliseconds: nobody has proved anything yet. */
const SIGN_IN_MS = 20_000;

const credentialSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** `POST /auth/login`: signs in by name and password, given as JSON or as a form, and starts a session. */
export async function passwordLogin(services: AuthServices, request: Request): Promise<Response> {
  if (sameOrigin(request, services.publicScheme) === false) return forged();
  const body = await readCredential(request);
  if (!body.ok) return body.error;
  const { username, password } = body.value;
  const proof = await services.gate.authenticate(asBasic(request, username, password));
  if (!proof.ok) return restAuthenticationError(proof.error, FORM_CHALLENGE);
  const identity = proof.value;
  // Keys and tokens can be revoked or are limited; a session made of one would be neither.
  const { type, id: credential } = identity.credential;
  if (type !== "password" || credential === undefined || identity.scope !== undefined) {
    return restAuthenticationError({ reason: "unauthenticated" }, FORM_CHALLENGE);
  }
  const session = await services.sessions.start({ identity: identity.name, credential });
  await services.audit.recordNow(
    request,
    sessionEntry({ name: identity.name, credential: { type: "password", id: session.id } }, "login", 200),
  );
  return Response.json(
    { user: { name: identity.name }, csrfToken: await services.csrf.token(session.id) },
    { headers: { "set-cookie": sessionCookie(services, request, session) } },
  );
}

/** `POST /auth/logout`: ends the session and has the browser forget its cookie. */
export async function logout(services: AuthServices, request: Request): Promise<Response> {
  if (sameOrigin(request, services.publicScheme) === false) return forged();
  const proof = await services.gate.authenticate(request);
  if (!proof.ok && proof.error.reason === "forged") return forged();
  if (proof.ok && proof.value.credential.type === "session" && proof.value.credential.id !== undefined) {
    await services.sessions.end(proof.value.credential.id);
    services.audit.record(request, sessionEntry(proof.value, "logout", 204));
  }
  const cookie = clearCookie("session", publicScheme(request, services.publicScheme));
  return new Response(null, { status: 204, headers: { "set-cookie": cookie } });
}

/** `GET /auth/session`: who the browser is signed in as, and the token that changes need. */
export async function currentSession(services: AuthServices, request: Request): Promise<Response> {
  const proof = await services.gate.authenticate(request);
  if (proof.ok && proof.value.name !== ANONYMOUS) return Response.json(await described(services, proof.value));
  const scheme = publicScheme(request, services.publicScheme);
  const expired = !request.headers.has("authorization") && readCookie(request, "session", scheme) !== undefined;
  if (!proof.ok && !(proof.error.reason === "unauthenticated" && expired)) {
    return restAuthenticationError(proof.error, services.gate.challenge(request));
  }
  return Response.json(
    { user: null, providers: await providersOf(services) },
    proof.ok ? {} : { headers: { "set-cookie": clearCookie("session", scheme) } },
  );
}

/** `GET /auth/providers`: by whom people may sign in. */
export async function providers(services: AuthServices): Promise<Response> {
  return Response.json({ providers: await providersOf(services) });
}

/** The value of `Set-Cookie` that gives a browser its session. */
export function sessionCookie(services: AuthServices, request: Request, session: StartedSession): string {
  const scheme = publicScheme(request, services.publicScheme);
  return setCookie("session", scheme, session.secret, services.sessionSeconds);
}

async function described(services: AuthServices, { name, groups, credential }: Identity) {
  const session = credential.type === "session" ? credential.id : undefined;
  return {
    user: { name },
    groups,
    credential: { type: credential.type },
    ...(session === undefined ? {} : { csrfToken: await services.csrf.token(session) }),
  };
}

async function providersOf(services: AuthServices) {
  const issuers = await services.directory.issuers();
  return issuers.flatMap(({ name, login }) => (login === undefined ? [] : [{ name, displayName: login.displayName }]));
}

/** The sign-in as the gate knows it, with all that tells where it came from and no other credential. */
function asBasic(request: Request, username: string, password: string): Request {
  const headers = new Headers(request.headers);
  for (const name of ["cookie", "cf-access-jwt-assertion", "content-type", "content-length"]) headers.delete(name);
  headers.set("authorization", `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`);
  return new Request(request.url, { headers });
}

async function readCredential(request: Request): Promise<Result<z.infer<typeof credentialSchema>, Response>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json" && type !== "application/x-www-form-urlencoded") {
    return err(restError(415, "expected application/json or application/x-www-form-urlencoded"));
  }
  const read = await readBodyText(request, { limit: MAX_BODY, totalMs: SIGN_IN_MS });
  if (!read.ok) return err(restError(BODY_FAULT_STATUS[read.error.reason], bodyFaultMessage(read.error)));
  const text = read.value;
  const parsed = credentialSchema.safeParse(
    type === "application/json" ? parseJson(text) : Object.fromEntries(new URLSearchParams(text)),
  );
  // A colon would move a part of the name into the password (RFC 7617 section 2).
  if (!parsed.success || parsed.data.username.includes(":")) {
    return err(restError(400, "expected username and password"));
  }
  return ok(parsed.data);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
