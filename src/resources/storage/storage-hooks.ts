import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import { StatusError } from "../status-error.ts";
import type { DeleteOptions, FullStorage, Getter, Lister, RequestContext, Storage, Watcher } from "./storage.ts";

/** What a storage can be asked for. */
export type StorageVerb = keyof FullStorage;

/** A request to a storage, before anything is read for it. */
export interface StorageRequest {
  readonly context: RequestContext;
  readonly verb: StorageVerb;
  /** Absent for lists, watches and collections. */
  readonly ref?: ObjectRef;
  readonly subresource?: "status" | undefined;
}

/** One try to create an object. */
export interface CreateWrite {
  readonly context: RequestContext;
  readonly ref: ObjectRef;
  /** What was sent, under the name that it gets. Fields that are not stored are still there. */
  readonly sent: ResourceInput;
}

/** One try to change an object. */
export interface UpdateWrite extends CreateWrite {
  /** The object as it is stored, without the message of its latest change. */
  readonly previous: ResourceObject;
  readonly subresource: "status" | undefined;
  /** `sent` has `metadata.managedFields` worked out already, as server-side apply does. */
  readonly ownersGiven: boolean;
}

/** One try to delete an object. */
export interface DeleteWrite {
  readonly context: RequestContext;
  readonly ref: ObjectRef;
  /** The object as it is stored. */
  readonly previous: ResourceObject;
  readonly options: DeleteOptions;
}

/** A deletion that was written. */
export interface Deletion {
  readonly context: RequestContext;
  readonly ref: ObjectRef;
  /** False while finalizers hold the object, which is marked then. */
  readonly gone: boolean;
}

/**
 * How a begun write ended: `written`, also if what it asked for was stored already; `dropped`, because it was refused,
 * was a dry run, or another write came first, after which it may begin anew; `unknown`, if the database gave no answer.
 */
export type WriteOutcome = "written" | "dropped" | "unknown";

/** A write that a hook has begun. */
export interface BegunWrite {
  /** What is admitted and stored instead of `sent`. */
  readonly object: ResourceInput;
  /** Called once for each begun write, before the after-hook: keeps or undoes what beginning it did elsewhere. */
  readonly finish?: (outcome: WriteOutcome) => Promise<void>;
}

/** What objects are shown for; `past` is a list of history or trash, `change` what an update starts from. */
export type ShownFor = "get" | "list" | "past" | "watch" | "create" | "update" | "delete" | "change";

/** Makes of stored objects what is shown, in the same order. */
export type Decorator = (
  objects: readonly ResourceObject[],
) => readonly ResourceObject[] | Promise<readonly ResourceObject[]>;

/** The reading half of a storage. */
export type Reader = Getter & Lister & Watcher;

/**
 * What a kind adds to the general storage. All of it is optional.
 *
 * A write runs `begin`, reads the object, `beginCreate`, `beginUpdate` or `beginDelete`, then the general storage's own
 * admission, validation and checks, the batch that writes the object and its change, `finish`, and `afterCreate`,
 * `afterUpdate` or `afterDelete`. If another write comes first, all from the reading to `finish` runs again. No hook runs
 * inside the batch: what a hook writes elsewhere stands before the object does, or may be missing if the process ends
 * after it. What a begin-hook throws refuses the write; what an after-hook throws is the answer, and the write stands.
 *
 * A dry run has the begin-hooks, and no after-hooks. A collection is deleted object by object, and restoring an object
 * updates it: the hooks of those are called. `begin` is called for the collection or the restoration alone.
 *
 * @see k8s.io/apiserver, registry/generic/registry, `Store`
 */
export interface StorageHooks {
  /** Verbs that the kind does not have. Without `create`, no update creates an object either. */
  readonly refuse?: readonly StorageVerb[];
  /** Called first, for every request. May warn; throws to refuse. */
  readonly begin?: (request: StorageRequest) => void;
  /** Replaces ways of reading, by means of the stored objects. Writes and collections go by what is stored. */
  readonly read?: (stored: Reader) => Reader;
  /**
   * How objects are shown that were read or written; as they are if it resolves to `undefined`. The decorator is made for
   * each request and lives as long, which is hours for a watch.
   */
  readonly decorate?: (purpose: ShownFor) => Decorator | undefined;
  /**
   * What an update starts from where nothing is stored, and creates then; also if the caller did not ask for creating.
   * Its uid and version stand for nothing stored, and are taken out of what is sent.
   */
  readonly standIn?: (ref: ObjectRef) => Promise<ResourceObject | undefined>;
  /** Called when the name was found good. An update that creates is a creation. @throws {StatusError} refuses it */
  readonly beginCreate?: (write: CreateWrite) => Promise<BegunWrite>;
  /** Called when the preconditions were met. @throws {StatusError} refuses it */
  readonly beginUpdate?: (write: UpdateWrite) => Promise<BegunWrite>;
  /** Called when the preconditions were met. @throws {StatusError} refuses it */
  readonly beginDelete?: (write: DeleteWrite) => Promise<void>;
  /** Called once when the object was written. Resolves to the answer. */
  readonly afterCreate?: (object: ResourceObject, write: CreateWrite) => ResourceObject | Promise<ResourceObject>;
  /** Called once when the object was written, or was as asked for already. Resolves to the answer. */
  readonly afterUpdate?: (object: ResourceObject, write: UpdateWrite) => ResourceObject | Promise<ResourceObject>;
  /** Called when the object was marked or is gone, also by an update that let go of the last finalizer. */
  readonly afterDelete?: (object: ResourceObject, deletion: Deletion) => void | Promise<void>;
}

/** Makes the hooks of a kind. `general` keeps the same objects without any hooks. */
export type HooksFactory = (general: FullStorage) => StorageHooks;

const VERBS: readonly StorageVerb[] = [
  "get",
  "list",
  "create",
  "update",
  "delete",
  "deleteCollection",
  "watch",
  "restore",
];

/** The storage with those of its verbs that a kind has. */
export function withoutVerbs(storage: FullStorage, refused: readonly StorageVerb[] = []): Storage {
  if (refused.length === 0) return storage;
  const verbs = VERBS.filter((verb) => !refused.includes(verb));
  return Object.fromEntries(verbs.map((verb) => [verb, storage[verb].bind(storage)]));
}

/** Objects as they are shown. */
export async function decorated(
  { decorate }: StorageHooks,
  purpose: ShownFor,
  objects: readonly ResourceObject[],
): Promise<readonly ResourceObject[]> {
  const decorator = decorate?.(purpose);
  return decorator === undefined || objects.length === 0 ? objects : decorator(objects);
}

/** One object as it is shown. */
export async function decoratedOne(
  hooks: StorageHooks,
  purpose: ShownFor,
  object: ResourceObject,
): Promise<ResourceObject> {
  const [shown = object] = await decorated(hooks, purpose, [object]);
  return shown;
}

/** Decorates each object by itself. */
export function decorateEach(show: (object: ResourceObject) => ResourceObject): Decorator {
  return (objects) => objects.map(show);
}

/**
 * Writes what a hook has begun, and tells it how that ended.
 * @param write resolves to `undefined` if another write came first
 */
export async function finishing<T>(begun: BegunWrite, { dryRun }: RequestContext, write: () => Promise<T>): Promise<T> {
  if (begun.finish === undefined) return write();
  let written: T;
  try {
    written = await write();
  } catch (error) {
    await begun.finish(error instanceof StatusError ? "dropped" : "unknown");
    throw error;
  }
  await begun.finish(dryRun || written === undefined ? "dropped" : "written");
  return written;
}
