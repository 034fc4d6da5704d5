import type { Clock } from "../platform/index.ts";
import { signed, withoutAuthorship, withoutMessage, withoutRepeated } from "./authorship.ts";
import { untilWritten } from "./contended-write.ts";
import { deleteCollection } from "./delete-collection.ts";
import { finalizerCauses, isFinished, markedForDeletion } from "./deletion.ts";
import type { DependentCollector } from "./dependent-collector.ts";
import { apiVersionOf, type ServedKind } from "./kind.ts";
import { listObjects } from "./list-objects.ts";
import { checkName, checkNamespaceName, nameFor } from "./names.ts";
import type { ObjectMeta, ResourceInput, ResourceObject } from "./object.ts";
import { newMetadata, nextMetadata, timestamp } from "./object-metadata.ts";
import { type Admission, admit, checkSize, isNewGeneration, sameJson, withStatusOf } from "./object-pipeline.ts";
import type { OwnerStore } from "./owner-store.ts";
import { recordUpdate } from "./patch/managed-fields.ts";
import type { UseRule } from "./use/use-rule.ts";
import type { Withhold } from "./embedded/index.ts";
import type { ObjectKey, ResourceStore, ResourceWrite } from "./resource-store.ts";
import { restoreObject } from "./restore.ts";
import { alreadyExists, badRequest, conflict, ignoring, invalid, notFound } from "./status-error.ts";
import type {
  DeleteOptions,
  ListPage,
  ListQuery,
  RequestContext,
  Restorer,
  Storage,
  Transform,
  UpdateOptions,
  WatchFrame,
  WatchQuery,
} from "./storage.ts";

/** What the general storage works with. */
export interface GeneralStoragePorts {
  readonly store: ResourceStore;
  readonly owners: OwnerStore;
  readonly clock: Clock;
  /** Told of each change, after it is written. */
  readonly changed: (kind: ServedKind, rv: number) => void;
  readonly dependents: DependentCollector;
  readonly watch: (kind: ServedKind, query: WatchQuery) => AsyncIterable<WatchFrame>;
  /** Takes out what is write-only in the objects that an object embeds. */
  readonly withhold: Withhold;
  /** Whether a writer may use what an object names. */
  readonly use: UseRule;
}

/** Objects of one kind, kept in the database. What every kind has that brings no storage of its own. */
export class GeneralStorage implements Required<Storage>, Restorer {
  readonly #kind: ServedKind;
  readonly #admission: Admission;
  readonly #ports: GeneralStoragePorts;

  constructor(kind: ServedKind, admission: Admission, ports: GeneralStoragePorts) {
    this.#kind = kind;
    this.#admission = admission;
    this.#ports = ports;
  }

