export { type Descriptor, tolerantDescriptorSchema } from "./descriptor.ts";
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestBytes,
  digestHex,
  digestOf,
  isDigestAlgorithm,
  parseDigest,
} from "./digest.ts";
export { type Manifest, type ManifestFailure, parseManifest } from "./manifest.ts";
export {
  essence,
  isImageManifest,
  isIndex,
  isManifest,
  isNonDistributable,
  isSchema1,
  MEDIA_TYPES,
} from "./media-type.ts";
export type { Platform } from "./platform.ts";
export { parseReference, type Reference, type ReferenceFailure, referenceText } from "./reference.ts";
export {
  DEFAULT_NAMESPACE,
  isPathComponent,
  type Namespace,
  namespaceOf,
  parseRepositoryName,
  type RepositoryName,
} from "./repository-name.ts";
export { formatScopes, parseScopes, SCOPE_LIMITS, type ScopeAccess } from "./scope.ts";
export { parseTag, type Tag } from "./tag.ts";
