import { API_GROUPS, type Gate, type Identity } from "./access/index.ts";
import type { Content } from "./content/index.ts";
import type { Sleep } from "./mirror/index.ts";
import type { MessageConsumer, SyncMaintenance } from "./operations/index.ts";
import type { Clock, Config, Database, Env, Fetch, Log, Outbound } from "./platform/index.ts";
import type { GroupBuilder, ResourceClient, UseRule } from "./resources/index.ts";
import {
  createNotifier,
  createRegistries,
  createWriterRights,
  DueStore,
  executionHub,
  ExecutionStore,
  forgetOld,
  IdStore,
  ItemStore,
  type LiveChannel,
  LogStore,
  MemoryStore,
  type RegistryAccess,
  registryAccess,
  resumeSilent,
  syncGroup,
  type SyncPorts,
  type SyncRestServices,
  SyncRunner,
  type TaskControl,
  taskControl,
  tick,
} from "./sync/index.ts";
import type { SecretDecrypter } from "./secrets/index.ts";

/** What mirroring is made of. */
export interface SyncServicesPorts {
  readonly env: Env;
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbound: Outbound;
  /** What the mirror's client calls by; it asks the rule of `outbound` itself. */
  readonly network: Fetch;
  readonly content: Pick<Content, "blobs" | "manifests" | "names" | "uploads">;
  /** Asked for when it is needed, not before: it is made after the groups. */
  readonly client: () => ResourceClient;
  readonly decrypter: SecretDecrypter;
  /** Someone who wrote something earlier, with what they hold now. */
  readonly standing: Gate["standing"];
  /** Asked for when it is needed, not before: it is made after the groups. */
  readonly use: () => UseRule;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/** Mirroring, put together. */
export interface Sync {
  readonly group: GroupBuilder;
  /** Does the steps of runs. */
  readonly messages: MessageConsumer;
  readonly maintenance: SyncMaintenance;
  readonly control: TaskControl;
  readonly registries: RegistryAccess;
  readonly live: LiveChannel;
  readonly executions: ExecutionStore;
  readonly items: ItemStore;
  readonly logs: LogStore;
  readonly ids: IdStore;
  /** The REST API, of what is made after the groups. */
  rest(made: Pick<SyncRestServices, "gate" | "authorizer" | "audit" | "registry" | "reportFailure">): SyncRestServices;
}

const SECOND = 1000;

export function createSync(ports: SyncServicesPorts): Sync {
  const { env, config, database, clock, log, outbound, client, decrypter, background } = ports;
  const executions = new ExecutionStore(database, clock);
  const items = new ItemStore(database, clock);
  const logs = new LogStore(database);
  const ids = new IdStore(database);
  const hub = executionHub(env.EXECUTION_HUB, log);
  const registries = createRegistries({
    client,
    decrypter,
    content: ports.content,
    readOnly: config.READ_ONLY,
    budgets: env.REGISTRY_BUDGETS,
    allowPrivate: config.OUTBOUND_PRIVATE === "allow",
    fetch: ports.network,
    clock,
    sleep,
    log,
  });
  const rights = createWriterRights({
    async standing(writer) {
      const found = await ports.standing(writer);
      return found.ok ? found.value : undefined;
    },
    use: ports.use,
    mayCopy,
  });
  const notifier = createNotifier({ rights, client, decrypter, outbound, items, logs, clock, log });
  const work: SyncPorts = {
    executions,
    due: new DueStore(database),
    items,
    logs,
    memory: new MemoryStore(database, clock),
    client,
    registries,
    rights,
    queue: env.SYNC,
    hub,
    notify: (run, task) => notifier.runEnded(run, task),
    clock,
    sleep,
    random: Math.random,
    log,
  };
  const control = taskControl(work, { background });
  const access = registryAccess(registries);
  const runner = new SyncRunner(work);
  const retention = config.SYNC_RETENTION_SECONDS * SECOND;
  return {
    group: syncGroup({
      client,
      clock,
      executions,
      items,
      logs,
      ids,
      control,
      registries: access,
      channels: notifier,
      outbound,
      mayCopy,
    }),
    messages: env.DISK === undefined ? runner : detached(runner, ports),
    maintenance: {
      tick: () => tick(work),
      resume: () => resumeSilent(work),
      async restart() {
        await executions.expireLeases();
        await resumeSilent(work);
      },
      prune: () => forgetOld(work, retention),
    },
    control,
    registries: access,
    live: hub,
    executions,
    items,
    logs,
    ids,
    rest: (made) => ({
      ...made,
      executions,
      logs,
      ids,
      decrypter,
      live: hub,
      publicScheme: config.PUBLIC_SCHEME,
      clock,
    }),
  };
}

/** Whether someone may do this to every repository of a namespace, or of all. */
function mayCopy({ policy, scope }: Identity, verb: "pull" | "push", namespace: string | undefined): boolean {
  const rule = { apiGroups: [API_GROUPS.content], resources: ["repositories"], verbs: [verb] };
  return scope === undefined && policy.uncovered([rule], namespace).length === 0;
}

/**
 * The queues of a self-host deliver one message after the other, and a step may take minutes: it is taken before it is
 * done. One that fails is found by the clock.
 */
function detached(
  runner: SyncRunner,
  { background, log }: Pick<SyncServicesPorts, "background" | "log">,
): MessageConsumer {
  return {
    attempts: runner.attempts,
    accepts: (body) => runner.accepts(body),
    giveUp: (body) => runner.giveUp(body),
    async run(body) {
      background(runner.run(body).catch((error: unknown) => log.error("sync.failed", { error })));
    },
  };
}

const sleep: Sleep = (duration, signal) =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, duration);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
