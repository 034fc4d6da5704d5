import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import type { OwnerStore } from "../storage/owner-store.ts";
import type { StorageFactory } from "../kinds/resource-registry.ts";
import type { ResourceStore } from "../storage/resource-store.ts";
import { ignoring, notFound } from "../status-error.ts";
import type { RequestContext, Storage } from "../storage/storage.ts";
import { servedKind } from "./defined-groups.ts";
import { DEFINITIONS, type DefinitionSpec, OBJECTS_FINALIZER } from "./resource-definition.ts";

/** Objects deleted in one step: a few statements each, of the thousand that an invocation may make. */
const STEP = 100;

/** Seconds after which objects that finalizers hold are looked at again. */
const HELD_DELAY = 10;

/** A step of the cleaning, as the maintenance queue carries it. */
export interface CleanStep {
  readonly type: "definition-gone";
  /** The definition's name. */
  readonly name: string;
  /** The last object that was deleted. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined;
}

/** What cleaning works with. */
export interface CleanerPorts {
  readonly store: ResourceStore;
  readonly owners: OwnerStore;
  readonly context: RequestContext;
  readonly makeStorage: StorageFactory;
  /** The storage of definitions. */
  readonly definitions: () => Promise<Storage | undefined>;
  readonly enqueue: (step: CleanStep, delay: number) => Promise<void>;
}

/** Deletes the objects of a definition that is being deleted; then lets the definition go. */
export class DefinitionCleaner {
  readonly #ports: CleanerPorts;

  constructor(ports: CleanerPorts) {
    this.#ports = ports;
  }

  /** Begins at once, so that a small kind is gone when the delete is answered; a queue goes on with a large one. */
  async begin(name: string): Promise<void> {
    await this.run({ type: "definition-gone", name });
  }

  async run(step: CleanStep): Promise<void> {
    const outcome = await this.#clean(step);
    if (outcome === "held") await this.#ports.enqueue({ type: step.type, name: step.name }, HELD_DELAY);
    else if (outcome !== "done") await this.#ports.enqueue(outcome, 0);
  }

  /** Goes on with definitions whose step was lost. Those that are held are left to the next sweep, or to their own step. */
  async sweep(): Promise<void> {
    for (const { object } of await this.#ports.owners.waiting([OBJECTS_FINALIZER], STEP)) {
      const outcome = await this.#clean({ type: "definition-gone", name: object.metadata.name });
      if (typeof outcome === "object") await this.#ports.enqueue(outcome, 0);
    }
  }

  /** Deletes the next objects. */
  async #clean({ type, name, after }: CleanStep): Promise<CleanStep | "held" | "done"> {
    const { store, context, makeStorage } = this.#ports;
    const definition = await store.get({ ...DEFINITIONS, namespace: "", name });
    if (definition?.metadata.deletionTimestamp === undefined) return "done";
    const spec = definition.spec as DefinitionSpec;
    const version = spec.versions.find(({ storage }) => storage);
    if (version !== undefined) {
      const kind = servedKind(spec, version);
      const storage = makeStorage(kind, {});
      const selection = { labels: [], fields: [] } as const;
      const { items, more } = await store.list(kind, {
        ...selection,
        limit: STEP,
        ...(after === undefined ? {} : { after }),
      });
      for (const { metadata } of items) {
        const options = { propagationPolicy: "Background" } as const;
        await storage.delete(context, metadata, options).catch(ignoring("NotFound"));
      }
      const last = items.at(-1)?.metadata;
      if (more && last !== undefined)
        return { type, name, after: { namespace: last.namespace ?? "", name: last.name } };
      if ((await store.list(kind, { ...selection, limit: 1 })).items.length > 0) return "held";
    }
    await this.#release(name);
    return "done";
  }

  async #release(name: string): Promise<void> {
    const { context, definitions } = this.#ports;
    const release = (current: ResourceObject | undefined): ResourceInput => {
      if (current === undefined) throw notFound(DEFINITIONS, name);
      const { finalizers = [], ...metadata } = current.metadata;
      const others = finalizers.filter((each) => each !== OBJECTS_FINALIZER);
      return { ...current, metadata: { ...metadata, finalizers: others } };
    };
    const storage = await definitions();
    await storage?.update?.(context, { name }, release, { allowCreate: false }).catch(ignoring("NotFound"));
  }
}
