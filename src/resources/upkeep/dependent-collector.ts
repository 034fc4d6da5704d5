import type { Log } from "../../platform/index.ts";
import type { ObjectMeta, ResourceObject } from "../objects/object.ts";
import { type ObjectRef, refOf } from "../objects/object-ref.ts";
import type { OwnerStore, StoredObject } from "../storage/owner-store.ts";
import type { ObjectKey, ResourceStore } from "../storage/resource-store.ts";
import { StatusError } from "../status-error.ts";
import type { Deleter, RequestContext, Updater } from "../storage/storage.ts";

/** Dependents handled in one step: a few statements each, of the thousand that an invocation may make. */
const STEP = 100;

/** A step of collection, as the maintenance queue carries it. `after` is the uid of the last dependent that was seen. */
export type CollectStep =
  /** The owner is gone: its dependents go, or are let go. */
  | { readonly type: "owner-gone"; readonly uid: string; readonly after?: string | undefined }
  /** The owner waits, by a finalizer, until its dependents are gone or let go. */
  | { readonly type: "owner-marked"; readonly key: ObjectKey; readonly after?: string | undefined };

/** What collecting works with. */
export interface CollectorPorts {
  readonly store: ResourceStore;
  readonly owners: OwnerStore;
  readonly log: Log;
  /** Puts a step off to the queue; it is done at least once. */
  readonly enqueue: (step: CollectStep) => Promise<void>;
  /** The storage of an object, with everything that its kind brings; `undefined` for kinds that are gone. */
  readonly storageOf: (key: ObjectKey) => Promise<(Updater & Deleter) | undefined>;
  readonly context: RequestContext;
}

/** Finalizers by which an owner waits. They stand for a propagation policy. */
export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/**
 * Deletes what belonged to something that is gone. Every step can be repeated: it looks at what is, not at what was
 * said. No step waits: a dependent that something holds is marked, and an owner that waits for it hears of its end.
 * @see Kubernetes, "Garbage collection"
 */
export class DependentCollector {
  readonly #ports: CollectorPorts;

  constructor(ports: CollectorPorts) {
    this.#ports = ports;
  }

  /** Whether any object names `uid` as its owner. */
  async any(uid: string): Promise<boolean> {
    return (await this.#ports.owners.dependents(uid, 1)).length > 0;
  }

  /** An object is gone: its dependents are next, and those of its owners that waited for it. */
  async deleted({ metadata }: ResourceObject): Promise<void> {
    const { uid, ownerReferences = [] } = metadata;
    if (await this.any(uid)) await this.#enqueue({ type: "owner-gone", uid });
    if (ownerReferences.length === 0) return;
    for (const { key } of await this.#ports.owners.bereft(ownerReferences.map((owner) => owner.uid))) {
      await this.#enqueue({ type: "owner-marked", key });
    }
  }

  /** An object was marked for deletion. */
  async marked(key: ObjectKey, { finalizers = [] }: ObjectMeta): Promise<void> {
    const waits = finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN);
    if (waits) await this.#enqueue({ type: "owner-marked", key });
  }

  /** Does one step, and resolves to the next one if there is more to do. */
  async run(step: CollectStep): Promise<CollectStep | undefined> {
    const after = step.type === "owner-gone" ? await this.#collect(step) : await this.#release(step);
    return after === undefined ? undefined : { ...step, after };
  }

  /** Does what steps that were lost would have done. Resolves to steps that are left to do. */
  async sweep(): Promise<CollectStep[]> {
    const { owners } = this.#ports;
    const gone = (await owners.missing(STEP)).map((uid): CollectStep => ({ type: "owner-gone", uid }));
    const waiting = await owners.waiting([FOREGROUND, ORPHAN], STEP);
    return [...gone, ...waiting.map(({ key }): CollectStep => ({ type: "owner-marked", key }))];
  }

