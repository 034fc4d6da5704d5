export { copyImage } from "./copy-image.ts";
export type {
  BlobCounts,
  CopyItem,
  CopyOutcome,
  CopyPorts,
  CopyResult,
  CopyRules,
  CopySource,
  CopyTarget,
  TargetResult,
} from "./copy-contract.ts";
export { createPlacedBlobs, type PlacedBlobs } from "./placed-blobs.ts";
export { configJson, isImageConfig, platformOf, readConfig } from "./image-config.ts";
export { parsedManifest } from "./parsed-manifest.ts";
export {
  changesDigest,
  decideTag,
  memoryWrittenDigests,
  type SelectedImage,
  selectionText,
  type WrittenDigests,
} from "./written-digests.ts";
