import { kVoid } from "miniflare";

/** A value of workerd's configuration, as Miniflare puts it down in JSON. @see workerd, workerd.capnp, Config */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | ConfigTree;

/** A structure of workerd's configuration. */
export interface ConfigTree {
  readonly [field: string]: ConfigValue;
}

/** What a self-host makes of Miniflare's configuration. */
export interface Trim {
  /** The name of the Worker. */
  readonly worker: string;
  /** The name of the worker that has the pages. */
  readonly pages: string;
  /** Whether the Worker keeps anything in the runtime's cache. */
  readonly cache: boolean;
}

/** What Miniflare calls the door that it looks after itself, and where it is told what its simulations did. */
const ENTRY = "entry";
const LOOPBACK = "loopback";

/**
 * Stands for the Miniflare that has ended. It answers what the simulation of queues has to say, and a queue whose word is
 * not taken delivers nothing more; the Worker logs what failed by itself, so the words are dropped. And the clock's calls
 * come in by it.
 */
const LOOPBACK_WORKER = `
import { WorkerEntrypoint } from "cloudflare:workers";
export default { fetch() { return new Response(null, { status: 204 }); } };
export class Clock extends WorkerEntrypoint {
  async fetch(request) {
    const query = new URL(request.url).searchParams;
    const event = { cron: query.get("cron"), scheduledTime: new Date(Number(query.get("time"))) };
    const { outcome } = await this.env.WORKER.scheduled(event);
    return new Response(outcome, { status: outcome === "ok" ? 200 : 500 });
  }
}`;

/**
 * Takes out of Miniflare's configuration what only a developer needs: its front door with what is behind it, a worker
 * between the Worker and the network, and two between the Worker and its pages. Each is an isolate with memory of its own.
 * What then leads nowhere is left out.
 */
export function trimmed(config: ConfigTree, { worker, pages, cache }: Trim): Record<string, unknown> {
  const [workerService, pagesService] = [`core:user:${worker}`, `core:user:${pages}`];
  const services = treesOf(config, "services")
    .filter(({ name }) => name !== LOOPBACK)
    .map((service) => {
      if (service["name"] === workerService) return trimmedWorker(service, `assets:assets-service:${pages}`, cache);
      return withoutBinding(service, pagesService);
    });
  const all = [...services, loopback(workerService)];
  const sockets = treesOf(config, "sockets").map((socket) =>
    socket["name"] === ENTRY ? { ...socket, service: { name: LOOPBACK, entrypoint: "Clock" } } : socket,
  );
  return restored({ ...config, services: reachable(all, sockets), sockets }) as Record<string, unknown>;
}

function trimmedWorker(service: ConfigTree, pages: string, cache: boolean): ConfigTree {
  const { cacheApiOutbound, ...worker } = treeOf(service, "worker");
  const bindings = treesOf(worker, "bindings").map((binding) =>
    binding["name"] === "ASSETS" ? { ...binding, service: { name: pages } } : binding,
  );
  return {
    ...service,
    worker: {
      ...worker,
      bindings,
      globalOutbound: { name: "internet" },
      ...(cache && cacheApiOutbound !== undefined ? { cacheApiOutbound } : {}),
    },
  };
}

/** A service without its ways to another one, and without a cache. */
function withoutBinding(service: ConfigTree, other: string): ConfigTree {
  if (service["worker"] === undefined) return service;
  const { cacheApiOutbound: _, ...worker } = treeOf(service, "worker");
  const bindings = treesOf(worker, "bindings").filter((binding) => !names(binding).includes(other));
  return { ...service, worker: { ...worker, bindings } };
}

function loopback(worker: string): ConfigTree {
  return {
    name: LOOPBACK,
    worker: {
      modules: [{ name: "loopback.js", esModule: LOOPBACK_WORKER }],
      compatibilityDate: "2026-10-01",
      compatibilityFlags: ["service_binding_extra_handlers"],
      bindings: [{ name: "WORKER", service: { name: worker } }],
    },
  };
}

/** The services that sockets lead to, directly or not. */
function reachable(services: readonly ConfigTree[], sockets: readonly ConfigTree[]): ConfigTree[] {
  const known = new Map(services.map((service) => [service["name"], service]));
  const found = new Set<ConfigTree>();
  const follow = (value: ConfigValue): void => {
    for (const name of names(value)) {
      const service = known.get(name);
      if (service === undefined || found.has(service)) continue;
      found.add(service);
      follow(service);
    }
  };
  follow(sockets);
  return services.filter((service) => found.has(service));
}

/** All texts in a value but the sources of modules: among them are the names of the services that it leads to. */
function names(value: ConfigValue): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object") return [];
  if (isList(value)) return value.flatMap(names);
  return Object.entries(value).flatMap(([field, part]) => (field === "modules" ? [] : names(part)));
}

/** What JSON has made of bytes, and of a field that has no value, as they were. */
function restored(value: ConfigValue): unknown {
  if (typeof value !== "object") return value;
  if (isList(value)) return value.map(restored);
  const fields = Object.entries(value);
  if (fields.length > 0 && fields.every(([field], index) => field === String(index))) {
    return Uint8Array.from(fields, ([, byte]) => Number(byte));
  }
  return Object.fromEntries(
    fields.map(([field, part]) => [field, isInMemory(field, part) ? { inMemory: kVoid } : restored(part)]),
  );
}

function isInMemory(field: string, value: ConfigValue): boolean {
  return field === "durableObjectStorage" && typeof value === "object" && Object.keys(value).length === 0;
}

function treesOf(tree: ConfigTree, field: string): readonly ConfigTree[] {
  const list = tree[field] ?? [];
  if (typeof list !== "object" || !isList(list)) throw new Error(`${field} is no list`);
  return list as readonly ConfigTree[];
}

function treeOf(tree: ConfigTree, field: string): ConfigTree {
  const value = tree[field];
  if (typeof value !== "object" || isList(value)) throw new Error(`${field} is no structure`);
  return value;
}

function isList(value: object): value is readonly ConfigValue[] {
  return Array.isArray(value);
}
