import { err, ok, type Result } from "../../platform/index.ts";
import { parseBasic } from "../basic.ts";
import { ANONYMOUS, type AuthenticationFailure, GROUPS, type Identity, type Principal } from "../identity.ts";
import type { StoredRefreshToken } from "./refresh-token-store.ts";
import type { StoredSigningKey } from "./signing-key-store.ts";
import { SigningKeys } from "./signing-keys.ts";
import { createTokenAuthenticator } from "./token-authenticator.ts";
import type { TokenServicePorts } from "./token-service.ts";
import type { FailedSignIn } from "../audit.ts";

/** The time in these tests, in milliseconds. */
export const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 250);

/** A store of signing keys that is not D1, for tests. */
export function memorySigningKeys() {
  const store = {
    keys: [] as StoredSigningKey[],
    reads: 0,
    async list(now: number) {
      store.reads += 1;
      return store.keys.filter(({ expiresAt }) => expiresAt > now).toSorted((a, b) => b.createdAt - a.createdAt);
    },
    async addUnlessNewer(key: StoredSigningKey, newerThan: number, retired: readonly string[], retiredUntil: number) {
      const isRetired = ({ kid }: StoredSigningKey) => retired.includes(kid);
      if (!store.keys.some((each) => each.createdAt > newerThan && !isRetired(each))) store.keys.push(key);
      store.keys = store.keys.map((each) =>
        isRetired(each) ? { ...each, expiresAt: Math.min(each.expiresAt, retiredUntil) } : each,
      );
      return store.list(key.createdAt);
    },
  };
  return store;
}

/** What users of the test may do: `verb repository`. */
type Rights = Map<string, Set<string>>;

/** A token service over a gate, credentials and stores of the test's own. */
export function tokenWorld({ service = "entrepot", external = false } = {}) {
  const time = { now: NOW };
  const clock = () => time.now;
  const rights: Rights = new Map([
    ["alice", new Set(["pull team-a/app", "push team-a/app", "delete team-a/app", "pull team-b/app"])],
    [ANONYMOUS, new Set(["pull public/app"])],
    ["admin", new Set(["catalog "])],
  ]);
  const passwords = new Map([
    ["alice", { text: "right", id: String(NOW - 1000) }],
    ["admin", { text: "from-settings", id: "admin-1" }],
  ]);
  const keys = new Map([["ent_key", { id: "key1", identity: "alice", expiresAt: undefined as number | undefined }]]);
  const disabled = new Set<string>();
  const seen: Request[] = [];
  const locked = { seconds: undefined as number | undefined };
  const signingKeys = new SigningKeys({ store: memorySigningKeys(), wrapper: undefined, clock });
  const refreshRows: StoredRefreshToken[] = [];
  const standing = {
    isActive: async ({ id }: { readonly id?: string }, identity: string) =>
      [...keys.values()].some((key) => key.id === id && key.identity === identity),
    isCurrent: async (user: string, id: string) => passwords.get(user)?.id === id,
  };
  const authenticator = createTokenAuthenticator({ keys: signingKeys, clock, service, standing });

  async function identify(principal: Principal): Promise<Result<Identity, AuthenticationFailure>> {
    const { name, credential, scope, expiresAt } = principal;
    if (disabled.has(name)) return err({ reason: "unauthenticated", detail: "disabled account" });
    return ok({
      name,
      groups: name === ANONYMOUS ? [GROUPS.unauthenticated] : [GROUPS.authenticated, ...principal.groups, "team:a"],
      credential,
      policy: { decide: () => ({ allowed: false, reason: "" }), mayIn: () => false, uncovered: () => [] },
      ...(scope !== undefined && { scope }),
      ...(expiresAt !== undefined && { expiresAt }),
    });
  }

  async function prove(request: Request): Promise<Result<Principal, AuthenticationFailure>> {
    if (locked.seconds !== undefined) return err({ reason: "locked-out", retryAfterSeconds: locked.seconds });
    const authorization = request.headers.get("authorization");
    if (authorization === null) {
      const session = request.headers.has("cookie");
      return ok({
        name: session ? "alice" : ANONYMOUS,
        groups: [],
        credential: { type: session ? "session" : "none" },
      });
    }
    const basic = parseBasic(authorization);
    const bearer = authorization.startsWith("Bearer ") ? authorization.slice(7) : undefined;
    const key = keys.get(basic?.password ?? bearer ?? "");
    if (key !== undefined) {
      const credential = { type: "api-key", id: key.id } as const;
      return ok({ name: key.identity, groups: [], credential, ...(key.expiresAt && { expiresAt: key.expiresAt }) });
    }
    if (basic?.password === "ci.identity.token") {
      return ok({ name: "alice", groups: [], credential: { type: "federated", id: "ci" }, expiresAt: NOW + 120_000 });
    }
    if (basic !== undefined) {
      const known = passwords.get(basic.username);
      if (known?.text !== basic.password) return err({ reason: "unauthenticated" });
      const groups = basic.username === "admin" ? [GROUPS.masters] : [];
      return ok({ name: basic.username, groups, credential: { type: "password", id: known.id } });
    }
    const result = await authenticator.authenticate({ scheme: "bearer", token: bearer ?? "" }, request);
    return result ?? err({ reason: "unauthenticated" });
  }

  const gate: TokenServicePorts["gate"] = {
    async authenticate(request) {
      seen.push(request);
      const proof = await prove(request);
      return proof.ok ? identify(proof.value) : proof;
    },
    identify,
    allows({ name, scope }, verb, repository = "") {
      const inScope =
        scope === undefined ||
        scope.some((entry) => entry.type === "repository" && entry.name === repository && entry.actions.includes(verb));
      return inScope && (rights.get(name)?.has(`${verb} ${repository}`) ?? false);
    },
  };

  const failures: FailedSignIn[] = [];
  const services: TokenServicePorts & { readonly keys: SigningKeys; readonly external: boolean } = {
    gate,
    audit: { recordFailedSignIn: (_request, failed) => void failures.push(failed) },
    keys: signingKeys,
    clock,
    service,
    ttlSeconds: 300,
    external,
    refresh: {
      store: {
        add: async (row) => void refreshRows.push(row),
        byHash: async (hash) => refreshRows.find((row) => row.hash === hash),
      },
      standing,
      clock,
      service,
      ttlSeconds: 3600,
    },
  };
  return {
    services,
    gate,
    time,
    rights,
    passwords,
    keys,
    disabled,
    seen,
    locked,
    failures,
    authenticator,
    refreshRows,
    signingKeys,
  };
}

/** The header of Basic. */
export function basic(username: string, password: string): string {
  return `Basic ${btoa(`${username}:${password}`)}`;
}
