import { z } from "zod";
import { systemIdentity } from "../../../src/access/index.ts";
import type { Clock, Database } from "../../../src/platform/index.ts";
import { parseFieldSelector } from "../../../src/resources/selectors/field-selector.ts";
import {
  type Authorizer,
  createResources,
  type GroupBuilder,
  type ListPage,
  type RequestContext,
  type ResourceInput,
  type ResourceObject,
  type ResourceStep,
  systemAuthorizer,
  type WatchFrame,
} from "../../../src/resources/index.ts";
import { parseLabelSelector } from "../../../src/resources/selectors/label-selector.ts";
import type { FullStorage, ListQuery, WatchQuery } from "../../../src/resources/storage/storage.ts";
import { SECURE_VALUES } from "../../../src/secrets/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

export const NAMESPACE = "team-a";
export const PLATFORM = "platform.entrepot.dev";

export interface PlatformOptions {
  readonly clock?: Clock;
  readonly database?: Database;
  readonly hubs?: DurableObjectNamespace;
  /** In milliseconds. */
  readonly staleness?: number;
  /** Loses messages to the queue. */
  readonly losesSteps?: boolean;
  /** Loses pokes of hubs. */
  readonly losesPokes?: boolean;
  readonly groups?: readonly GroupBuilder[];
  /** Asked about the parts of apps; allows what the platform itself does, unless given. */
  readonly authorizer?: () => Authorizer;
}

let groups = 0;

/** The name of a group that no other test of the file uses. */
export function newGroup(): string {
  groups += 1;
  return `g${groups}.example.dev`;
}

/** A group with a namespaced kind that has a status, and one of the whole cluster that has none. */
export function exampleGroup(group: string, more: Partial<GroupBuilder> = {}): GroupBuilder {
  const spec = z.object({
    source: z.string().optional().describe("Where from."),
    count: z.number().int().default(0).describe("How many."),
  });
  return {
    group,
    versions: ["v1", "v1beta1"],
    kinds: [
      {
        declaration: {
          kind: "Task",
          plural: "tasks",
          scope: "Namespaced",
          description: "Something to do.",
          spec,
          status: z.object({ phase: z.string().optional().describe("How far it is.") }),
          selectableFields: [".spec.source"],
        },
      },
      { declaration: { kind: "Area", plural: "areas", scope: "Cluster", description: "A place.", spec } },
    ],
    ...more,
  };
}

export function requestContext(given: Partial<RequestContext> = {}): RequestContext {
  return { identity: systemIdentity("tester"), dryRun: false, fieldManager: "test", warn: () => {}, ...given };
}

/** The resource kernel over the real bindings: another call on the same database is another isolate. */
export function resourcePlatform(options: PlatformOptions = {}) {
  const steps: { readonly step: ResourceStep; readonly delay: number }[] = [];
  const pending: Promise<unknown>[] = [];
  const hubs = options.hubs ?? bindings.WATCH_HUBS;
  const resources = createResources({
    secretKind: SECURE_VALUES,
    database: options.database ?? bindings.DB,
    clock: options.clock ?? Date.now,
    log: quietLog,
    hubs: options.losesPokes === true ? deaf(hubs) : hubs,
    async enqueue(step, delay) {
      if (options.losesSteps !== true) steps.push({ step, delay });
    },
    background: (work) => pending.push(work),
    staleness: options.staleness ?? 0,
    authorizer: options.authorizer ?? (() => systemAuthorizer),
    groups: options.groups ?? [],
  });
  return {
    resources,
    registry: resources.registry,
    client: resources.client,
    steps,
    storage: async (group: string, plural: string): Promise<FullStorage> => {
      const found = await resources.registry.resource(group, plural);
      if (found === undefined) throw new Error(`no ${plural}.${group}`);
      return found.storage as FullStorage;
    },
    /** Resolves when everything that was put off is done, but for steps that are to wait. */
    settle: async (): Promise<number> => {
      let done = 0;
      for (;;) {
        for (const work of pending.splice(0)) await work;
        const next = steps.findIndex(({ delay }) => delay === 0);
        const [due] = next === -1 ? [] : steps.splice(next, 1);
        if (due === undefined) return done;
        done += 1;
        const following = await resources.maintenance.run(due.step);
        if (following !== undefined) steps.push({ step: following, delay: 0 });
      }
    },
  };
}

