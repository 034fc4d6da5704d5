import { RegistryError } from "../registry.ts";
import { isDigest } from "../digest.ts";

const NAME = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** A repository's name for a path; throws `refused` if it is none. @see distribution-spec, "Pulling manifests" */
export function checkedName(name: string): string {
  if (name.length <= 255 && NAME.test(name)) return name;
  throw new RegistryError("refused", `${JSON.stringify(name.slice(0, 100))} is not the name of a repository`);
}

/** A tag or digest for a path; throws `refused` if it is neither. */
export function checkedReference(reference: string): string {
  if (TAG.test(reference) || isDigest(reference)) return reference;
  throw new RegistryError("refused", `${JSON.stringify(reference.slice(0, 100))} is neither a tag nor a digest`);
}

/** A digest for a path; throws `refused` if it is none. */
export function checkedDigest(digest: string): string {
  if (isDigest(digest)) return digest;
  throw new RegistryError("refused", `${JSON.stringify(digest.slice(0, 100))} is not a digest`);
}
