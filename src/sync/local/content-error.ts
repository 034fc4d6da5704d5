import type { ContentFailure } from "../../content/index.ts";
import { RegistryError, type RegistryFailure } from "../../mirror/index.ts";

/** What a failure of the content kernel is to a copy. */
export function contentError(failure: ContentFailure, what: string): RegistryError {
  const [kind, reason] = reasonOf(failure);
  return new RegistryError(kind, `this registry: ${what}: ${reason}`);
}

function reasonOf(failure: ContentFailure): readonly [RegistryFailure, string] {
  switch (failure.reason) {
    case "repository-unknown":
      return ["missing", "there is no such repository"];
    case "manifest-unknown":
      return ["missing", "there is no such manifest"];
    case "blob-unknown":
      return ["missing", `there is no blob ${failure.digest}`];
    case "manifest-references-unknown":
      return ["missing", `it needs content that is not there: ${failure.missing.slice(0, 3).join(", ")}`];
    case "manifest-invalid":
      return ["refused", failure.message];
    case "manifest-too-large":
      return ["refused", `it is larger than ${failure.limit} bytes`];
    case "blob-in-use":
      return ["conflict", `${failure.digest} is in use`];
    case "digest-mismatch":
      return ["corrupt", `the bytes are not those of ${failure.expected}`];
    case "size-mismatch":
      return ["transient", failure.message];
    case "upload-unknown":
      return ["transient", "the upload is gone"];
    case "upload-busy":
      return ["transient", "the upload is busy"];
    case "uploads-crowded":
      return ["transient", "too many uploads are being received"];
    case "uploads-too-many":
      return ["transient", `${failure.limit} uploads are open`];
    case "upload-out-of-order":
      return ["transient", `the upload stands at byte ${failure.expected}`];
    case "upload-interrupted":
      return ["transient", `the upload broke off at byte ${failure.received}`];
  }
}

/**
 * What `work` resolves to. What it throws besides a `RegistryError` is trouble with the database or the store, which may
 * pass.
 */
export async function attempted<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof RegistryError) throw cause;
    throw new RegistryError("transient", `this registry: ${what} failed`, { cause });
  }
}
