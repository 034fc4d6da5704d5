import type { CredentialStore, CredentialSummary, SettingsAccount } from "../access/index.ts";
import type { Clock } from "../platform/index.ts";
import {
  type CreateWrite,
  type Decorator,
  type FullStorage,
  ignoring,
  type KindKey,
  type ObjectRef,
  type RequestContext,
  type ResourceInput,
  type ResourceObject,
  sameJson,
  StatusError,
  type StorageHooks,
} from "../resources/index.ts";

/** How long a watch may show counts that it read before, in milliseconds. */
const SUMMARY_AGE_MS = 1000;

const NOTHING: CredentialSummary = { passwordSet: false, keys: 0 };

/** What is special about a kind of account. */
export interface AccountKind {
  readonly key: KindKey;
  readonly identityOf: (ref: ObjectRef) => string;
  readonly statusOf: (summary: CredentialSummary) => unknown;
  /**
   * What is stored of what a client sent; all of it unless given.
   * @throws {StatusError} Invalid, Forbidden
   */
  readonly stored?: (write: CreateWrite, previous: ResourceObject | undefined) => Promise<ResourceInput>;
  /** What is left to do when the object was written. Not called in a dry run. */
  readonly written?: (write: CreateWrite) => Promise<void>;
}

/** What storing accounts works with. */
export interface AccountPorts {
  readonly credentials: Pick<CredentialStore, "forget" | "summaries">;
  /** What the settings give to a name: its credentials are there without an object. */
  readonly settingsAccount: (name: string) => SettingsAccount | undefined;
  readonly clock: Clock;
}

/**
 * Accounts keep their credentials elsewhere, under the identity's name: they go when the object does, and what a former
 * account of the name may have left is taken away before another one is made. The status is counted whenever an account is
 * shown.
 */
export function accountHooks(general: FullStorage, kind: AccountKind, ports: AccountPorts): StorageHooks {
  const { credentials, clock } = ports;
  const { key, identityOf, stored, written } = kind;

  const withStatus = (object: ResourceObject, summaries: ReadonlyMap<string, CredentialSummary>): ResourceObject => ({
    ...object,
    status: kind.statusOf(summaries.get(identityOf(object.metadata)) ?? NOTHING),
  });
  const counted: Decorator = async (objects) => {
    const summaries = await credentials.summaries(objects.map(({ metadata }) => identityOf(metadata)));
    return objects.map((object) => withStatus(object, summaries));
  };

  /** Counts of all at once: one question for each event would be a thousand for a watch that begins with them all. */
  function countedWhileWatched(): Decorator {
    let known: { readonly at: number; readonly summaries: ReadonlyMap<string, CredentialSummary> } | undefined;
    return async (objects) => {
      const now = clock();
      if (known === undefined || now - known.at > SUMMARY_AGE_MS) {
        known = { at: now, summaries: await credentials.summaries() };
      }
      const { summaries } = known;
      return objects.map((object) => withStatus(object, summaries));
    };
  }

  /**
   * Takes away what an earlier account of the name left, if the process ended between its deletion and theirs. Only what
   * is older than this: another one may be making the same account.
   */
  async function forgetFormer(context: RequestContext, ref: ObjectRef): Promise<void> {
    const until = clock();
    const identity = identityOf(ref);
    if (context.dryRun || ports.settingsAccount(identity) !== undefined) return;
    const present = await general.get(context, ref).catch(ignoring("NotFound"));
    if (present === undefined) await credentials.forget([identity], until);
  }

  return {
    refuse: ["restore"],
    begin({ subresource }) {
      if (subresource === undefined) return;
      throw new StatusError("MethodNotAllowed", `the status of ${key.plural} is written by the platform only`);
    },
    decorate(purpose) {
      switch (purpose) {
        case "past":
        case "change":
        case "delete":
          return undefined;
        case "watch":
          return countedWhileWatched();
        default:
          return counted;
      }
    },
    async beginCreate(write) {
      const object = (await stored?.(write, undefined)) ?? write.sent;
      await forgetFormer(write.context, write.ref);
      return { object };
    },
    async beginUpdate(write) {
      const object = (await stored?.(write, write.previous)) ?? write.sent;
      return { object: write.ownersGiven ? withoutNewTimes(object, write.previous) : object };
    },
    async afterCreate(object, write) {
      await written?.(write);
      return object;
    },
    async afterUpdate(object, write) {
      await written?.(write);
      return object;
    },
    async afterDelete({ metadata }, { gone }) {
      if (gone) await credentials.forget([identityOf(metadata)]);
    },
  };
}

/** To server-side apply a write-only field is a change each time: if nothing else is one, the entries keep their dates. */
function withoutNewTimes(next: ResourceInput, current: ResourceObject): ResourceInput {
  const { managedFields } = current.metadata;
  if (managedFields === undefined || !sameJson(undated(next), undated(current))) return next;
  return { ...next, metadata: { ...next.metadata, managedFields } };
}

function undated({ metadata, status: _status, ...rest }: ResourceInput): unknown {
  const managedFields = metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...rest, metadata: { ...metadata, managedFields } };
}
