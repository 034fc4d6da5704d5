import type { CredentialStore, CredentialSummary, SettingsAccount } from "../access/index.ts";
import type { Clock } from "../platform/index.ts";
import {
  type DeleteOptions,
  ignoring,
  type KindKey,
  type ListPage,
  type ListQuery,
  nameFor,
  notFound,
  type RequestContext,
  type ResourceInput,
  type ResourceObject,
  sameJson,
  type StatusCause,
  type Storage,
  StatusError,
  type Transform,
  type UpdateOptions,
  type WatchFrame,
  type WatchQuery,
} from "../resources/index.ts";

/** How long a watch may show counts that it read before, in milliseconds. */
const SUMMARY_AGE = 1000;

const NOTHING: CredentialSummary = { passwordSet: false, keys: 0 };

/** One write of an account, which may take several tries. */
export interface AccountWrite {
  /** What is stored of what a client sent. @throws {StatusError} Invalid, Forbidden */
  next(input: ResourceInput, current: ResourceObject | undefined): Promise<ResourceInput>;
  /** What is left to do when the object has been written. Not called in a dry run. */
  written(): Promise<void>;
}

/** What is special about a kind of account. */
export interface AccountKind {
  readonly key: KindKey;
  readonly checkName: (name: string) => readonly StatusCause[];
  readonly identityOf: (namespace: string | undefined, name: string) => string;
  readonly statusOf: (summary: CredentialSummary) => unknown;
  readonly write: (context: RequestContext, identity: string, name: string) => AccountWrite;
}

/** What storing accounts works with. */
export interface AccountStoragePorts {
  readonly credentials: Pick<CredentialStore, "forget" | "summaries">;
  /** What the settings give to a name: its credentials are there without an object. */
  readonly settingsAccount: (name: string) => SettingsAccount | undefined;
  readonly clock: Clock;
}

/**
 * Accounts in the general storage. Their credentials are kept elsewhere, under the identity's name: they go when the
 * object does, and what a former account of the name may have left is taken away before another one is made. The status
 * is counted whenever an account is shown.
 */
export class AccountStorage implements Required<Storage> {
  readonly #general: Required<Storage>;
  readonly #kind: AccountKind;
  readonly #ports: AccountStoragePorts;

  constructor(general: Required<Storage>, kind: AccountKind, ports: AccountStoragePorts) {
    this.#general = general;
    this.#kind = kind;
    this.#ports = ports;
  }

  async get(context: RequestContext, namespace: string | undefined, name: string): Promise<ResourceObject> {
    return this.#counted(await this.#general.get(context, namespace, name));
  }

