import { restAuthenticationError, restError } from "../http/index.ts";
import { accessEntry, ANONYMOUS, API_GROUPS, type Identity, parseServiceAccountIdentity } from "../access/index.ts";
import { currentSession, logout, passwordLogin, providers } from "./login.ts";
import { providerCallback, providerLogin } from "./oidc-login.ts";
import type { AuthServices } from "./services.ts";

interface RouteBase {
  /** `GET` also answers `HEAD`. */
  readonly method: "GET" | "POST";
  /** With `:issuer` for a name. */
  readonly path: string;
  /** Answers may be kept as their own headers say; all others are for one request. */
  readonly cacheable?: true;
}

/** An endpoint of access, and who may call it. */
export type AuthRoute =
  /** Anyone: it is how one signs in, or it checks credentials by itself. */
  | (RouteBase & {
      readonly rule: "public";
      readonly answer: (services: AuthServices, request: Request, issuer: string) => Promise<Response>;
    })
  /** Anyone who proved who they are, for themselves. */
  | (RouteBase & {
      readonly rule: "authenticated";
      readonly answer: (services: AuthServices, request: Request, identity: Identity) => Promise<Response>;
    });

/** All there is under `/auth` and `/.well-known`. */
export const AUTH_ROUTES: readonly AuthRoute[] = [
  { method: "POST", path: "/auth/login", rule: "public", answer: passwordLogin },
  { method: "POST", path: "/auth/logout", rule: "public", answer: logout },
  { method: "GET", path: "/auth/session", rule: "public", answer: currentSession },
  { method: "GET", path: "/auth/providers", rule: "public", answer: providers },
  { method: "GET", path: "/auth/login/:issuer", rule: "public", answer: providerLogin },
  { method: "GET", path: "/auth/callback/:issuer", rule: "public", answer: providerCallback },
  { method: "GET", path: "/auth/token", rule: "public", answer: ({ tokens }, request) => tokens(request) },
  { method: "POST", path: "/auth/token", rule: "public", answer: ({ tokens }, request) => tokens(request) },
  {
    method: "GET",
    path: "/.well-known/jwks.json",
    rule: "public",
    cacheable: true,
    answer: ({ jwks }, request) => jwks(request),
  },
  {
    method: "POST",
    path: "/auth/kubeconfig",
    rule: "authenticated",
    answer: notedKubeconfig,
  },
];

/** A kubeconfig has a new key in it, which is not given out before it is in the audit. */
async function notedKubeconfig(
  { kubeconfig, audit }: AuthServices,
  request: Request,
  identity: Identity,
): Promise<Response> {
  const response = await kubeconfig(request, identity);
  const robot = parseServiceAccountIdentity(identity.name);
  const asked = {
    verb: "create",
    group: API_GROUPS.iam,
    resource: robot === undefined ? "users" : "serviceaccounts",
    subresource: "tokens",
    namespace: robot?.namespace ?? "",
    name: robot?.name ?? identity.name,
  };
  const decision = { allowed: response.ok, reason: "kubeconfig" };
  await audit.recordNow(request, accessEntry(identity, asked, { decision, status: response.status }));
  return response;
}

/** Names of issuers, as objects are named (RFC 1123). */
const ISSUER = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Answers a request for a path under `/auth` or `/.well-known`. */
export async function authApi(services: AuthServices, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const matches = AUTH_ROUTES.flatMap((route) => {
    const issuer = matchPath(route.path, pathname);
    return issuer === undefined ? [] : [{ route, issuer }];
  });
  if (matches.length === 0) return noStore(restError(404, "not found"));
  const method = request.method === "HEAD" ? "GET" : request.method;
  const match = matches.find(({ route }) => route.method === method);
  if (match === undefined) {
    const allow = matches.flatMap(({ route }) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method]));
    return noStore(restError(405, "method not allowed", undefined, { allow: allow.join(", ") }));
  }
  const answer = await answerRoute(services, request, match.route, match.issuer);
  const response = request.method === "HEAD" ? new Response(null, answer) : answer;
  return match.route.cacheable ? response : noStore(response);
}

async function answerRoute(
  services: AuthServices,
  request: Request,
  route: AuthRoute,
  issuer: string,
): Promise<Response> {
  if (route.rule === "public") return route.answer(services, request, issuer);
  const proof = await services.gate.authenticate(request);
  if (!proof.ok) return restAuthenticationError(proof.error, services.gate.challenge(request));
  if (proof.value.name === ANONYMOUS) {
    return restAuthenticationError({ reason: "unauthenticated" }, services.gate.challenge(request));
  }
  return route.answer(services, request, proof.value);
}

/** What stands for `:issuer`, empty if the path has none; `undefined` if the path is another. */
function matchPath(path: string, pathname: string): string | undefined {
  if (!path.endsWith("/:issuer")) return path === pathname ? "" : undefined;
  const prefix = path.slice(0, -":issuer".length);
  if (!pathname.startsWith(prefix)) return undefined;
  const name = pathname.slice(prefix.length);
  return ISSUER.test(name) ? name : undefined;
}

function noStore(response: Response): Response {
  response.headers.set("cache-control", "no-store");
  return response;
}