  async #collect({ uid, after }: CollectStep & { readonly type: "owner-gone" }): Promise<string | undefined> {
    const dependents = await this.#ports.owners.dependents(uid, STEP, after);
    for (const dependent of dependents) await this.#dropOwner(dependent, uid);
    return lastOf(dependents);
  }

  async #release({ key, after }: CollectStep & { readonly type: "owner-marked" }): Promise<string | undefined> {
    const owner = await this.#ports.store.get(key);
    if (owner?.metadata.deletionTimestamp === undefined) return undefined;
    const { uid, finalizers = [] } = owner.metadata;
    const orphans = finalizers.includes(ORPHAN);
    if (!orphans && !finalizers.includes(FOREGROUND)) return undefined;
    const dependents = await this.#ports.owners.dependents(uid, STEP, after);
    for (const dependent of dependents) {
      if (orphans) await this.#letGo(dependent.key, uid);
      else await this.#dropOwner(dependent, uid);
    }
    const last = lastOf(dependents);
    // A dependent with finalizers of its own stays a while, and so does its owner.
    if (last === undefined && !(await this.any(uid))) await this.#dropFinalizer(key, orphans ? ORPHAN : FOREGROUND);
    return last;
  }

  /** Deletes a dependent, or, if it has another owner that lives, takes the reference away. */
  async #dropOwner({ key, object }: StoredObject, uid: string): Promise<void> {
    const others = (object.metadata.ownerReferences ?? []).map((owner) => owner.uid).filter((other) => other !== uid);
    const living = await this.#ports.owners.existing(others);
    if (living.size > 0) return this.#letGo(key, uid);
    await this.#attempt(key, (storage, ref) =>
      storage.delete(this.#ports.context, ref, {
        propagationPolicy: "Background",
        preconditions: { uid: object.metadata.uid },
      }),
    );
  }

  async #letGo(key: ObjectKey, uid: string): Promise<void> {
    await this.#edit(key, ({ ownerReferences = [], ...metadata }) => ({
      ...metadata,
      ownerReferences: ownerReferences.filter((owner) => owner.uid !== uid),
    }));
  }

  async #dropFinalizer(key: ObjectKey, finalizer: string): Promise<void> {
    await this.#edit(key, ({ finalizers = [], ...metadata }) => ({
      ...metadata,
      finalizers: finalizers.filter((name) => name !== finalizer),
    }));
  }

  async #edit(key: ObjectKey, change: (metadata: ObjectMeta) => ObjectMeta): Promise<void> {
    await this.#attempt(key, (storage, ref) =>
      storage.update(
        this.#ports.context,
        ref,
        (current) => {
          if (current === undefined) throw new StatusError("NotFound", key.name);
          return { ...current, metadata: change(current.metadata) };
        },
        { allowCreate: false },
      ),
    );
  }

  /** Does something to an object. That it is gone by now, or another of the same name, is fine. */
  async #attempt(key: ObjectKey, act: (storage: Updater & Deleter, ref: ObjectRef) => Promise<unknown>): Promise<void> {
    const { storageOf, log } = this.#ports;
    const about = { group: key.group, resource: key.plural, namespace: key.namespace, name: key.name };
    const storage = await storageOf(key);
    if (storage === undefined) return log.warn("dependents.kind-unknown", about);
    try {
      await act(storage, refOf(key));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // One object that is refused must not keep the others; the sweep comes back to it.
      if (error.reason !== "NotFound") log.warn("dependents.refused", { ...about, error });
    }
  }

  /** The change that leads to the step is written: if the step is lost, the sweep finds it. */
  async #enqueue(step: CollectStep): Promise<void> {
    await this.#ports.enqueue(step).catch((error: unknown) => {
      this.#ports.log.warn("dependents.step-lost", { step, error });
    });
  }
}

/** Where the next page begins, if there may be one. */
function lastOf(page: readonly StoredObject[]): string | undefined {
  return page.length < STEP ? undefined : page.at(-1)?.object.metadata.uid;
}