  async get(_context: RequestContext, namespace: string | undefined, name: string): Promise<ResourceObject> {
    const object = await this.#stored(namespace, name);
    if (object === undefined) throw notFound(this.#kind, name);
    return object;
  }

  async list(_context: RequestContext, query: ListQuery): Promise<ListPage> {
    const page = await listObjects(this.#ports.store, this.#kind, query);
    return { ...page, items: page.items.map((item) => this.#shown(item)) };
  }

  create(context: RequestContext, namespace: string | undefined, input: ResourceInput): Promise<ResourceObject> {
    return this.#create(context, namespace, input, false);
  }

  async update(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<{ readonly object: ResourceObject; readonly created: boolean }> {
    return this.#untilWritten(namespace, name, async () => {
      const current = await this.#stored(namespace, name);
      if (current === undefined && !options.allowCreate) throw notFound(this.#kind, name);
      const next = await this.#ports.withhold(this.#kind, await this.#next(current, transform, options));
      // Whoever insists on a version is refused here, at the latest when another write has come first.
      this.#checkPreconditions(name, current?.metadata, next.metadata);
      if (current === undefined) {
        const named = { ...next, metadata: { ...next.metadata, name } };
        const object = await this.#create(context, namespace, named, options.ownersGiven === true).catch(
          ignoring("AlreadyExists"),
        );
        return object === undefined ? undefined : { object, created: true };
      }
      const object = await this.#replacement(context, current, next, options);
      const finished = isFinished(object.metadata);
      // What is said of a change is no change.
      if (!finished && sameJson(withoutMessage(current), withoutMessage(object))) {
        return { object: current, created: false };
      }
      const authored = options.subresource === "status" ? object : this.#signed(context, object, current);
      checkSize(authored);
      if (context.dryRun) return { object: authored, created: false };
      const written = await this.#write(namespace, finished ? "DELETED" : "MODIFIED", authored, current);
      if (written === undefined) return undefined;
      if (finished) await this.#ports.dependents.deleted(written);
      return { object: written, created: false };
    });
  }

  async delete(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
  ): Promise<{ readonly object: ResourceObject; readonly gone: boolean }> {
    return this.#untilWritten(namespace, name, async () => {
      const current = await this.#stored(namespace, name);
      if (current === undefined) throw notFound(this.#kind, name);
      this.#checkPreconditions(name, current.metadata, options.preconditions ?? {});
      await this.#checkDelete(context, current);
      const now = timestamp(this.#ports.clock());
      const marked = await markedForDeletion(current, options.propagationPolicy, now, this.#ports.dependents);
      const gone = isFinished(marked.metadata);
      if (!gone && sameJson(marked, current)) return { object: current, gone };
      const object = this.#signed(context, withoutMessage(marked), current);
      if (context.dryRun) return { object, gone };
      const written = await this.#write(namespace, gone ? "DELETED" : "MODIFIED", object, current);
      if (written === undefined) return undefined;
      if (gone) await this.#ports.dependents.deleted(written);
      else await this.#ports.dependents.marked(this.#key(namespace, name), written.metadata);
      return { object: written, gone };
    });
  }

  deleteCollection(context: RequestContext, query: ListQuery, options: DeleteOptions): Promise<ListPage> {
    return deleteCollection(this, context, query, options);
  }

  async *watch(_context: RequestContext, query: WatchQuery): AsyncGenerator<WatchFrame, void> {
    for await (const frame of this.#ports.watch(this.#kind, query)) {
      yield "object" in frame ? { ...frame, object: this.#shown(frame.object) } : frame;
    }
  }

  restore(context: RequestContext, namespace: string | undefined, name: string, rv: number): Promise<ResourceObject> {
    return restoreObject(this.#ports, this.#kind, this, { context, namespace, name }, rv);
  }

  /** @throws {StatusError} Conflict, if other writes come first again and again */
  async #untilWritten<T>(namespace: string | undefined, name: string, write: () => Promise<T | undefined>): Promise<T> {
    const { group, plural } = this.#kind;
    const written = await untilWritten(JSON.stringify([group, plural, namespace, name]), write);
    if (written === undefined) throw conflict(this.#kind, name);
    return written;
  }

  #key(namespace: string | undefined, name: string): ObjectKey {
    return { group: this.#kind.group, plural: this.#kind.plural, namespace: namespace ?? "", name };
  }

  async #stored(namespace: string | undefined, name: string): Promise<ResourceObject | undefined> {
    const object = await this.#ports.store.get(this.#key(namespace, name));
    return object === undefined ? undefined : this.#shown(object);
  }

  /** Objects are stored as one version of the API has them, and shown as of the one that was asked for. */
  #shown(object: ResourceObject): ResourceObject {
    return { ...object, apiVersion: apiVersionOf(this.#kind), kind: this.#kind.kind };
  }

  async #create(
    context: RequestContext,
    namespace: string | undefined,
    given: ResourceInput,
    ownersGiven: boolean,
  ): Promise<ResourceObject> {
    const name = nameFor(given.metadata, Math.random);
    this.#checkPlace(namespace, name);
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
        metadata: newMetadata(input.metadata, { namespace, name, now: timestamp(this.#ports.clock()) }),
      },
      oldObject: undefined,
    });
    const owned = ownersGiven ? object : this.#withOwners(context, undefined, object, undefined);
    const authored = this.#signed(context, owned, undefined);
    checkSize(authored);
    if (!context.dryRun) {
      const written = await this.#write(namespace, "ADDED", authored, undefined);
      if (written === undefined) throw alreadyExists(this.#kind, name);
      return written;
    }
    if ((await this.#stored(namespace, name)) !== undefined) throw alreadyExists(this.#kind, name);
    return authored;
  }

  /** What a write makes of the present object, as far as the caller says. */
  async #next(
    current: ResourceObject | undefined,
    transform: Transform,
    { replaces = false }: UpdateOptions,
  ): Promise<ResourceInput> {
    const next = await transform(current === undefined ? undefined : withoutMessage(current));
    return replaces && current !== undefined ? withoutRepeated(next, current) : next;
  }

  #signed(context: RequestContext, object: ResourceObject, previous: ResourceObject | undefined): ResourceObject {
    return signed(object, { previous, identity: context.identity, time: timestamp(this.#ports.clock()) });
  }

  /** @throws {StatusError} Invalid, BadRequest */
  #checkPlace(namespace: string | undefined, name: string): void {
    const { scope } = this.#kind;
    if ((scope === "Cluster") !== (namespace === undefined)) {
      throw badRequest(scope === "Cluster" ? "a namespace may not be set" : "an empty namespace may not be set");
    }
    const causes = [
      ...(this.#kind.checkName ?? checkName)(name),
      ...(namespace === undefined ? [] : checkNamespaceName(namespace, "metadata.namespace")),
    ];
    if (causes.length > 0) throw invalid(this.#kind, name, causes);
  }

  /** What an update makes of the present object. */
  async #replacement(
    context: RequestContext,
    current: ResourceObject,
    next: ResourceInput,
    options: UpdateOptions,
  ): Promise<ResourceObject> {
    const { name, namespace, generation } = current.metadata;
    const causes = finalizerCauses(current.metadata, next.metadata);
    if (causes.length > 0) throw invalid(this.#kind, name, causes);
    const admitted = await admit(this.#kind, this.#admission, this.#ports.use, {
      context,
      operation: "UPDATE",
      subresource: options.subresource ?? "",
      namespace,
      name,
      object: options.subresource === "status" ? withStatusOf(current, next) : this.#proposed(current, next),
      oldObject: current,
    });
    const isNew = isNewGeneration(this.#kind, current, admitted);
    const metadata = { ...admitted.metadata, generation: isNew ? generation + 1 : generation };
    const object = { ...admitted, metadata };
    return options.ownersGiven === true ? object : this.#withOwners(context, current, object, options.subresource);
  }

  /** The object as it was sent, but for what is not the client's. */
  #proposed(current: ResourceObject, { status, ...next }: ResourceInput): ResourceObject {
    const kept = this.#kind.hasStatus ? current.status : status;
    return {
      ...next,
      apiVersion: current.apiVersion,
      kind: current.kind,
      metadata: nextMetadata(current.metadata, next.metadata),
      ...(kept === undefined ? {} : { status: kept }),
    };
  }

  /** The object with who owns which field, worked out from what the write changed. */
  #withOwners(
    context: RequestContext,
    previous: ResourceObject | undefined,
    next: ResourceObject,
    subresource: string | undefined,
  ): ResourceObject {
    const managedFields = recordUpdate({
      previous: previous === undefined ? undefined : withoutAuthorship(previous),
      next: withoutAuthorship(next),
      manager: context.fieldManager,
      apiVersion: apiVersionOf(this.#kind),
      time: timestamp(this.#ports.clock()),
      subresource,
      node: this.#kind.schema,
      hasStatus: this.#kind.hasStatus,
    });
    const { managedFields: _before, ...metadata } = next.metadata;
    return { ...next, metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields } };
  }

  /** @throws {StatusError} Invalid, or what the group throws */
  async #checkDelete(context: RequestContext, object: ResourceObject): Promise<void> {
    const { name, namespace } = object.metadata;
    const resource = this.#kind.plural;
    const about = { context, operation: "DELETE", resource, subresource: "", namespace, name } as const;
    const causes = (await this.#admission.validate?.({ ...about, object, oldObject: object })) ?? [];
    if (causes.length > 0) throw invalid(this.#kind, name, causes);
  }

  /** @throws {StatusError} Conflict */
  #checkPreconditions(
    name: string,
    current: ObjectMeta | undefined,
    { uid, resourceVersion }: Pick<Partial<ObjectMeta>, "uid" | "resourceVersion">,
  ): void {
    const isOther = uid !== undefined && uid !== "" && uid !== current?.uid;
    const isChanged =
      resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== current?.resourceVersion;
    if (isOther || isChanged) throw conflict(this.#kind, name);
  }

  /** Resolves to the object with its version, or to `undefined` if another write came first. */
  async #write(
    namespace: string | undefined,
    type: ResourceWrite["type"],
    object: ResourceObject,
    current: ResourceObject | undefined,
  ): Promise<ResourceObject | undefined> {
    const expected = current === undefined ? undefined : Number(current.metadata.resourceVersion);
    const key = this.#key(namespace, object.metadata.name);
    const rv = await this.#ports.store.write({
      key,
      type,
      object,
      expected,
      supersedes: this.#kind.history === false,
    });
    if (rv === undefined) return undefined;
    this.#ports.changed(this.#kind, rv);
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } };
  }
}
