import { restError } from "../http/index.ts";
import {
  type Account,
  BOOTSTRAP_ADMIN,
  equalSecrets,
  type Issuer,
  type IssuerLogin,
  type LoginClaims,
  ownOrigin,
  publicScheme,
  sessionEntry,
} from "../access/index.ts";
import { loginFailure } from "./failures.ts";
import { sessionCookie } from "./login.ts";
import { LOGIN_LIFETIME_SECONDS, openLogin, sealLogin } from "./login-state.ts";
import { returnPath } from "./return-path.ts";
import type { AuthServices } from "./services.ts";
import { clearCookie, readCookie, setCookie } from "./session-cookie.ts";

/** The longest name that a first sign-in gives a user: a label of a host name, as objects are named. */
const MAX_NAME = 63;

interface LoginIssuer extends Issuer {
  readonly login: IssuerLogin;
}

/** `GET /auth/login/<issuer>?return_to=/path`: sends the browser to the identity provider. */
export async function providerLogin(services: AuthServices, request: Request, name: string): Promise<Response> {
  const issuer = await loginIssuer(services, name);
  if (issuer === undefined) return restError(404, "no such identity provider");
  const begun = await services.logins.beginLogin({ issuer, redirectUri: redirectUri(services, request, issuer) });
  if (!begun.ok) {
    services.log.warn("access.login.begin", { issuer: issuer.name, ...begun.error });
    return loginFailure(request, 502, "The identity provider cannot be reached, or is not set up rightly.");
  }
  const { url, state, nonce, verifier } = begun.value;
  const returnTo = returnPath(new URL(request.url).searchParams.get("return_to"));
  const expiresAt = services.clock() + LOGIN_LIFETIME_SECONDS * 1000;
  const sealed = await sealLogin(await services.loginKey(), {
    issuer: issuer.name,
    state,
    nonce,
    verifier,
    returnTo,
    expiresAt,
  });
  const cookie = setCookie("login", publicScheme(request, services.publicScheme), sealed, LOGIN_LIFETIME_SECONDS);
  return new Response(null, { status: 303, headers: { location: url, "set-cookie": cookie } });
}

/** `GET /auth/callback/<issuer>`: finishes what `providerLogin` began in this browser, and starts a session. */
export async function providerCallback(services: AuthServices, request: Request, name: string): Promise<Response> {
  const response = await finish(services, request, name);
  // One cookie is good for one return, whatever came of it.
  response.headers.append("set-cookie", clearCookie("login", publicScheme(request, services.publicScheme)));
  return response;
}

async function finish(services: AuthServices, request: Request, name: string): Promise<Response> {
  const issuer = await loginIssuer(services, name);
  if (issuer === undefined) return restError(404, "no such identity provider");
  const refuse = (status: number, failure: Refusal, message: string): Response => {
    const { reason } = failure;
    services.log.warn("access.login.refused", { issuer: issuer.name, ...failure });
    services.audit.recordFailedSignIn(request, { credential: { type: "federated" }, reason, status });
    return loginFailure(request, status, message);
  };
  const query = new URL(request.url).searchParams;
  const cookie = readCookie(request, "login", publicScheme(request, services.publicScheme));
  const login = cookie && (await openLogin(await services.loginKey(), cookie, services.clock()));
  if (!login || login.issuer !== issuer.name || !(await equalSecrets(query.get("state") ?? "", login.state))) {
    return refuse(400, { reason: "state" }, "This sign-in was not begun in this browser, or it took too long.");
  }
  const code = query.get("code");
  const responseIssuer = query.get("iss");
  if (!code || query.has("error")) {
    return refuse(403, { reason: "provider-refused" }, "The identity provider did not let you in.");
  }
  const proven = await services.logins.finishLogin({
    issuer,
    code,
    verifier: login.verifier,
    nonce: login.nonce,
    redirectUri: redirectUri(services, request, issuer),
    ...(responseIssuer === null ? {} : { responseIssuer }),
  });
  if (!proven.ok) return refuse(403, proven.error, "The identity provider's answer could not be verified.");
  const found = await accountOf(services, issuer, proven.value);
  if (typeof found === "string") return refuse(403, { reason: found }, REFUSALS[found]);
  const session = await services.sessions.start({
    identity: found.name,
    issuer: issuer.name,
    credential: proven.value.subject,
  });
  await services.audit.recordNow(
    request,
    sessionEntry({ name: found.name, credential: { type: "federated", id: session.id } }, "login", 303),
  );
  return new Response(null, {
    status: 303,
    // The cookie is ours, but what may be returned to is checked where it is used.
    headers: { location: returnPath(login.returnTo), "set-cookie": sessionCookie(services, request, session) },
  });
}

/** A tag for log and audit, and what the log should know besides. */
interface Refusal {
  readonly reason: string;
  readonly detail?: string;
}

const REFUSALS = {
  "unknown-user": "There is no user for this account. Ask an administrator to make one.",
  "name-taken": "The name of this account is taken here. Ask an administrator to link it to your user.",
  "name-unfit": "The name of this account cannot be the name of a user here. Ask an administrator to make one.",
  disabled: "This user is disabled.",
} as const;

/** Whose session it becomes. A user who is there already is never taken over by name, only found by subject. */
async function accountOf(
  { directory, isReserved }: AuthServices,
  issuer: LoginIssuer,
  { subject, username, displayName, email }: LoginClaims,
): Promise<Account | keyof typeof REFUSALS> {
  const known = await directory.userByLogin(issuer.name, subject);
  if (known !== undefined) {
    // The first administrator signs in by password; a provider's word is not enough for a name that may do everything.
    if (known.name === BOOTSTRAP_ADMIN) return "name-taken";
    return known.disabled ? "disabled" : known;
  }
  if (!issuer.login.createUsers) return "unknown-user";
  const name = userName(username);
  if (name === undefined) return "name-unfit";
  if (name === BOOTSTRAP_ADMIN || isReserved(name)) return "name-taken";
  const created = await directory.createUser({
    name,
    issuer: issuer.name,
    subject,
    ...(displayName === undefined ? {} : { displayName }),
    ...(email === undefined ? {} : { email }),
  });
  return created ?? "name-taken";
}

/**
 * The name of a user for what a provider calls them: in lower case, and with `-` for what a name cannot have, so that
 * `Alice@example.com` is `alice-example.com`. `undefined` if nothing is left, or too much.
 */
export function userName(claimed: string): string | undefined {
  const name = claimed
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .replaceAll(/[.-]*\.[.-]*/g, ".")
    .replaceAll(/^[.-]+|[.-]+$/g, "");
  return name === "" || name.length > MAX_NAME ? undefined : name;
}

async function loginIssuer({ directory }: AuthServices, name: string): Promise<LoginIssuer | undefined> {
  const issuer = (await directory.issuers()).find((candidate) => candidate.name === name);
  return issuer?.login === undefined ? undefined : { ...issuer, login: issuer.login };
}

function redirectUri(services: AuthServices, request: Request, issuer: Issuer): string {
  return `${ownOrigin(request, services.publicScheme)}/auth/callback/${issuer.name}`;
}
