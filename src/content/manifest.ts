import * as z from "zod";
import { err, ok, type Result } from "../platform/index.ts";
import { childDescriptorSchema, descriptorSchema } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { essence, isImageManifest, isIndex, isNonDistributable, isSchema1, MEDIA_TYPES } from "./media-type.ts";

/** Largest manifest accepted, in bytes. @see OCI distribution-spec: registries should accept at least 4 MiB */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Most content that one manifest may name. The database takes their digests as one text of at most 2 MB. */
const MAX_REFERENCES = 10_000;

/** Content that a manifest names. Only what is `required` must be in the repository before the manifest. */
export interface ManifestReference {
  readonly kind: "config" | "layer" | "manifest";
  readonly digest: Digest;
  readonly required: boolean;
}

/** A child of an index, with what is needed to choose one for a platform. */
export interface PlatformChild {
  readonly digest: Digest;
  readonly os: string | undefined;
  readonly architecture: string | undefined;
}

/** What a manifest's bytes say; the bytes themselves are kept as they were pushed. */
export interface Manifest {
  readonly mediaType: string;
  /** For referrers: `artifactType`, or an image's config media type, or absent. */
  readonly artifactType: string | undefined;
  readonly subject: Digest | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly references: readonly ManifestReference[];
  readonly children: readonly PlatformChild[];
}

const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: descriptorSchema.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
};
const imageSchema = z.object({
  ...common,
  config: descriptorSchema,
  layers: z.array(descriptorSchema).nullish(),
});
const indexSchema = z.object({
  ...common,
  manifests: z.array(childDescriptorSchema).nullish(),
});

/**
 * Parses the bytes of a manifest that was sent with `contentType`. The failure is a sentence for the client.
 * @see OCI image-spec, manifest.md and image-index.md
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Result<Manifest, string> {
  const sent = contentType === undefined ? undefined : essence(contentType);
  if (sent !== undefined && isSchema1(sent)) return err(SCHEMA_1_REFUSED);
  const json = parseJson(bytes);
  if (!json.ok) return json;
  const body = json.value;
  if (body["schemaVersion"] === 1) return err(SCHEMA_1_REFUSED);
  const stated = body["mediaType"];
  if (stated !== undefined && typeof stated !== "string") return err("mediaType is not a string");
  const mediaType =
    sent ?? stated ?? (Array.isArray(body["manifests"]) ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest);
  if (!isImageManifest(mediaType) && !isIndex(mediaType)) {
    return err(`media type is not that of a manifest: ${mediaType.slice(0, 200)}`);
  }
  if (stated !== undefined && stated !== mediaType) {
    return err(`mediaType is ${stated.slice(0, 200)} but Content-Type is ${mediaType}`);
  }
  const parsed = isIndex(mediaType) ? parseIndex(body, mediaType) : parseImage(body, mediaType);
  if (parsed.ok && parsed.value.references.length > MAX_REFERENCES)
    return err(`names more than ${MAX_REFERENCES} descriptors`);
  return parsed;
}

const SCHEMA_1_REFUSED =
  "Docker image manifest schema 1 is not supported: it was removed from Docker Engine; push the image again with a current client";

function parseJson(bytes: Uint8Array): Result<Record<string, unknown>, string> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return err(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return err("not a JSON object");
  return ok(value as Record<string, unknown>);
}

function parseImage(body: Record<string, unknown>, mediaType: string): Result<Manifest, string> {
  // A body of one type under the media type of the other is how a digest could be given two meanings (CVE-2021-41190).
  if (body["manifests"] !== undefined) return err(`an image manifest has no manifests`);
  const parsed = imageSchema.safeParse(body);
  if (!parsed.success) return err(firstIssue(parsed.error));
  const { config, layers, subject, artifactType, annotations } = parsed.data;
  return ok({
    mediaType,
    artifactType: artifactType ?? config.mediaType,
    subject: subject?.digest,
    annotations: annotations ?? undefined,
    references: [
      { kind: "config", digest: config.digest, required: true },
      ...(layers ?? []).map((layer): ManifestReference => ({
        kind: "layer",
        digest: layer.digest,
        required: !isNonDistributable(layer.mediaType),
      })),
    ],
    children: [],
  });
}

function parseIndex(body: Record<string, unknown>, mediaType: string): Result<Manifest, string> {
  if (body["config"] !== undefined || body["layers"] !== undefined)
    return err("an index has neither config nor layers");
  const parsed = indexSchema.safeParse(body);
  if (!parsed.success) return err(firstIssue(parsed.error));
  const { manifests, subject, artifactType, annotations } = parsed.data;
  return ok({
    mediaType,
    artifactType,
    subject: subject?.digest,
    annotations: annotations ?? undefined,
    references: (manifests ?? []).map((child): ManifestReference => ({
      kind: "manifest",
      digest: child.digest,
      required: true,
    })),
    children: (manifests ?? []).map((child) => ({
      digest: child.digest,
      os: child.platform?.os,
      architecture: child.platform?.architecture,
    })),
  });
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "invalid" : `${issue.path.join(".") || "manifest"}: ${issue.message}`;
}