  async list(context: RequestContext, query: ListQuery): Promise<ListPage> {
    const page = await this.#general.list(context, query);
    if (query.source !== "current" || page.items.length === 0) return page;
    const summaries = await this.#ports.credentials.summaries(page.items.map((item) => this.#identity(item)));
    return { ...page, items: page.items.map((item) => this.#withStatus(item, summaries)) };
  }

  async *watch(context: RequestContext, query: WatchQuery): AsyncIterable<WatchFrame> {
    // Counts of all at once: one question for each event would be a thousand for a watch that begins with them all.
    let known: { readonly at: number; readonly summaries: ReadonlyMap<string, CredentialSummary> } | undefined;
    for await (const frame of this.#general.watch(context, query)) {
      if (!("object" in frame)) {
        yield frame;
        continue;
      }
      const now = this.#ports.clock();
      if (known === undefined || now - known.at > SUMMARY_AGE) {
        known = { at: now, summaries: await this.#ports.credentials.summaries() };
      }
      yield { ...frame, object: this.#withStatus(frame.object, known.summaries) };
    }
  }

  async create(context: RequestContext, namespace: string | undefined, input: ResourceInput): Promise<ResourceObject> {
    const name = nameFor(input.metadata, Math.random);
    const write = this.#kind.write(context, this.#kind.identityOf(namespace, name), name);
    const object = await write.next({ ...input, metadata: { ...input.metadata, name } }, undefined);
    await this.#forgetFormer(context, namespace, name);
    const created = await this.#general.create(context, namespace, object);
    if (!context.dryRun) await write.written();
    return this.#counted(created);
  }

  async update(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<{ readonly object: ResourceObject; readonly created: boolean }> {
    const { key } = this.#kind;
    if (options.subresource === "status") {
      throw new StatusError("MethodNotAllowed", `the status of ${key.plural} is written by the platform only`);
    }
    const write = this.#kind.write(context, this.#kind.identityOf(namespace, name), name);
    const { object, created } = await this.#general.update(
      context,
      namespace,
      name,
      async (current) => {
        if (current === undefined && !options.allowCreate) throw notFound(key, name);
        const next = await write.next(await transform(current), current);
        if (current === undefined) await this.#forgetFormer(context, namespace, name);
        return options.ownersGiven === true ? withoutNewTimes(next, current) : next;
      },
      options,
    );
    if (!context.dryRun) await (isGone(object) ? this.#forget([object]) : write.written());
    return { object: await this.#counted(object), created };
  }

  async delete(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
  ): Promise<{ readonly object: ResourceObject; readonly gone: boolean }> {
    const deleted = await this.#general.delete(context, namespace, name, options);
    if (deleted.gone && !context.dryRun) await this.#forget([deleted.object]);
    return deleted;
  }

  async deleteCollection(context: RequestContext, query: ListQuery, options: DeleteOptions): Promise<ListPage> {
    const page = await this.#general.deleteCollection(context, query, options);
    if (!context.dryRun) await this.#forget(page.items.filter(isGone));
    return page;
  }

  #identity({ metadata }: ResourceObject): string {
    return this.#kind.identityOf(metadata.namespace, metadata.name);
  }

  #forget(objects: readonly ResourceObject[]): Promise<void> {
    return this.#ports.credentials.forget(objects.map((object) => this.#identity(object)));
  }

  /**
   * Takes away what an earlier account of the name left, if the process ended between its deletion and theirs. Only what
   * is older than this: another one may be making the same account.
   */
  async #forgetFormer(context: RequestContext, namespace: string | undefined, name: string): Promise<void> {
    const until = this.#ports.clock();
    const identity = this.#kind.identityOf(namespace, name);
    // A name that is refused later may be how another account's identity is called.
    if (context.dryRun || this.#kind.checkName(name).length > 0) return;
    if (this.#ports.settingsAccount(identity) !== undefined) return;
    const present = await this.#general.get(context, namespace, name).catch(ignoring("NotFound"));
    if (present === undefined) await this.#ports.credentials.forget([identity], until);
  }

  async #counted(object: ResourceObject): Promise<ResourceObject> {
    return this.#withStatus(object, await this.#ports.credentials.summaries([this.#identity(object)]));
  }

  #withStatus(object: ResourceObject, summaries: ReadonlyMap<string, CredentialSummary>): ResourceObject {
    return { ...object, status: this.#kind.statusOf(summaries.get(this.#identity(object)) ?? NOTHING) };
  }
}

/** To server-side apply a write-only field is a change each time: if nothing else is one, the entries keep their dates. */
function withoutNewTimes(next: ResourceInput, current: ResourceObject | undefined): ResourceInput {
  const managedFields = current?.metadata.managedFields;
  if (current === undefined || managedFields === undefined || !sameJson(undated(next), undated(current))) return next;
  return { ...next, metadata: { ...next.metadata, managedFields } };
}

function undated({ metadata, status: _status, ...rest }: ResourceInput): unknown {
  const managedFields = metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...rest, metadata: { ...metadata, managedFields } };
}

/** Whether a write was the last: it let go of an object that waited to be deleted. */
function isGone({ metadata }: ResourceObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}
