import type { Clock } from "../../platform/index.ts";
import { signed, withoutMessage, withoutRepeated } from "../objects/authorship.ts";
import { untilWritten } from "./contended-write.ts";
import { finalizerCauses, isFinished, markedForDeletion } from "../objects/deletion.ts";
import type { DependentCollector } from "../upkeep/dependent-collector.ts";
import type { Withhold } from "../embedded/index.ts";
import { apiVersionOf, type ServedKind } from "../kinds/kind.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import { newMetadata, timestamp } from "../objects/object-metadata.ts";
import {
  type Admission,
  admit,
  checkSize,
  isNewGeneration,
  sameJson,
  withStatusOf,
} from "../objects/object-pipeline.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import type { OwnerStore } from "./owner-store.ts";
import type { ResourceStore, ResourceWrite } from "./resource-store.ts";
import { alreadyExists, conflict, ignoring, invalid, notFound } from "../status-error.ts";
import type { DeleteOptions, RequestContext, Transform, UpdateOptions } from "./storage.ts";
import {
  type CreateWrite,
  decoratedOne,
  type DeleteWrite,
  finishing,
  type StorageHooks,
  type UpdateWrite,
} from "./storage-hooks.ts";
import { keyOf, type StoredObjects } from "./stored-objects.ts";
import type { UseRule } from "../use/use-rule.ts";
import { checkPreconditions, checkRef, proposed, withFieldOwners, withoutIdentityOf } from "./write-rules.ts";

/** What writing objects works with. */
export interface ObjectWriterPorts {
  readonly store: ResourceStore;
  readonly owners: OwnerStore;
  readonly clock: Clock;
  /** Told of each change, after it is written. */
  readonly changed: (kind: ServedKind, rv: number) => void;
  readonly dependents: DependentCollector;
  /** Takes out what is write-only in the objects that an object embeds. */
  readonly withhold: Withhold;
  /** Whether a writer may use what an object names. */
  readonly use: UseRule;
}

/** What an update left. */
export interface Written {
  readonly object: ResourceObject;
  readonly created: boolean;
}

/** A try to update that ended, and which after-hook it wants. */
type Tried =
  | { readonly outcome: "created"; readonly object: ResourceObject; readonly write: CreateWrite }
  | { readonly outcome: "updated" | "gone"; readonly object: ResourceObject; readonly write: UpdateWrite };

/** Writes objects of one kind. Each write is one batch of the store; hooks run before and after it. */
export class ObjectWriter {
  readonly #kind: ServedKind;
  readonly #admission: Admission;
  readonly #ports: ObjectWriterPorts;
  readonly #stored: Pick<StoredObjects, "find">;
  readonly #hooks: StorageHooks;

  constructor(
    kind: ServedKind,
    admission: Admission,
    ports: ObjectWriterPorts,
    stored: Pick<StoredObjects, "find">,
    hooks: StorageHooks,
  ) {
    this.#kind = kind;
    this.#admission = admission;
    this.#ports = ports;
    this.#stored = stored;
    this.#hooks = hooks;
  }

  /** @throws {StatusError} AlreadyExists, Invalid, or what a hook throws */
  async create(context: RequestContext, ref: ObjectRef, input: ResourceInput): Promise<ResourceObject> {
    const write = { context, ref, sent: named(input, ref) };
    const object = await this.#create(write, false);
    return this.#afterCreate(object, write);
  }

