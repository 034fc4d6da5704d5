import type { ScopeAccess } from "../../../src/oci/index.ts";
import {
  type AuditEntry,
  createGate,
  CredentialStore,
  type CredentialUse,
  GROUPS,
  type Identity,
  keyAuthenticator,
  KeyStore,
  parseHtpasswd,
  passwordAuthenticator,
  PasswordHasher,
  passwordIds,
  PasswordStore,
  settingsAccounts,
} from "../../../src/access/index.ts";
import {
  decidesAccess,
  DirectoryStore,
  displayAuthorizer,
  displayRoute,
  iamGroup,
  mayActAsBy,
  ownAccountAuthorizer,
  ResourceDirectory,
  serviceAccountKind,
  userKind,
} from "../../../src/iam/index.ts";
import {
  authorizerChain,
  createResources,
  type ResourceClient,
  resourceApi,
  roleAuthorizer,
  scopeAuthorizer,
  systemAuthorizer,
  WatchLimit,
} from "../../../src/resources/index.ts";
import { SECURE_VALUES } from "../../../src/secrets/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";
import { kubeconfigHandler } from "../../../src/auth/kubeconfig.ts";

export const IAM_PATH = "/apis/iam.entrepot.dev/v1";

/** Who calls, if not by a credential of the platform's own. */
export interface Caller {
  readonly name: string;
  readonly root?: boolean;
  readonly type?: CredentialUse["type"];
  readonly scope?: readonly ScopeAccess[];
  /** The issuer by which they signed in; they need a User then. */
  readonly issuer?: string;
}

/** Administrators may do everything. */
export const ROOT: Caller = { name: "root", root: true };

export interface AccountOptions {
  readonly hasAdmin?: boolean;
  /** `HTPASSWD`. */
  readonly users?: string;
}

