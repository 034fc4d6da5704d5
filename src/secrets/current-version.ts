import { isRecord, type ResourceInput, type ResourceObject } from "../resources/index.ts";
import type { SecureValueSpec, SecureValueStatus } from "./kinds.ts";
import { shown } from "./write-only.ts";
import { SYSTEM_KEEPER } from "./names.ts";

/**
 * Names the version in use: `<version>/<id of its row>`, or `<version>` alone where the keeper has it. It stands in the
 * object, so that the value changes in the very write that changes who may read it; clients cannot set it.
 */
const CURRENT = "secret.entrepot.dev/current";

/** The version of a value that an object says is in use. */
export interface CurrentVersion {
  readonly version: number;
  /** Row of the value; absent for a `ref`. */
  readonly id: string | undefined;
}

/** The version in use, or `undefined` if there is none yet. */
export function currentVersion(object: Pick<ResourceObject, "metadata"> | undefined): CurrentVersion | undefined {
  const [, version, id] =
    /^([0-9]{1,15})(?:\/([0-9a-f-]{36}))?$/.exec(object?.metadata.annotations?.[CURRENT] ?? "") ?? [];
  return version === undefined ? undefined : { version: Number(version), id };
}

/** The object with another version in use; with none, whatever a client wrote there goes. */
export function withCurrentVersion(object: ResourceInput, current: CurrentVersion | undefined): ResourceInput {
  const given = object.metadata.annotations ?? {};
  // Something else than a map is left for the general storage to refuse.
  if (!isRecord(given) || (current === undefined && !Object.hasOwn(given, CURRENT))) return object;
  const { [CURRENT]: _given, ...annotations } = given;
  if (current === undefined) return { ...object, metadata: { ...object.metadata, annotations } };
  const text = current.id === undefined ? String(current.version) : `${current.version}/${current.id}`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [CURRENT]: text } } };
}

/** A stored SecureValue as clients see it: with its status, and in no case with a value. */
export function present(object: ResourceObject): ResourceObject {
  const { status: _status, ...rest } = object;
  const spec: SecureValueSpec = shown(object.spec ?? {});
  const current = currentVersion(object);
  if (current === undefined) return { ...rest, spec };
  const externalID = spec.ref ?? current.id;
  const status: SecureValueStatus = {
    version: current.version,
    keeper: spec.keeper ?? SYSTEM_KEEPER,
    ...(externalID === undefined ? {} : { externalID }),
  };
  return { ...rest, spec, status };
}
