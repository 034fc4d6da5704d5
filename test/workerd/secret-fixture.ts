import { systemIdentity } from "../../src/access/index.ts";
import { type Clock, type Log, Outbound, type OutboundPorts } from "../../src/platform/index.ts";
import type { ResourceClient } from "../../src/resources/client.ts";
import { DependentCollector } from "../../src/resources/upkeep/dependent-collector.ts";
import { GeneralStorage } from "../../src/resources/storage/general-storage.ts";
import type { ResourceInput, ResourceObject } from "../../src/resources/objects/object.ts";
import type { ObjectRef } from "../../src/resources/objects/object-ref.ts";
import { OwnerStore } from "../../src/resources/storage/owner-store.ts";
import { ResourceRegistry } from "../../src/resources/kinds/resource-registry.ts";
import { ResourceStore } from "../../src/resources/storage/resource-store.ts";
import { systemAuthorizer } from "../../src/resources/authorizer.ts";
import { createUseRule } from "../../src/resources/use/index.ts";
import { createSecrets, SECURE_VALUES, type SecureValueSpec } from "../../src/secrets/index.ts";
import { StatusError } from "../../src/resources/status-error.ts";
import type { RequestContext, Storage, WatchFrame } from "../../src/resources/storage/storage.ts";
import { bindings } from "./bindings.ts";

export const HOUR = 3_600_000;

/** A key for `SECRETS_KEY`. */
export function masterKey(id: string): string {
  return `${id}:${crypto.getRandomValues(new Uint8Array(32)).toBase64()}`;
}

export function requestContext(given: Partial<RequestContext> = {}): RequestContext {
  return { identity: systemIdentity("tester"), dryRun: false, fieldManager: "test", warn: () => {}, ...given };
}

/** What was logged, as text. */
export interface Recorded {
  readonly lines: string[];
}

export interface PlatformOptions {
  readonly secretsKey?: string | undefined;
  readonly now?: Clock;
  readonly outbound?: Partial<OutboundPorts>;
}

/** Secrets on the real general storage and the real database: another call on the same database is another isolate. */
export function secretPlatform(options: PlatformOptions = {}) {
  const clock = options.now ?? Date.now;
  const recorded: Recorded = { lines: [] };
  const note = (event: string, fields?: unknown) => void recorded.lines.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const store = new ResourceStore(bindings.DB, clock);
  const owners = new OwnerStore(bindings.DB);
  const context = requestContext();
  const dependents = new DependentCollector({
    store,
    owners,
    log,
    enqueue: async () => {},
    storageOf: async () => undefined,
    context,
  });
  const frames: WatchFrame[] = [];
  const use = createUseRule({
    authorizer: () => systemAuthorizer,
    resource: (group, plural) => registry.resource(group, plural),
    secretKind: SECURE_VALUES,
    context,
  });
  const registry: ResourceRegistry = new ResourceRegistry((kind, admission, hooks) => {
    const ports = {
      store,
      owners,
      clock,
      changed: () => {},
      dependents,
      async *watch() {
        yield* frames;
      },
      use,
      withhold: async (_kind: unknown, input: ResourceInput) => input,
    };
    return new GeneralStorage(kind, admission, ports, hooks);
  }, use);
  const client = {
    async find(kind: { readonly group: string; readonly plural: string }, ref: ObjectRef) {
      const storage = (await registry.resource(kind.group, kind.plural))?.storage;
      try {
        return await storage?.get?.(context, ref);
      } catch (error) {
        if (error instanceof StatusError && error.reason === "NotFound") return undefined;
        throw error;
      }
    },
  } as unknown as ResourceClient;
  const outbound = new Outbound({
    fetch: async () => new Response(null, { status: 404 }),
    allowPrivate: false,
    sleep: async () => {},
    ...options.outbound,
  });
  const secrets = createSecrets({
    database: bindings.DB,
    clock,
    log,
    outbound,
    secretsKey: "secretsKey" in options ? options.secretsKey : DEFAULT_KEY,
    client: () => client,
    grace: HOUR,
  });
  registry.register(secrets.group);
  return {
    ...secrets,
    recorded,
    frames,
    registry,
    client,
    async storage(plural: "securevalues" | "keepers"): Promise<Required<Storage>> {
      const found = await registry.resource("secret.entrepot.dev", plural);
      return found?.storage as Required<Storage>;
    },
  };
}

const DEFAULT_KEY = masterKey("test");

/** A SecureValue as a client sends it. */
export function secureValue(name: string, spec: Partial<SecureValueSpec> & Record<string, unknown>): ResourceInput {
  return { apiVersion: "secret.entrepot.dev/v1", kind: "SecureValue", metadata: { name }, spec };
}

/** Every row of every table, as text. */
export async function databaseText(): Promise<string> {
  const { results: tables } = await bindings.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ name: string }>();
  const rows = await Promise.all(tables.map(({ name }) => bindings.DB.prepare(`SELECT * FROM "${name}"`).all()));
  return JSON.stringify(rows.map(({ results }) => results));
}

/** Rows of `secret_values` of one SecureValue. */
export async function valueRows(name: string) {
  const { results } = await bindings.DB.prepare(
    "SELECT id, version, data_key, ciphertext, inactive_at FROM secret_values WHERE name = ?1 ORDER BY version",
  )
    .bind(name)
    .all<{ id: string; version: number; data_key: string; ciphertext: string; inactive_at: number | null }>();
  return results;
}

export function statusOf(object: ResourceObject): unknown {
  return object.status;
}
