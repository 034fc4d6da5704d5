import {
  type BegunWrite,
  type CreateWrite,
  decorateEach,
  invalid,
  type ResourceInput,
  type ResourceObject,
  sameJson,
  StatusError,
  type StorageHooks,
} from "../resources/index.ts";
import { type CurrentVersion, currentVersion, present, withCurrentVersion } from "./current-version.ts";
import type { SecureValueSpec } from "./kinds.ts";
import { secureValueCauses, wantedOf } from "./secure-value-rules.ts";
import { takeValue, type Taken } from "./write-only.ts";
import { SECRET_GROUP } from "./names.ts";

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

/** The version that a write puts in use, and the row that was stored for it, which no object names yet. */
interface WantedVersion {
  readonly current: CurrentVersion | undefined;
  readonly storedId?: string;
}

/**
 * SecureValues are kept without their values. A value is taken out of every write before anything else sees it, and stored
 * first; then the object is written, which names the version in use. So a crash in between leaves the old value in use,
 * and a row for the garbage collection. The database notes which version is in use, in the write of the object.
 */
export function secureValueHooks(values: ValueKeeping): StorageHooks {
  return {
    refuse: ["restore"],
    begin({ subresource }) {
      if (subresource === undefined) return;
      throw new StatusError("MethodNotAllowed", "the status of a SecureValue is written by the platform only");
    },
    decorate: () => decorateEach(present),
    beginCreate: (write) => beginWrite(values, write, undefined),
    beginUpdate: (write) => beginWrite(values, write, write.previous),
  };
}

/** Stores the value of a write, and makes the object that names it. */
async function beginWrite(
  values: ValueKeeping,
  write: CreateWrite,
  previous: ResourceObject | undefined,
): Promise<BegunWrite> {
  const taken = takeValue(write.sent);
  const causes = secureValueCauses(taken, currentVersion(previous)?.id !== undefined);
  if (causes.length > 0) throw invalid(KIND, write.ref.name, causes);
  const { current, storedId } = await wantedVersion(values, write, taken, previous);
  const object = keepTimes(withCurrentVersion(taken.object, current), previous);
  if (storedId === undefined) return { object };
  return {
    object,
    async finish(outcome) {
      // Of an unknown outcome nobody knows whether an object names it: the row is left to the garbage collection.
      if (outcome === "dropped") await values.discard(storedId);
    },
  };
}

async function wantedVersion(
  values: ValueKeeping,
  { context, ref }: CreateWrite,
  taken: Taken,
  previous: ResourceObject | undefined,
): Promise<WantedVersion> {
  const before = currentVersion(previous);
  const { value, ref: external } = wantedOf(taken);
  if (external !== undefined) {
    const same = (previous?.spec as SecureValueSpec | undefined)?.ref === external;
    return { current: same && before !== undefined ? before : { version: (before?.version ?? 0) + 1, id: undefined } };
  }
  // Whether it is another value than the present one may be learnt only by replacing it: a dry run must not tell.
  if (value === undefined || context.dryRun) return { current: before };
  const { namespace = "", name } = ref;
  const { id, version } = await values.store(namespace, name, value, before?.version ?? 0);
  // What is applied over and over makes no versions.
  if (before?.id === undefined || (await values.expose(namespace, name, before.id)) !== value) {
    return { current: { id, version }, storedId: id };
  }
  await values.discard(id);
  return { current: before };
}

/** To server-side apply a value is a change each time, as it never sees one: if nothing else is, entries keep their dates. */
function keepTimes(next: ResourceInput, previous: ResourceObject | undefined): ResourceInput {
  const managedFields = previous?.metadata.managedFields;
  if (previous === undefined || managedFields === undefined) return next;
  if (!sameJson(undated(next), undated(present(previous)))) return next;
  return { ...next, metadata: { ...next.metadata, managedFields } };
}

/** The object without the times of its managed fields. */
function undated({ metadata, ...rest }: ResourceInput): unknown {
  const managedFields = metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...rest, metadata: { ...metadata, managedFields } };
}
