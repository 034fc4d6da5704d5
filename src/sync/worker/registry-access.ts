import {
  createRemoteRegistry,
  type Credential,
  type Registry,
  registryAddress,
  RegistryError,
  type Sleep,
} from "../../mirror/index.ts";
import { type Clock, err, type Fetch, type Log, ok, type Result } from "../../platform/index.ts";
import type { ResourceClient } from "../../resources/index.ts";
import { LOCAL_REGISTRY, REGISTRIES, SYNC_GROUP } from "../kinds/names.ts";
import type { AccessFailure, RegistryAccess } from "../kinds/ports.ts";
import { registrySecrets, type RegistrySpec } from "../kinds/registry.ts";
import { createLocalRegistry, type LocalRegistryPorts } from "../local/index.ts";
import { budgetName, Gates, WorkerBudget } from "./budget.ts";
import { CallMeter } from "./call-meter.ts";
import type { RegistryBudgetCalls } from "./registry-budget.ts";
import type { SecretDecrypter } from "../../secrets/index.ts";

/** How a registry is to be used. */
export interface RegistryUse {
  readonly namespace: string;
  /** Of the Registry object, or `local`. */
  readonly name: string;
  /** Whether a namespace of this registry itself may be read from or written to. */
  readonly mayUse: LocalRegistryPorts["mayUse"];
  /** Ends everything that is under way. */
  readonly signal: AbortSignal;
  /** Counts what is called, if that has to be bounded. */
  readonly meter?: CallMeter;
}

/** Opens registries by the names of their objects. */
export interface Registries {
  /** @throws RegistryError "missing" if there is no such object, "denied" if its secrets cannot be read */
  open(use: RegistryUse): Promise<Registry>;
}

/** What opening registries works with. */
export interface RegistriesPorts {
  /** Asked for when it is needed, not before: it may be made after this. */
  readonly client: () => ResourceClient;
  readonly decrypter: SecretDecrypter;
  readonly content: LocalRegistryPorts["content"];
  readonly readOnly: boolean;
  readonly budgets: DurableObjectNamespace;
  readonly allowPrivate: boolean;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly log: Log;
}

/** Queries of the database that a call of this registry itself makes, about. */
const LOCAL_QUERIES = 3;

export function createRegistries(ports: RegistriesPorts): Registries {
  const gates = new Gates();
  return {
    async open({ namespace, name, mayUse, signal, meter = new CallMeter() }) {
      const { content, readOnly, client, clock, sleep, log } = ports;
      const onCall = () => meter.query(LOCAL_QUERIES);
      const local = () => createLocalRegistry({ content, name, readOnly, mayUse, onCall });
      if (name === LOCAL_REGISTRY) return local();
      const object = await client().find<RegistrySpec>(REGISTRIES, { namespace, name });
      const spec = object?.spec;
      if (spec === undefined) throw new RegistryError("missing", `there is no Registry ${name} in ${namespace}`);
      if (spec.type === "local") return local();
      const { url = "", type, insecure, rateLimit, concurrency } = spec;
      const budget = budgetName(registryAddress(url, insecure)?.href ?? url, whoAsks(namespace, spec));
      const fetch: Fetch = (address, init) =>
        gates.within(budget, concurrency, { sleep, signal: init.signal ?? signal }, () => ports.fetch(address, init));
      return createRemoteRegistry({
        name,
        url,
        type,
        insecure,
        credential: await credentialOf(namespace, name, spec, ports.decrypter),
        allowPrivate: ports.allowPrivate,
        fetch,
        budget: new WorkerBudget({
          calls: ports.budgets.get(ports.budgets.idFromName(budget)) as unknown as RegistryBudgetCalls,
          registry: name,
          rule: { qps: rateLimit.qps },
          clock,
          sleep,
          log,
          meter,
        }),
        clock,
        signal,
      });
    },
  };
}

/** Who a registry takes a caller for, without a secret: all of those share its limits. */
function whoAsks(namespace: string, { username, tokenRef, ecr }: RegistrySpec): readonly (string | undefined)[] {
  if (username !== undefined) return ["user", username];
  if (tokenRef !== undefined) return ["token", namespace, tokenRef.name];
  return ecr === undefined ? ["anonymous"] : ["ecr", namespace, ecr.accessKeyIdRef.name];
}

/** @throws RegistryError "denied" */
async function credentialOf(
  namespace: string,
  registry: string,
  spec: RegistrySpec,
  decrypter: SecretDecrypter,
): Promise<Credential> {
  const names = registrySecrets(spec);
  const values = names.length === 0 ? new Map() : await decrypter.decrypt(SYNC_GROUP, namespace, names);
  const secret = ({ name }: { readonly name: string }): string => {
    const value: Result<string, string> | undefined = values.get(name);
    if (value?.ok === true) return value.value;
    const reason = value?.error ?? "not-found";
    const hint = reason === "not-authorized" ? `: it does not list ${SYNC_GROUP} among its decrypters` : "";
    throw new RegistryError("denied", `${registry}: the SecureValue ${name} cannot be read (${reason})${hint}`);
  };
  const { username, passwordRef, tokenRef, ecr } = spec;
  if (ecr !== undefined) {
    return {
      kind: "ecr",
      accessKeyId: secret(ecr.accessKeyIdRef),
      secretAccessKey: secret(ecr.secretAccessKeyRef),
      ...(ecr.sessionTokenRef === undefined ? {} : { sessionToken: secret(ecr.sessionTokenRef) }),
      ...(ecr.region === undefined ? {} : { region: ecr.region }),
    };
  }
  if (tokenRef !== undefined) return { kind: "token", token: secret(tokenRef) };
  if (username === undefined || passwordRef === undefined) return { kind: "anonymous" };
  return { kind: "basic", username, password: secret(passwordRef) };
}

/** How long trying out a registry may take, in milliseconds. */
const PATIENCE = 30_000;

/** Tests and lists registries for the API. This registry itself shows the namespace of the one who asks. */
export function registryAccess(registries: Registries): RegistryAccess {
  const open = (namespace: string, name: string): Promise<Registry> =>
    registries.open({
      namespace,
      name,
      mayUse: (verb, place) => verb === "pull" && place === namespace,
      signal: AbortSignal.timeout(PATIENCE),
    });
  const tried = async <T>(work: () => Promise<T>): Promise<Result<T, AccessFailure>> => {
    try {
      return ok(await work());
    } catch (error) {
      if (error instanceof RegistryError) return err({ message: error.message });
      if (error instanceof DOMException && error.name === "TimeoutError") {
        return err({ message: `no answer within ${PATIENCE / 1000} seconds` });
      }
      throw error;
    }
  };
  return {
    async test(namespace, name) {
      const tested = await tried(async () => {
        const registry = await open(namespace, name);
        await registry.check();
        return registry.capabilities();
      });
      if (!tested.ok) return { ok: false, message: tested.error.message };
      return { ok: true, message: "the registry answered", capabilities: { ...tested.value } };
    },
    projects: (namespace, name) => tried(async () => (await open(namespace, name)).projects()),
    repositories: (namespace, name, { project, limit }) =>
      tried(async () => {
        const found: string[] = [];
        const registry = await open(namespace, name);
        for await (const page of registry.repositories(project)) {
          found.push(...page);
          if (found.length >= limit) break;
        }
        return found.slice(0, limit);
      }),
  };
}
