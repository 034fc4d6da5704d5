import { deleteCollection } from "./delete-collection.ts";
import type { ServedKind } from "../kinds/kind.ts";
import { nameFor } from "../objects/names.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import type { Admission } from "../objects/object-pipeline.ts";
import { ObjectWriter, type ObjectWriterPorts, type Written } from "./object-writer.ts";
import { restoreObject } from "./restore.ts";
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
import { decorated, decoratedOne, type Reader, type StorageHooks, type StorageRequest } from "./storage-hooks.ts";
import { type StoredObjects, storedObjects, type StoredObjectsPorts } from "./stored-objects.ts";

/** What the general storage works with. */
export interface GeneralStoragePorts extends ObjectWriterPorts, StoredObjectsPorts {}

/** Objects of one kind, kept in the database, with what the kind adds to that by hooks. */
export class GeneralStorage implements Required<Storage>, Restorer {
  readonly #kind: ServedKind;
  readonly #ports: GeneralStoragePorts;
  readonly #hooks: StorageHooks;
  readonly #stored: StoredObjects;
  readonly #reader: Reader;
  readonly #writer: ObjectWriter;

  constructor(kind: ServedKind, admission: Admission, ports: GeneralStoragePorts, hooks: StorageHooks = {}) {
    this.#kind = kind;
    this.#ports = ports;
    this.#hooks = hooks;
    this.#stored = storedObjects(kind, ports);
    this.#reader = hooks.read?.(this.#stored) ?? this.#stored;
    this.#writer = new ObjectWriter(kind, admission, ports, this.#stored, hooks);
  }

  async get(context: RequestContext, ref: ObjectRef): Promise<ResourceObject> {
    this.#begin({ context, verb: "get", ref });
    return decoratedOne(this.#hooks, "get", await this.#reader.get(context, ref));
  }

  async list(context: RequestContext, query: ListQuery): Promise<ListPage> {
    this.#begin({ context, verb: "list" });
    const page = await this.#reader.list(context, query);
    const purpose = query.source === "current" ? "list" : "past";
    return { ...page, items: await decorated(this.#hooks, purpose, page.items) };
  }

  async create(context: RequestContext, namespace: string | undefined, input: ResourceInput): Promise<ResourceObject> {
    const ref = { namespace, name: nameFor(input.metadata, Math.random) };
    this.#begin({ context, verb: "create", ref });
    return decoratedOne(this.#hooks, "create", await this.#writer.create(context, ref, input));
  }

  async update(
    context: RequestContext,
    ref: ObjectRef,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<Written> {
    this.#begin({ context, verb: "update", ref, subresource: options.subresource });
    return this.#update(context, ref, transform, options);
  }

  async delete(
    context: RequestContext,
    ref: ObjectRef,
    options: DeleteOptions,
  ): Promise<{ readonly object: ResourceObject; readonly gone: boolean }> {
    this.#begin({ context, verb: "delete", ref });
    return this.#delete(context, ref, options);
  }

  async deleteCollection(context: RequestContext, query: ListQuery, options: DeleteOptions): Promise<ListPage> {
    this.#begin({ context, verb: "deleteCollection" });
    const each = (ref: ObjectRef) => this.#delete(context, ref, options);
    return deleteCollection(this.#stored, each, context, query, options);
  }

  watch(context: RequestContext, query: WatchQuery): AsyncIterable<WatchFrame> {
    // Before the answer begins, which warnings have to be in.
    this.#begin({ context, verb: "watch" });
    const frames = this.#reader.watch(context, query);
    return this.#hooks.decorate === undefined ? frames : this.#decoratedFrames(frames);
  }

  async restore(context: RequestContext, ref: ObjectRef, rv: number): Promise<ResourceObject> {
    this.#begin({ context, verb: "restore", ref });
    const update = (transform: Transform) => this.#update(context, ref, transform, { allowCreate: true });
    return (await restoreObject(this.#ports, this.#kind, ref, rv, update)).object;
  }

  #begin(request: StorageRequest): void {
    this.#hooks.begin?.(request);
  }

  async #update(
    context: RequestContext,
    ref: ObjectRef,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<Written> {
    const { object, created } = await this.#writer.update(context, ref, transform, options);
    return { object: await decoratedOne(this.#hooks, created ? "create" : "update", object), created };
  }

  async #delete(context: RequestContext, ref: ObjectRef, options: DeleteOptions) {
    const { object, gone } = await this.#writer.delete(context, ref, options);
    return { object: await decoratedOne(this.#hooks, "delete", object), gone };
  }

  async *#decoratedFrames(frames: AsyncIterable<WatchFrame>): AsyncGenerator<WatchFrame, void> {
    const decorator = this.#hooks.decorate?.("watch");
    for await (const frame of frames) {
      if (decorator === undefined || !("object" in frame)) {
        yield frame;
        continue;
      }
      const [object = frame.object] = await decorator([frame.object]);
      yield { ...frame, object };
    }
  }
}