  /** @throws {StatusError} NotFound, Conflict, Invalid, or what a hook throws */
  async update(
    context: RequestContext,
    ref: ObjectRef,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<Written> {
    const tried = await this.#untilWritten(ref, () => this.#tryUpdate(context, ref, transform, options));
    const { object } = tried;
    if (tried.outcome === "created") return { object: await this.#afterCreate(object, tried.write), created: true };
    if (context.dryRun) return { object, created: false };
    if (tried.outcome === "gone") {
      await this.#hooks.afterDelete?.(object, { context, ref, gone: true });
      return { object, created: false };
    }
    return { object: (await this.#hooks.afterUpdate?.(object, tried.write)) ?? object, created: false };
  }

  /** @throws {StatusError} NotFound, Conflict, or what a hook throws */
  async delete(
    context: RequestContext,
    ref: ObjectRef,
    options: DeleteOptions,
  ): Promise<{ readonly object: ResourceObject; readonly gone: boolean }> {
    const deleted = await this.#untilWritten(ref, () => this.#tryDelete(context, ref, options));
    if (!context.dryRun) await this.#hooks.afterDelete?.(deleted.object, { context, ref, gone: deleted.gone });
    return deleted;
  }

  async #afterCreate(object: ResourceObject, write: CreateWrite): Promise<ResourceObject> {
    if (write.context.dryRun) return object;
    return (await this.#hooks.afterCreate?.(object, write)) ?? object;
  }

  async #create(write: CreateWrite, ownersGiven: boolean): Promise<ResourceObject> {
    checkRef(this.#kind, write.ref);
    const begun = (await this.#hooks.beginCreate?.(write)) ?? { object: write.sent };
    return finishing(begun, write.context, () => this.#writeNew(write, begun.object, ownersGiven));
  }

  async #writeNew({ context, ref }: CreateWrite, given: ResourceInput, ownersGiven: boolean): Promise<ResourceObject> {
    const { namespace, name } = ref;
    const input = await this.#ports.withhold(this.#kind, given);
    const { status, ...rest } = input;
    const object = await admit(this.#kind, this.#admission, this.#ports.use, {
      context,
      operation: "CREATE",
      subresource: "",
      namespace,
      name,
      object: {
        ...rest,
        ...(status === undefined || this.#kind.hasStatus ? {} : { status }),
        apiVersion: apiVersionOf(this.#kind),
        kind: this.#kind.kind,
        metadata: newMetadata(input.metadata, ref, this.#now()),
      },
      oldObject: undefined,
    });
    const owned = ownersGiven
      ? object
      : withFieldOwners(this.#kind, context, { previous: undefined, next: object, time: this.#now() });
    const authored = this.#signed(context, owned, undefined);
    checkSize(authored);
    if (!context.dryRun) {
      const written = await this.#write(ref, "ADDED", authored, undefined);
      if (written === undefined) throw alreadyExists(this.#kind, name);
      return written;
    }
    if ((await this.#stored.find(ref)) !== undefined) throw alreadyExists(this.#kind, name);
    return authored;
  }

  /** Resolves to `undefined` if another write came first. */
  async #tryUpdate(
    context: RequestContext,
    ref: ObjectRef,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<Tried | undefined> {
    const current = await this.#stored.find(ref);
    if (current === undefined) return this.#createByUpdate(context, ref, transform, options);
    const previous = withoutMessage(current);
    const next = await transform(await decoratedOne(this.#hooks, "change", previous));
    const sent = options.replaces === true ? withoutRepeated(next, current) : next;
    // Whoever insists on a version is refused here, at the latest when another write has come first.
    checkPreconditions(this.#kind, ref.name, current.metadata, sent.metadata);
    const { subresource, ownersGiven = false } = options;
    const write: UpdateWrite = { context, ref, sent, previous, subresource, ownersGiven };
    const begun = (await this.#hooks.beginUpdate?.(write)) ?? { object: sent };
    return finishing(begun, context, () => this.#replace(write, begun.object, current));
  }

  async #createByUpdate(
    context: RequestContext,
    ref: ObjectRef,
    transform: Transform,
    { subresource, allowCreate, ownersGiven = false }: UpdateOptions,
  ): Promise<Tried | undefined> {
    const { standIn, refuse = [] } = this.#hooks;
    const implied = subresource === undefined ? await standIn?.(ref) : undefined;
    const mayCreate = (allowCreate || implied !== undefined) && !refuse.includes("create");
    if (!mayCreate) throw notFound(this.#kind, ref.name);
    const sent = withoutIdentityOf(await transform(implied), implied);
    checkPreconditions(this.#kind, ref.name, undefined, sent.metadata);
    const write: CreateWrite = { context, ref, sent: named(sent, ref) };
    const object = await this.#create(write, ownersGiven).catch(ignoring("AlreadyExists"));
    return object === undefined ? undefined : { outcome: "created", object, write };
  }

  async #replace(write: UpdateWrite, given: ResourceInput, current: ResourceObject): Promise<Tried | undefined> {
    const { context, ref } = write;
    const object = await this.#replacement(write, await this.#ports.withhold(this.#kind, given), current);
    const finished = isFinished(object.metadata);
    // What is said of a change is no change.
    if (!finished && sameJson(write.previous, withoutMessage(object))) {
      return { outcome: "updated", object: current, write };
    }
    const authored = write.subresource === "status" ? object : this.#signed(context, object, current);
    checkSize(authored);
    const outcome = finished ? "gone" : "updated";
    if (context.dryRun) return { outcome, object: authored, write };
    const written = await this.#write(ref, finished ? "DELETED" : "MODIFIED", authored, current);
    if (written === undefined) return undefined;
    if (finished) await this.#ports.dependents.deleted(written);
    return { outcome, object: written, write };
  }

  /** What an update makes of the present object. */
  async #replacement(write: UpdateWrite, next: ResourceInput, current: ResourceObject): Promise<ResourceObject> {
    const { context, subresource } = write;
    const { name, namespace, generation } = current.metadata;
    const causes = finalizerCauses(current.metadata, next.metadata);
    if (causes.length > 0) throw invalid(this.#kind, name, causes);
    const admitted = await admit(this.#kind, this.#admission, this.#ports.use, {
      context,
      operation: "UPDATE",
      subresource: subresource ?? "",
      namespace,
      name,
      object: subresource === "status" ? withStatusOf(current, next) : proposed(this.#kind, current, next),
      oldObject: current,
    });
    const isNew = isNewGeneration(this.#kind, current, admitted);
    const metadata = { ...admitted.metadata, generation: isNew ? generation + 1 : generation };
    const object = { ...admitted, metadata };
    if (write.ownersGiven) return object;
    return withFieldOwners(this.#kind, context, { previous: current, next: object, subresource, time: this.#now() });
  }

  /** Resolves to `undefined` if another write came first. */
  async #tryDelete(context: RequestContext, ref: ObjectRef, options: DeleteOptions) {
    const { dependents } = this.#ports;
    const current = await this.#stored.find(ref);
    if (current === undefined) throw notFound(this.#kind, ref.name);
    checkPreconditions(this.#kind, ref.name, current.metadata, options.preconditions ?? {});
    await this.#hooks.beginDelete?.({ context, ref, previous: current, options });
    await this.#checkDelete({ context, ref, previous: current });
    const marked = await markedForDeletion(current, options.propagationPolicy, this.#now(), dependents);
    const gone = isFinished(marked.metadata);
    if (!gone && sameJson(marked, current)) return { object: current, gone };
    const object = this.#signed(context, withoutMessage(marked), current);
    if (context.dryRun) return { object, gone };
    const written = await this.#write(ref, gone ? "DELETED" : "MODIFIED", object, current);
    if (written === undefined) return undefined;
    if (gone) await dependents.deleted(written);
    else await dependents.marked(keyOf(this.#kind, ref), written.metadata);
    return { object: written, gone };
  }

  /** @throws {StatusError} Invalid, or what the group throws */
  async #checkDelete({ context, ref, previous }: Omit<DeleteWrite, "options">): Promise<void> {
    const { namespace, name } = ref;
    const resource = this.#kind.plural;
    const about = { context, operation: "DELETE", resource, subresource: "", namespace, name } as const;
    const causes = (await this.#admission.validate?.({ ...about, object: previous, oldObject: previous })) ?? [];
    if (causes.length > 0) throw invalid(this.#kind, name, causes);
  }

  /** @throws {StatusError} Conflict, if other writes come first again and again */
  async #untilWritten<T>(ref: ObjectRef, write: () => Promise<T | undefined>): Promise<T> {
    const { group, plural, namespace, name } = keyOf(this.#kind, ref);
    const written = await untilWritten(JSON.stringify([group, plural, namespace, name]), write);
    if (written === undefined) throw conflict(this.#kind, name);
    return written;
  }

  #now(): string {
    return timestamp(this.#ports.clock());
  }

  #signed(context: RequestContext, object: ResourceObject, previous: ResourceObject | undefined): ResourceObject {
    return signed(object, { previous, identity: context.identity, time: this.#now() });
  }

  /** Resolves to the object with its version, or to `undefined` if another write came first. */
  async #write(
    ref: ObjectRef,
    type: ResourceWrite["type"],
    object: ResourceObject,
    current: ResourceObject | undefined,
  ): Promise<ResourceObject | undefined> {
    const expected = current === undefined ? undefined : Number(current.metadata.resourceVersion);
    const supersedes = this.#kind.history === false;
    const rv = await this.#ports.store.write({ key: keyOf(this.#kind, ref), type, object, expected, supersedes });
    if (rv === undefined) return undefined;
    this.#ports.changed(this.#kind, rv);
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } };
  }
}

/** What was sent, under the name that the object gets. */
function named(input: ResourceInput, { name }: ObjectRef): ResourceInput {
  return { ...input, metadata: { ...input.metadata, name } };
}