/** Hubs that watchers reach and writers do not. */
function deaf(hubs: DurableObjectNamespace): DurableObjectNamespace {
  const get = (id: DurableObjectId) => ({
    fetch: (url: string, init: RequestInit) => hubs.get(id).fetch(url, init),
    poke: async () => {},
  });
  return { idFromName: (name: string) => hubs.idFromName(name), get } as unknown as DurableObjectNamespace;
}

/** A platform with the example group under a name of its own. */
export async function exampleTasks(options: PlatformOptions = {}, more: Partial<GroupBuilder> = {}) {
  const group = newGroup();
  const platform = resourcePlatform({ ...options, groups: [exampleGroup(group, more)] });
  const context = requestContext();
  const tasks = await platform.storage(group, "tasks");
  return {
    ...platform,
    group,
    tasks,
    areas: await platform.storage(group, "areas"),
    create: (name: string, given: Partial<ResourceInput> = {}) => tasks.create(context, NAMESPACE, task(name, given)),
    edit: (name: string, change: (current: ResourceObject) => ResourceInput) => edit(tasks, name, change),
    get: (name: string) => tasks.get(context, { namespace: NAMESPACE, name }),
    remove: (name: string, propagationPolicy: "Background" | "Foreground" | "Orphan" = "Background") =>
      tasks.delete(context, { namespace: NAMESPACE, name }, { propagationPolicy }),
    names: async () => namesOf(await tasks.list(context, listQuery())),
  };
}

export type ExampleTasks = Awaited<ReturnType<typeof exampleTasks>>;

/** An object as a client sends it. */
export function task(name: string, { metadata, ...given }: Partial<ResourceInput> = {}): ResourceInput {
  return { apiVersion: "", kind: "Task", spec: {}, ...given, metadata: { name, ...metadata } };
}

/** A change of whatever there is. */
export async function edit(
  storage: FullStorage,
  name: string,
  change: (current: ResourceObject) => ResourceInput,
  given: { readonly context?: RequestContext; readonly subresource?: "status" } = {},
): Promise<ResourceObject> {
  const { context = requestContext(), subresource } = given;
  const transform = (current: ResourceObject | undefined) => change(current as ResourceObject);
  const options = { allowCreate: false, ...(subresource === undefined ? {} : { subresource }) };
  return (await storage.update(context, { namespace: NAMESPACE, name }, transform, options)).object;
}

export function listQuery(
  given: Partial<Omit<ListQuery, "labels" | "fields">> & { readonly labels?: string; readonly fields?: string } = {},
): ListQuery {
  const { labels = "", fields = "", ...rest } = given;
  return { limit: 10_000, source: "current", ...rest, ...selectors(labels, fields) };
}

function selectors(labels: string, fields: string) {
  return { labels: parseLabelSelector(labels), fields: parseFieldSelector(fields, [".spec.source"]) };
}

export function namesOf(page: ListPage): string[] {
  return page.items.map((item) => item.metadata.name);
}

/** A watch whose frames are collected. */
export function watching(
  storage: FullStorage,
  since: string | number,
  given: { readonly labels?: string; readonly fields?: string; readonly namespace?: string } = {},
) {
  const { labels = "", fields = "", ...place } = given;
  const end = new AbortController();
  const query: WatchQuery = { ...place, ...selectors(labels, fields), since: Number(since), signal: end.signal };
  const frames: WatchFrame[] = [];
  let failure: unknown;
  const done = (async () => {
    try {
      for await (const frame of storage.watch(requestContext(), query)) frames.push(frame);
    } catch (error) {
      failure = error;
    }
  })();
  const events = () =>
    frames.flatMap((frame) =>
      frame.type === "BOOKMARK"
        ? []
        : [{ type: frame.type, name: frame.object.metadata.name, rv: frame.object.metadata.resourceVersion }],
    );
  return {
    frames,
    events,
    /** As `TYPE name`. */
    seen: () => events().map(({ type, name }) => `${type} ${name}`),
    failure: () => failure,
    bookmark: () => frames.findLast((frame) => frame.type === "BOOKMARK")?.resourceVersion,
    async stop() {
      end.abort();
      await done;
    },
  };
}

/** Waits for something to become so. */
export async function until(condition: () => boolean, timeout = 120_000): Promise<void> {
  const end = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not so after ${timeout} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The database, counting what is asked of it. */
export function countingDatabase() {
  const counted = { batches: 0, statements: 0 };
  const database: Database = {
    prepare(query) {
      counted.statements += 1;
      return bindings.DB.prepare(query);
    },
    batch(statements) {
      counted.batches += 1;
      counted.statements -= statements.length;
      return bindings.DB.batch(statements);
    },
  };
  return { counted, database };
}