/** Accounts on the real kernel, database and gate, with a clock that the test turns. */
export function accountPlatform({ hasAdmin = true, users }: AccountOptions = {}) {
  const time = { now: Date.now() };
  const clock = () => time.now;
  const database = bindings.DB;
  const client = (): ResourceClient => resources.client;
  const background: Promise<unknown>[] = [];
  const keys = new KeyStore(database, clock);
  const credentials = new CredentialStore(database, clock);
  const passwords = new PasswordStore(database, clock);
  const hasher = new PasswordHasher({ cost: { ln: 4, r: 1, p: 1 } });
  const htpasswd = users === undefined ? undefined : parseHtpasswd(users);
  const settingsAccount = settingsAccounts({ hasAdmin, htpasswd, htpasswdRole: "pusher" });
  const directory = new ResourceDirectory({
    store: new DirectoryStore(database),
    client,
    clock,
    log: quietLog,
    staleness: 0,
  });
  const settings = { adminPassword: hasAdmin ? "admin-password" : undefined, htpasswd };
  const password = passwordAuthenticator({
    ...settings,
    passwords,
    hasher,
    ids: passwordIds({ ...settings, passwords, hasher, salt: async () => new Uint8Array(32) }),
    hashing: async (work) => ({ ok: true, value: await work() }),
    guard: {
      check: async () => ({ admitted: true }),
      failed: async () => {},
      dropped: async () => {},
      succeeded: async () => {},
    },
    address: () => undefined,
    clock,
    sleep: async () => {},
  });
  const ports = {
    keys,
    credentials,
    clock,
    client,
    settingsAccount,
    mayActAs: mayActAsBy(directory, settingsAccount),
    passwords: {
      set: async (user: string, text: string) => passwords.set(user, await hasher.hash(text)),
      delete: (user: string) => passwords.delete(user),
    },
    checkPassword: (...given: Parameters<typeof password.check>) => password.check(...given),
  };
  const callers = new Map<string, Caller>();
  const gate = createGate({
    audit: { recordFailedSignIn() {} },
    settings: { access: "closed", accessAssertion: false, challenge: { kind: "basic", service: "entrepot" } },
    directory,
    authenticators: [
      keyAuthenticator({ keys, clock, log: quietLog, background: (work) => background.push(work) }),
      {
        name: "test",
        async authenticate(credential) {
          const caller = credential.scheme === "bearer" ? callers.get(credential.token) : undefined;
          if (caller === undefined) return undefined;
          const { name, root, type = "password", scope, issuer } = caller;
          const groups = root === true ? [GROUPS.masters] : [];
          const proven = issuer === undefined ? { vouched: true as const } : { issuer };
          return { ok: true, value: { name, groups, credential: { type }, ...proven, ...(scope && { scope }) } };
        },
      },
      password,
    ],
    settingsAccount,
    configured: async () => true,
    address: () => undefined,
    clock,
    log: quietLog,
  });
  const authorizer = authorizerChain([
    scopeAuthorizer,
    systemAuthorizer,
    ownAccountAuthorizer,
    displayAuthorizer,
    roleAuthorizer(gate),
  ]);
  const resources = createResources({
    secretKind: SECURE_VALUES,
    database,
    clock,
    log: quietLog,
    hubs: bindings.WATCH_HUBS,
    enqueue: async () => {},
    background: (work) => void background.push(work),
    staleness: 0,
    authorizer: () => authorizer,
    groups: [
      iamGroup({
        client,
        directory,
        mayActAs: ports.mayActAs,
        accounts: [userKind(ports), serviceAccountKind(ports)],
        routes: [displayRoute(client)],
      }),
    ],
    changed(kind) {
      if (decidesAccess(kind)) directory.forget();
    },
  });
  const services = {
    gate,
    audit: { record: (_request: Request, _entry: AuditEntry) => {} },
    registry: resources.registry,
    authorizer,
    clock,
    stopping: () => false,
    watches: new WatchLimit(100, Date.now),
    defer: async () => {},
    rest: async () => {},
    reportFailure: () => "failure",
  };
  const kubeconfig = kubeconfigHandler({
    keys,
    accounts: directory,
    clock,
    settingsAccount,
    config: { PUBLIC_SCHEME: "https", PUBLIC_CA: "certificate" },
  });

  function requestAs(as: Caller | string | undefined, path: string, init: RequestInit = {}): Request {
    const headers = new Headers(init.headers);
    if (typeof as === "string") headers.set("authorization", as);
    else if (as !== undefined) {
      const token = btoa(JSON.stringify(as)).replaceAll("=", "");
      callers.set(token, as);
      headers.set("authorization", `Bearer ${token}`);
    }
    return new Request(`http://registry${path}`, { ...init, headers });
  }

  /** Sends a request; `as` may be the text of `Authorization`. A body that is an object is sent as JSON. */
  async function api(as: Caller | string | undefined, method: string, path: string, body?: unknown, type?: string) {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { "content-type": type ?? "application/json" };
    }
    const response = await resourceApi(services, requestAs(as, path, init));
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text, text };
  }

  return {
    time,
    keys,
    credentials,
    passwords,
    directory,
    resources,
    api,
    /** Who the credential is of, or why of nobody. */
    async whoami(authorization: string): Promise<string> {
      const identity = await gate.authenticate(requestAs(authorization, "/v2/"));
      if (identity.ok) return identity.value.name;
      return identity.error.reason === "unauthenticated" ? (identity.error.detail ?? "") : identity.error.reason;
    },
    async identity(authorization: string): Promise<Identity> {
      const identity = await gate.authenticate(requestAs(authorization, "/v2/"));
      if (!identity.ok) throw new Error(JSON.stringify(identity.error));
      return identity.value;
    },
    async kubeconfig(as: Caller | string | undefined, path = "/auth/kubeconfig") {
      const request = requestAs(as, path, { method: "POST" });
      const identity = await gate.authenticate(request);
      if (!identity.ok) throw new Error(JSON.stringify(identity.error));
      return kubeconfig(request, identity.value);
    },
    async settle() {
      for (const work of background.splice(0)) await work;
    },
    /** Makes an object as an administrator. */
    async make(path: string, kind: string, name: string, content: object = {}) {
      const object = { apiVersion: "iam.entrepot.dev/v1", kind, metadata: { name }, spec: content };
      const answer = await api(ROOT, "POST", `${IAM_PATH}/${path}`, object);
      if (answer.status !== 201) throw new Error(answer.text);
      return answer;
    },
    /** Makes a key as an administrator. `path` is of the account. */
    async key(path: string, body: object = {}): Promise<{ readonly id: string; readonly token: string }> {
      const answer = await api(ROOT, "POST", `${IAM_PATH}/${path}/tokens`, body);
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.body as { readonly id: string; readonly token: string };
    },
  };
}

export type AccountPlatform = ReturnType<typeof accountPlatform>;

export const bearer = (token: string): string => `Bearer ${token}`;
export const basic = (user: string, password: string): string =>
  `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}`;
