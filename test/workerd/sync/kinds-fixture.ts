import { type AuditEntry, type Gate, systemIdentity } from "../../../src/access/index.ts";
import { Outbound } from "../../../src/platform/index.ts";
import { createResources, type ResourceClient, resourceApi, WatchLimit } from "../../../src/resources/index.ts";
import { SECURE_VALUES } from "../../../src/secrets/index.ts";
import {
  ExecutionStore,
  IdStore,
  ItemStore,
  LogStore,
  type Preview,
  type RegistryTest,
  type StoredExecution,
  syncGroup,
  type SyncTask,
  type TaskControl,
} from "../../../src/sync/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

/** What the parts behind the kinds answer, and what they were asked. */
export interface Fakes {
  test: RegistryTest;
  names: readonly string[] | undefined;
  preview: Preview | undefined;
  /** What the writer of a registry may not use, and where the writer of a task may not copy. */
  readonly forbiddenSecrets: Set<string>;
  readonly forbiddenCopies: Set<string>;
  readonly asked: unknown[];
}

/** The kinds of mirroring on the real kernel and database, with a clock that the test turns. */
export function syncPlatform(namespace: string) {
  const time = { now: Date.now() };
  const clock = () => time.now;
  const database = bindings.DB;
  const executions = new ExecutionStore(database, clock);
  const items = new ItemStore(database, clock);
  const logs = new LogStore(database);
  const ids = new IdStore(database);
  const fakes: Fakes = {
    test: { ok: true, message: "signed in", capabilities: { catalog: true } },
    names: ["library/nginx", "library/redis"],
    preview: { items: [], truncated: false, warnings: [] },
    forbiddenSecrets: new Set(),
    forbiddenCopies: new Set(),
    asked: [],
  };
  const control: TaskControl = {
    async run({ metadata, spec }: SyncTask, { dryRun, ...options }) {
      fakes.asked.push({ run: metadata.name, ...options, ...(dryRun === true ? { dryRun } : {}) });
      if (spec?.source.registry === "unknown")
        return { ok: false, error: { reason: "invalid", message: "no registry" } };
      const begun = await executions.begin({
        namespace,
        task: metadata.name,
        taskUid: metadata.uid,
        ...options,
        ...(dryRun === undefined ? {} : { dryRun }),
      });
      if (begun.outcome === "begun") return { ok: true, value: begun.execution };
      if (begun.outcome === "claimed") throw new Error("claimed");
      return { ok: false, error: { reason: "running", execution: begun.execution } };
    },
    async stop({ id }: StoredExecution) {
      return executions.requestStop(id);
    },
    changed() {},
    async preview(_task, { limit, tags }) {
      fakes.asked.push({ limit, tags });
      return fakes.preview === undefined
        ? { ok: false, error: { reason: "unavailable", message: "hub does not answer" } }
        : { ok: true, value: fakes.preview };
    },
  };
  const names = async () =>
    fakes.names === undefined
      ? { ok: false as const, error: { message: "hub does not answer" } }
      : { ok: true as const, value: fakes.names };
  const client = (): ResourceClient => resources.client;
  const resources = createResources({
    secretKind: SECURE_VALUES,
    database,
    clock,
    log: quietLog,
    hubs: bindings.WATCH_HUBS,
    enqueue: async () => {},
    background: (work) => void work.catch(() => {}),
    staleness: 0,
    authorizer:
      () =>
      async ({ resource, name }) => ({
        decision: resource === "securevalues" && fakes.forbiddenSecrets.has(name) ? "no-opinion" : "allow",
      }),
    groups: [
      syncGroup({
        client,
        clock,
        executions,
        items,
        logs,
        ids,
        control,
        registries: {
          test: async () => fakes.test,
          projects: names,
          async repositories(_namespace, _name, options) {
            fakes.asked.push(options);
            return names();
          },
        },
        channels: { test: async () => ({ ok: true, message: "sent" }) },
        outbound: new Outbound({ fetch: async () => new Response(), allowPrivate: false }),
        mayCopy: (_context, verb, place) => !fakes.forbiddenCopies.has(`${verb} ${place ?? "*"}`),
        pollInterval: 20,
      }),
    ],
  });
  const services = {
    gate: {
      authenticate: async () => ({ ok: true, value: systemIdentity("alice") }),
    } as unknown as Gate,
    audit: { record: (_request: Request, _entry: AuditEntry) => {} },
    registry: resources.registry,
    authorizer: async () => ({ decision: "allow" as const }),
    clock,
    stopping: () => false,
    watches: new WatchLimit(100, Date.now),
    defer: async () => {},
    rest: async () => {},
    reportFailure: () => "failure",
  };
  const base = `/apis/sync.entrepot.dev/v1/namespaces/${namespace}`;

  async function request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { "content-type": "application/json", ...headers };
    }
    return resourceApi(services, new Request(`http://entrepot.example.com${base}${path}`, init));
  }

  /** Sends a request to a path below the namespace. */
  async function api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await request(method, path, body, headers);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true && text !== "";
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  async function make(kind: string, plural: string, name: string, spec: object) {
    const object = { apiVersion: "sync.entrepot.dev/v1", kind, metadata: { name }, spec };
    return api("POST", `/${plural}`, object);
  }

  return {
    time,
    executions,
    items,
    logs,
    ids,
    fakes,
    client,
    api,
    request,
    registry: (name: string, spec: object) => make("Registry", "registries", name, spec),
    channel: (name: string, spec: object) => make("NotificationChannel", "notificationchannels", name, spec),
    task: (name: string, spec: object) => make("SyncTask", "synctasks", name, spec),
    /** Runs a task, and answers the Execution's name and id. */
    async run(task: string): Promise<{ readonly name: string; readonly id: number }> {
      const answer = await api("POST", `/synctasks/${task}/run`);
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
      return { name: answer.body.metadata.name, id: answer.body.spec.id };
    },
  };
}

/** A task that has nothing but what it must. */
export const PLAIN_TASK = {
  source: { registry: "hub", repository: "library/nginx" },
  targets: [{ registry: "local", repository: "mirror/{{ .Base }}" }],
};
