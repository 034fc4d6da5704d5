import type { Digest } from "../oci/index.ts";
import type { Result } from "../platform/index.ts";

/** Everything that may go wrong in the content kernel and is not a bug. Each surface has one switch over it. */
export type ContentFailure =
  | { readonly reason: "repository-unknown" }
  | { readonly reason: "manifest-unknown" }
  | { readonly reason: "manifest-invalid"; readonly message: string }
  | { readonly reason: "manifest-too-large"; readonly limit: number }
  | { readonly reason: "manifest-references-unknown"; readonly missing: readonly Digest[] }
  | { readonly reason: "blob-unknown"; readonly digest: Digest }
  | { readonly reason: "blob-in-use"; readonly digest: Digest; readonly manifest: Digest }
  | { readonly reason: "digest-mismatch"; readonly expected: Digest; readonly actual: Digest | undefined }
  | { readonly reason: "size-mismatch"; readonly message: string }
  | { readonly reason: "upload-unknown" }
  | { readonly reason: "upload-busy" }
  /** So many bodies are being received that there is no memory for another. */
  | { readonly reason: "uploads-crowded" }
  /** The account has as many uploads open as it may. */
  | { readonly reason: "uploads-too-many"; readonly limit: number }
  | { readonly reason: "upload-out-of-order"; readonly expected: number }
  | { readonly reason: "upload-interrupted"; readonly received: number };

/** What was looked up already, and is remembered when it is asked for; it may be left. */
export type Sought<T> = () => Promise<Result<T, ContentFailure>>;
