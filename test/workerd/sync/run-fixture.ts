import { createContent, R2BlobStore } from "../../../src/content/index.ts";
import { MemoryRegistry } from "../../../src/mirror/memory-registry.fixture.ts";
import { type Registry, RegistryError } from "../../../src/mirror/index.ts";
import { type Database, InstanceStore, Outbound, parseConfig } from "../../../src/platform/index.ts";
import { createResources, type ResourceClient, systemAuthorizer } from "../../../src/resources/index.ts";
import { SECURE_VALUES } from "../../../src/secrets/index.ts";
import {
  DueStore,
  ExecutionStore,
  IdStore,
  ItemStore,
  LogStore,
  MemoryStore,
  registryAccess,
  resumeSilent,
  type StoredExecution,
  SYNC_API_VERSION,
  SYNC_TASKS,
  syncGroup,
  type SyncPorts,
  SyncRunner,
  type SyncTask,
  type SyncTaskSpec,
  type SyncTaskStatus,
  taskControl,
  tick,
} from "../../../src/sync/index.ts";
import { createLocalRegistry } from "../../../src/sync/local/index.ts";
import { bindings, retries } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

interface Sent {
  readonly body: unknown;
  /** When it is to be delivered, in milliseconds since the Unix epoch. */
  readonly at: number;
}

let worlds = 0;

/** Mirroring over the real database and the real kinds, with registries in memory, a queue and a clock of the test. */
export function syncWorld(more: Partial<SyncPorts> = {}, database: Database = bindings.DB) {
  worlds += 1;
  const namespace = `mirror-${worlds}-${Math.random().toString(36).slice(2, 8)}`;
  const time = { now: Date.now() };
  const clock = () => time.now;
  const messages: Sent[] = [];
  const send = (body: unknown, delaySeconds = 0): void => {
    messages.push({ body, at: time.now + 1000 * delaySeconds });
  };
  const queue = {
    send: async (body: unknown, options?: { delaySeconds?: number }) => send(body, options?.delaySeconds),
    sendBatch: async (batch: Iterable<{ body: unknown }>) => {
      for (const { body } of batch) send(body);
    },
  } as unknown as SyncPorts["queue"];
  const source = new MemoryRegistry({ name: "hub" });
  const target = new MemoryRegistry({ name: "mirror" });
  const content = createContent({
    config: parseConfig({}),
    database,
    store: new R2BlobStore(bindings.BLOBS, retries),
    sessions: bindings.UPLOAD_SESSIONS,
    instance: new InstanceStore(database, undefined),
    retries,
    edge: undefined,
    clock,
    log: quietLog,
    background: (work) => void work.catch(() => {}),
  });
  const ended: StoredExecution[] = [];
  /** Why no task may do anything, if it may not. */
  const rights: { refusal: string | undefined } = { refusal: undefined };
  const lines: { execution: number; level: string; message: string }[] = [];
  const executions = new ExecutionStore(database, clock);
  const items = new ItemStore(database, clock);
  const logs = new LogStore(database);
  const client = (): ResourceClient => resources.client;
  const ports: SyncPorts = {
    executions,
    due: new DueStore(database),
    items,
    logs,
    memory: new MemoryStore(database, clock),
    client,
    registries: {
      async open({ name, mayUse, meter }): Promise<Registry> {
        const onCall = () => meter?.query(3);
        // `alias` is this registry as well, by a name of which no right speaks.
        if (name === "local" || name === "alias")
          return createLocalRegistry({ content, name, readOnly: false, mayUse, onCall });
        const found = [source, target].find((registry) => registry.name === name);
        if (found === undefined) throw new RegistryError("missing", `there is no Registry ${name}`);
        return found;
      },
    },
    rights: { refusal: async () => rights.refusal },
    queue,
    hub: {
      report: async (execution, { counts = {}, lines: more = [] }) => {
        for (const { level, message } of more) lines.push({ execution, level, message });
        await executions.count(execution, counts);
      },
      tell: async () => {},
    },
    notify: async (run) => void ended.push(run),
    clock,
    sleep: async () => {},
    random: () => 0.5,
    log: quietLog,
    pollInterval: 20,
    ...more,
  };
  const control = taskControl(ports, { background: (work) => void work.catch(() => {}) });
  const resources = createResources({
    secretKind: SECURE_VALUES,
    database,
    clock,
    log: quietLog,
    hubs: bindings.WATCH_HUBS,
    enqueue: async () => {},
    background: (work) => void work.catch(() => {}),
    staleness: 0,
    authorizer: () => systemAuthorizer,
    groups: [
      syncGroup({
        client,
        clock,
        executions,
        items,
        logs,
        ids: new IdStore(database),
        control,
        registries: registryAccess(ports.registries),
        channels: { test: async () => ({ ok: true, message: "sent" }) },
        outbound: new Outbound({ fetch: async () => new Response(), allowPrivate: true }),
        mayCopy: () => true,
      }),
    ],
  });
  const runner = new SyncRunner(ports);

  /** Delivers the messages that are due, those that they send included. Answers how many. */
  async function deliver(most = 1000): Promise<number> {
    let count = 0;
    for (; count < most; count += 1) {
      const index = messages.findIndex(({ at }) => at <= time.now);
      if (index < 0) break;
      const [message] = messages.splice(index, 1);
      await runner.run(message?.body);
    }
    return count;
  }

  /** Delivers everything, however long it has to wait. */
  async function settle(): Promise<void> {
    for (let count = 0; count < 100 && messages.length > 0; count += 1) {
      await deliver();
      const next = Math.min(...messages.map(({ at }) => at));
      if (Number.isFinite(next)) time.now = Math.max(time.now, next);
    }
  }

  return {
    namespace,
    time,
    source,
    target,
    content,
    ports,
    control,
    runner,
    messages,
    ended,
    lines,
    rights,
    deliver,
    settle,
    tick: () => tick(ports),
    resume: () => resumeSilent(ports),
    task: async (name: string, spec: object): Promise<SyncTask> =>
      resources.client.create<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, {
        apiVersion: SYNC_API_VERSION,
        kind: "SyncTask",
        metadata: { name, namespace },
        spec: spec as SyncTaskSpec,
      }),
    read: async (name: string): Promise<SyncTask> => {
      const found = await resources.client.find<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, { namespace, name });
      if (found === undefined) throw new Error(`no task ${name}`);
      return found;
    },
    async run(task: SyncTask, options: { onlyFailedOf?: number; dryRun?: boolean } = {}): Promise<StoredExecution> {
      const begun = await control.run(task, { cause: "manual", actor: "alice", ...options });
      if (!begun.ok) throw new Error(JSON.stringify(begun.error));
      return begun.value;
    },
    async execution(id: number): Promise<StoredExecution> {
      const found = await executions.get(id);
      if (found === undefined) throw new Error(`no execution ${id}`);
      return found;
    },
  };
}

/** A task from `hub` to `mirror` of one repository. */
export const COPY_APP = {
  source: { registry: "hub", repository: "team/app" },
  targets: [{ registry: "mirror" }],
  retry: { attempts: 3, initial: "1s", maximum: "10s" },
};
