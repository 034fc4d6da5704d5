import { parseBasic } from "../../../src/access/basic.ts";
import type { Account, Issuer } from "../../../src/access/directory.ts";
import { authApi, type AuthServices } from "../../../src/auth/index.ts";
import {
  ANONYMOUS,
  type AuthenticationFailure,
  type CredentialUse,
  type Identity,
  systemIdentity,
} from "../../../src/access/identity.ts";
import type { LoginClaims, LoginFailure } from "../../../src/access/oidc/index.ts";
import { createCsrf, sessionAuthenticator, Sessions, SessionStore } from "../../../src/access/session/index.ts";
import { err, instanceHmacKey, InstanceStore, ok, type Result } from "../../../src/platform/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";
import type { FailedSignIn } from "../../../src/access/index.ts";
import { readCookie } from "../../../src/auth/session-cookie.ts";

export const ORIGIN = "https://registry.example";

const issuer: Issuer = {
  name: "corp",
  issuer: "https://id.corp.example",
  audiences: [],
  rules: [],
  login: {
    clientId: "entrepot",
    scopes: ["openid"],
    usernameClaim: "preferred_username",
    createUsers: true,
    displayName: "Corp <SSO>",
  },
};

function identity(name: string, credential: CredentialUse): Identity {
  return { ...systemIdentity(name), groups: [], credential };
}

/** The endpoints over a real database, with people, a provider and a gate that the test decides about. */
export function loginPlatform(options: { readonly publicScheme?: "http" | "https" } = {}) {
  const { publicScheme } = options;
  const time = { now: Date.now() };
  const clock = () => time.now;
  const instance = new InstanceStore(bindings.DB, undefined);
  const csrf = createCsrf({ key: instanceHmacKey(instance, "csrf"), publicScheme });
  const sessions = new Sessions({ store: new SessionStore(bindings.DB), clock, lifetime: 3_600_000 });
  const authenticator = sessionAuthenticator({
    sessions,
    stands: async () => true,
    isForged: (request, id) => csrf.isForged(request, id),
  });
  const scheme = (request: Request) => publicScheme ?? (request.url.startsWith("https:") ? "https" : "http");
  const audited: unknown[] = [];
  const state = {
    issuers: [issuer, { ...issuer, name: "ci", login: undefined }] as readonly Issuer[],
    accounts: new Map<string, Account>(),
    created: [] as unknown[],
    taken: new Set<string>(),
    finished: [] as unknown[],
    claims: ok({ subject: "s-1", username: "Bob" }) as Result<LoginClaims, LoginFailure>,
    failure: undefined as AuthenticationFailure | undefined,
    /** What the gate was asked about last. */
    asked: undefined as Request | undefined,
  };

  async function authenticate(request: Request): Promise<Result<Identity, AuthenticationFailure>> {
    state.asked = request;
    if (state.failure !== undefined) return err(state.failure);
    const basic = parseBasic(request.headers.get("authorization"));
    if (basic?.password === "right") return ok(identity(basic.username, { type: "password", id: "1" }));
    if (basic?.password === "ent_key") return ok(identity("robot", { type: "api-key", id: "key" }));
    if (basic !== undefined) return err({ reason: "unauthenticated", detail: "password" });
    const cookie = readCookie(request, "session", scheme(request));
    if (cookie === undefined) return ok(identity(ANONYMOUS, { type: "none" }));
    const principal = await authenticator.authenticate({ scheme: "session", cookie }, request);
    if (principal === undefined) throw new Error("not taken");
    return principal.ok ? ok(identity(principal.value.name, principal.value.credential)) : principal;
  }

  let logins = 0;
  const services: AuthServices = {
    gate: { authenticate, challenge: () => `Basic realm="Entrepot"` },
    directory: {
      issuers: async () => state.issuers,
      userByLogin: async (name, subject) => state.accounts.get(`${name}/${subject}`),
      createUser: async (user) => {
        if (state.taken.has(user.name)) return undefined;
        state.created.push(user);
        return { name: user.name, disabled: false };
      },
    },
    sessions,
    csrf,
    audit: {
      record: (_request, entry) => audited.push(entry),
      recordNow: async (_request, entry) => void audited.push(entry),
      recordFailedSignIn: (_request, failed: FailedSignIn) => audited.push(failed),
    },
    logins: {
      async beginLogin({ redirectUri }) {
        logins += 1;
        const url = `https://id.corp.example/authorize?redirect_uri=${encodeURIComponent(redirectUri)}`;
        return ok({ url, state: `state-${logins}`, nonce: `nonce-${logins}`, verifier: `verifier-${logins}` });
      },
      async finishLogin(answer) {
        state.finished.push({ ...answer, issuer: answer.issuer.name });
        return state.claims;
      },
    },
    loginKey: instanceHmacKey(instance, "login"),
    isReserved: (name) => name === "htuser",
    sessionSeconds: 3600,
    publicScheme,
    tokens: async (request) => Response.json({ token: request.method }),
    jwks: async () => Response.json({ keys: [] }, { headers: { "cache-control": "max-age=60" } }),
    kubeconfig: async (_request, { name }) => new Response(name),
    clock,
    log: quietLog,
  };

  return {
    time,
    state,
    audited,
    sessions,
    csrf,
    /** Asks an endpoint; a path is on this server by https. */
    ask: (path: string, init?: RequestInit) =>
      authApi(services, new Request(path.startsWith("/") ? `${ORIGIN}${path}` : path, { redirect: "manual", ...init })),
  };
}

/** The cookies that a response sets, by name: their values, empty for those it deletes. */
export function cookiesOf(response: Response): Map<string, string> {
  return new Map(
    response.headers.getSetCookie().map((cookie) => {
      const [pair = ""] = cookie.split(";");
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}
