import { RegistryError } from "../registry.ts";
import { type Digest, parseDigest, parseRepositoryName, parseTag } from "../../oci/index.ts";

/** A repository's name for a path; throws `refused` if it is none. @see distribution-spec, "Pulling manifests" */
export function checkedName(name: string): string {
  if (parseRepositoryName(name) !== undefined) return name;
  throw new RegistryError("refused", `${JSON.stringify(name.slice(0, 100))} is not the name of a repository`);
}

/** A tag or digest for a path; throws `refused` if it is neither. */
export function checkedReference(reference: string): string {
  if (parseTag(reference) !== undefined || parseDigest(reference) !== undefined) return reference;
  throw new RegistryError("refused", `${JSON.stringify(reference.slice(0, 100))} is neither a tag nor a digest`);
}

/** A digest for a path; throws `refused` if it is none. */
export function checkedDigest(digest: string): Digest {
  const parsed = parseDigest(digest);
  if (parsed !== undefined) return parsed;
  throw new RegistryError("refused", `${JSON.stringify(digest.slice(0, 100))} is not a digest`);
}
