export type { BlobIndex } from "./blob-index.ts";
export type { LinkedBlob } from "./blob-link-store.ts";
export type { BlobStore, ByteRange } from "./blob-store.ts";
export { type Content, createContent } from "./compose.ts";
export type {
  ContentFilter,
  ContentListStore,
  ContentPage,
  ContentPosition,
  ListedManifest,
  ListedRepository,
  ListedTag,
} from "./content-list-store.ts";
export type { ContentUsage } from "./content-usage-store.ts";
export { DiskBlobStore } from "./disk-blob-store.ts";
export { EdgeCache, type EdgePorts } from "./edge-cache.ts";
export type { ContentFailure, Sought } from "./failure.ts";
export type { GarbageCollector } from "./garbage-collector.ts";
export { MAX_MANIFEST_BYTES } from "./pushed-manifest.ts";
export type { StoredManifest } from "./manifest-store.ts";
export type { ManifestPushed, Manifests, Referrer } from "./manifests.ts";
export type { Names } from "./names.ts";
export { PartMemory } from "./part-memory.ts";
export { R2BlobStore } from "./r2-blob-store.ts";
export { presigner, S3BlobStore } from "./s3-blob-store.ts";
export { uploadSessionClass } from "./upload-session-object.ts";
export type { UploadAccount } from "./upload-session.ts";
export type { UploadAddress, UploadBody, Uploads } from "./uploads.ts";
