/** A reference to content: what it is, how to find it, how long it is. @see OCI image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:<hex>` or `sha512:<hex>`. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  /** Where else the content is; foreign layers have it. */
  readonly urls?: readonly string[];
  /** The content itself, in base64. */
  readonly data?: string;
}

/** What an image in an index runs on. @see OCI image-spec, image-index.md */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** A manifest as its registry keeps it, byte for byte. */
export interface ManifestContent {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** What a `HEAD` of a manifest says. */
export interface ManifestHead {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}
