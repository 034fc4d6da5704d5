import {
  badRequest,
  type DeleteOptions,
  invalid,
  type ListPage,
  type ListQuery,
  nameFor,
  notFound,
  type RequestContext,
  type ResourceInput,
  type ResourceObject,
  sameJson,
  StatusError,
  type Storage,
  type Transform,
  type UpdateOptions,
  type WatchFrame,
  type WatchQuery,
} from "../resources/index.ts";
import { type CurrentVersion, currentVersion, present, withCurrentVersion } from "./current-version.ts";
import type { SecureValueSpec } from "./kinds.ts";
import { secureValueCauses, wantedOf } from "./secure-value-rules.ts";
import { takeValue, type Taken } from "./write-only.ts";
import { SECRET_GROUP, SECURE_VALUES } from "./names.ts";

const KIND = { group: SECRET_GROUP, kind: "SecureValue" };

/** Where values go, and how they are told apart. */
export interface ValueKeeping {
  /** Stores a value as a version above `above`. @throws {StatusError} ServiceUnavailable without SECRETS_KEY */
  store(
    namespace: string,
    name: string,
    value: string,
    above: number,
  ): Promise<CurrentVersion & { readonly id: string }>;
  /** A version's value, or `undefined`. */
  expose(namespace: string, name: string, id: string): Promise<string | undefined>;
  /** Forgets a version that no object names. */
  discard(id: string): Promise<void>;
}

/**
 * SecureValues in the general storage, without their values. A value is taken out of every write before the general
 * storage sees it, and stored first; then the object is written, which names the version in use. So a crash in between
 * leaves the old value in use, and a row for the garbage collection. The database notes which version is in use, in the
 * write of the object.
 */
export class SecureValueStorage implements Required<Storage> {
  readonly #general: Required<Storage>;
  readonly #values: ValueKeeping;

  constructor(general: Required<Storage>, values: ValueKeeping) {
    this.#general = general;
    this.#values = values;
  }

  async get(context: RequestContext, namespace: string | undefined, name: string): Promise<ResourceObject> {
    return present(await this.#general.get(context, namespace, name));
  }

  async list(context: RequestContext, query: ListQuery): Promise<ListPage> {
    const page = await this.#general.list(context, query);
    return { ...page, items: page.items.map(present) };
  }

  async *watch(context: RequestContext, query: WatchQuery): AsyncIterable<WatchFrame> {
    for await (const frame of this.#general.watch(context, query)) {
      yield "object" in frame ? { ...frame, object: present(frame.object) } : frame;
    }
  }

  async create(context: RequestContext, namespace: string | undefined, input: ResourceInput): Promise<ResourceObject> {
    // The value is sealed for a name, so that there must be one before the general storage would make it.
    const name = nameFor(input.metadata, Math.random);
    const write = new Write(this.#values, context, required(namespace), name);
    const object = await write.next({ ...input, metadata: { ...input.metadata, name } }, undefined);
    return write.finish(() => this.#general.create(context, namespace, object));
  }

  async update(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<{ readonly object: ResourceObject; readonly created: boolean }> {
    if (options.subresource === "status") {
      throw new StatusError("MethodNotAllowed", "the status of a SecureValue is written by the platform only");
    }
    const write = new Write(this.#values, context, required(namespace), name);
    let created = false;
    const object = await write.finish(async () => {
      const updated = await this.#general.update(
        context,
        namespace,
        name,
        async (current) => {
          if (current === undefined && !options.allowCreate) throw notFound(SECURE_VALUES, name);
          return write.next(await transform(current === undefined ? undefined : present(current)), current);
        },
        options,
      );
      created = updated.created;
      return updated.object;
    });
    return { object, created };
  }

  async delete(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
  ): Promise<{ readonly object: ResourceObject; readonly gone: boolean }> {
    const deleted = await this.#general.delete(context, namespace, name, options);
    return { ...deleted, object: present(deleted.object) };
  }

  async deleteCollection(context: RequestContext, query: ListQuery, options: DeleteOptions): Promise<ListPage> {
    const page = await this.#general.deleteCollection(context, query, options);
    return { ...page, items: page.items.map(present) };
  }
}

/** One write of an object, which may take several tries. */
class Write {
  readonly #values: ValueKeeping;
  readonly #context: RequestContext;
  readonly #namespace: string;
  readonly #name: string;
  /** The version stored for this write; not yet named by an object. */
  #stored: { readonly id: string; readonly version: number; readonly value: string } | undefined;

  constructor(values: ValueKeeping, context: RequestContext, namespace: string, name: string) {
    this.#values = values;
    this.#context = context;
    this.#namespace = namespace;
    this.#name = name;
  }

  /** What the general storage gets: the object without a value, naming the version in use. */
  async next(input: ResourceInput, current: ResourceObject | undefined): Promise<ResourceInput> {
    const taken = takeValue(input);
    const before = currentVersion(current);
    const causes = secureValueCauses(taken, before?.id !== undefined);
    if (causes.length > 0) throw invalid(KIND, this.#name, causes);
    const next = withCurrentVersion(taken.object, await this.#version(taken, current, before));
    // To server-side apply a value is a change each time, as it never sees one: it would date its entry anew.
    if (current === undefined || !sameJson(undated(next), undated(present(current)))) return next;
    const { managedFields } = current.metadata;
    return managedFields === undefined ? next : { ...next, metadata: { ...next.metadata, managedFields } };
  }

  /** Writes the object, and tidies up after it. */
  async finish(write: () => Promise<ResourceObject>): Promise<ResourceObject> {
    try {
      return present(await write());
    } catch (error) {
      // Of another error nobody knows whether the object was written: then the row is left to the garbage collection.
      if (error instanceof StatusError) await this.#discard();
      throw error;
    }
  }

  async #version(
    taken: Taken,
    current: ResourceObject | undefined,
    before: CurrentVersion | undefined,
  ): Promise<CurrentVersion | undefined> {
    const { value, ref } = wantedOf(taken);
    if (ref !== undefined) {
      const same = (current?.spec as SecureValueSpec | undefined)?.ref === ref;
      return same && before !== undefined ? before : { version: (before?.version ?? 0) + 1, id: undefined };
    }
    if (value === undefined) return before;
    // Whether it is another value than the present one may be learnt only by replacing it: a dry run must not tell.
    if (this.#context.dryRun) return before;
    return this.#store(value, before);
  }

  /** Stores the value, unless it is the one in use: what is applied over and over makes no versions. */
  async #store(value: string, before: CurrentVersion | undefined): Promise<CurrentVersion> {
    const stored = this.#stored;
    if (stored?.value !== value || stored.version <= (before?.version ?? 0)) {
      await this.#discard();
      const made = await this.#values.store(this.#namespace, this.#name, value, before?.version ?? 0);
      this.#stored = { ...made, value };
    }
    if (before?.id !== undefined && (await this.#values.expose(this.#namespace, this.#name, before.id)) === value) {
      await this.#discard();
      return before;
    }
    const { id, version } = this.#stored ?? { id: undefined, version: 0 };
    return { id, version };
  }

  async #discard(): Promise<void> {
    const stored = this.#stored;
    this.#stored = undefined;
    if (stored !== undefined) await this.#values.discard(stored.id);
  }
}

/** The object without the times of its managed fields. */
function undated({ metadata, ...rest }: ResourceInput): unknown {
  const managedFields = metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...rest, metadata: { ...metadata, managedFields } };
}

function required(namespace: string | undefined): string {
  if (namespace === undefined || namespace === "") throw badRequest("a SecureValue stands in a namespace");
  return namespace;
}
