import * as z from "zod";
import { descriptorSchema } from "../descriptor-schema.ts";
import type { Descriptor, ManifestContent } from "../descriptor.ts";
import { digestLike } from "../digest.ts";
import { RegistryError } from "../registry.ts";
import { isIndexType, isManifestType, isSchema1Type, OCI_INDEX } from "../media-types.ts";

const bodySchema = z.object({
  mediaType: z.string().optional().catch(undefined),
  artifactType: z.string().optional().catch(undefined),
  config: descriptorSchema.nullish(),
  layers: z.array(descriptorSchema).nullish(),
  /** Of the artifact manifest, which was withdrawn before OCI 1.1 but exists. */
  blobs: z.array(descriptorSchema).nullish(),
  manifests: z.array(descriptorSchema).nullish(),
  subject: descriptorSchema.nullish(),
  annotations: z.record(z.string(), z.string()).nullish().catch(undefined),
});

/** What a manifest names. */
export interface ParsedManifest {
  readonly kind: "image" | "index";
  /** Config first, then layers or the blobs of an artifact. */
  readonly blobs: readonly Descriptor[];
  readonly children: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads what a manifest names.
 * @throws RegistryError "unsupported" for schema 1, "refused" if it is no manifest
 */
export function parseManifest({ bytes, mediaType, digest }: ManifestContent): ParsedManifest {
  const json = jsonObject(bytes, digest);
  if (isSchema1Type(mediaType) || json["schemaVersion"] === 1) {
    throw new RegistryError(
      "unsupported",
      `${digest} is a Docker image manifest of schema 1, which is not supported: push the image again with a current client`,
    );
  }
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RegistryError("refused", `${digest} is no manifest: ${issue?.path.join(".")} ${issue?.message}`);
  }
  const { config, layers, blobs, manifests, subject, artifactType, annotations } = parsed.data;
  // Some registries serve manifests as plain JSON; then the body has to say what it is.
  const stated = isManifestType(mediaType) ? mediaType : (parsed.data.mediaType ?? (manifests ? OCI_INDEX : mediaType));
  const kind = isIndexType(stated) ? "index" : "image";
  // One body under two media types would let a digest mean two things (CVE-2021-41190).
  if (kind === "index" ? (layers ?? config) : manifests) {
    throw new RegistryError("refused", `${digest} has the media type ${mediaType}, but not the fields of one`);
  }
  const type = artifactType ?? config?.mediaType;
  return {
    kind,
    blobs: kind === "index" ? [] : [...(config ? [config] : []), ...(layers ?? []), ...(blobs ?? [])],
    children: manifests ?? [],
    ...(subject ? { subject } : {}),
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations ? { annotations } : {}),
  };
}

/** @throws RegistryError "corrupt" if the bytes are not what the digest says */
export function verifyManifest(content: ManifestContent, digest: string): void {
  const actual = digestLike(digest, content.bytes);
  if (actual !== digest || content.digest !== digest) {
    throw new RegistryError("corrupt", `the manifest ${digest} has other content: ${actual}`);
  }
}

function jsonObject(bytes: Uint8Array, digest: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new RegistryError("refused", `${digest} is no manifest: not JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RegistryError("refused", `${digest} is no manifest: not a JSON object`);
  }
  return value as Record<string, unknown>;
}
