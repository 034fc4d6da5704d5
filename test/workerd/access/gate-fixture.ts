import {
  type Account,
  ANONYMOUS,
  type AuditEntry,
  createGate,
  type Gate,
  type Grant,
  GROUPS,
  type Principal,
} from "../../../src/access/index.ts";
import { quietLog } from "../fixture.ts";

/** A rule of the actions of `/v2`. */
export function repositoriesRule(verbs: readonly string[], names?: readonly string[]): Grant["rules"][number] {
  const resourceNames = names === undefined ? {} : { resourceNames: names };
  return { apiGroups: ["content.entrepot.dev"], resources: ["repositories"], verbs, ...resourceNames };
}

/** A grant of rules, in a namespace or everywhere. */
export function grant(rules: Grant["rules"], namespace?: string): Grant {
  return { rules, source: "test", ...(namespace === undefined ? {} : { namespace }) };
}

/** Who there is, and what they may do. Both may be changed while the gate is in use. */
export interface World {
  readonly grants: Record<string, readonly Grant[]>;
  readonly publicNamespaces: Set<string>;
  /** What a bearer token proves. */
  readonly tokens: Record<string, Pick<Principal, "name" | "scope">>;
  generation: number;
}

/** The real gate over users of whom the name is the password, and tokens that the test knows. */
export function worldGate(world: World): Gate {
  return createGate({
    audit: { recordFailedSignIn() {} },
    settings: {
      access: "closed",
      accessAssertion: false,
      challenge: { kind: "token", service: "entrepot" },
    },
    directory: {
      generation: async () => String(world.generation),
      account: async (name): Promise<Account | undefined> =>
        Object.hasOwn(world.grants, name) ? { name, disabled: false } : undefined,
      teams: async () => [],
      grants: async (name) => world.grants[name] ?? [],
      clusterRole: async () => undefined,
      publicNamespaces: async () => world.publicNamespaces,
    },
    authenticators: [
      {
        name: "test",
        async authenticate(credential) {
          if (credential.scheme === "bearer") {
            const known = world.tokens[credential.token];
            if (known === undefined) return { ok: false, error: { reason: "unauthenticated" } };
            const groups = known.name === ANONYMOUS ? [GROUPS.unauthenticated] : [];
            const vouched = known.name === ANONYMOUS ? { vouched: true as const } : {};
            return { ok: true, value: { groups, ...vouched, ...known, credential: { type: "token" } } };
          }
          if (credential.scheme !== "basic") return undefined;
          const { username, password } = credential.basic;
          if (username === "locked") {
            return { ok: false, error: { reason: "locked-out", retryAfterSeconds: 30 } };
          }
          return username === password
            ? { ok: true, value: { name: username, groups: [], credential: { type: "password" } } }
            : { ok: false, error: { reason: "unauthenticated" } };
        },
      },
    ],
    settingsAccount: () => undefined,
    configured: async () => true,
    address: () => undefined,
    clock: Date.now,
    log: quietLog,
  });
}

/** The header of a user. */
export function as(user: string): Record<string, string> {
  return { authorization: `Basic ${new TextEncoder().encode(`${user}:${user}`).toBase64()}` };
}

/** An audit that remembers. */
export function listAudit() {
  const entries: AuditEntry[] = [];
  return { entries, audit: { record: (_request: Request, entry: AuditEntry) => void entries.push(entry) } };
}
