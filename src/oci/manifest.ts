import * as z from "zod";
import { err, ok, type Result } from "../platform/index.ts";
import { type Descriptor, descriptorSchema, tolerantDescriptorSchema } from "./descriptor.ts";
import { essence, isImageManifest, isIndex, isManifest, isSchema1, MEDIA_TYPES } from "./media-type.ts";

/** What a manifest's bytes say. */
export interface Manifest {
  readonly mediaType: string;
  readonly kind: "image" | "index";
  readonly config: Descriptor | undefined;
  /** Of an image; the blobs of an artifact manifest. */
  readonly layers: readonly Descriptor[];
  /** Of an index. */
  readonly children: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  /** For referrers: `artifactType`, or an image's config media type, or absent. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Why bytes are no manifest; the message is a sentence for people. */
export interface ManifestFailure {
  readonly reason: "schema-1" | "invalid";
  readonly message: string;
}

const texts = z.record(z.string(), z.string());

const strictBody = z.object({
  schemaVersion: z.literal(2),
  artifactType: z.string().optional(),
  config: descriptorSchema.optional(),
  layers: z.array(descriptorSchema).nullish(),
  /** Nothing to the specification. */
  blobs: z.undefined().catch(undefined),
  manifests: z.array(descriptorSchema).nullish(),
  subject: descriptorSchema.nullish(),
  annotations: texts.nullish(),
});
const tolerantBody = z.object({
  artifactType: z.string().optional().catch(undefined),
  config: tolerantDescriptorSchema.nullish(),
  layers: z.array(tolerantDescriptorSchema).nullish(),
  /** Of the artifact manifest. */
  blobs: z.array(tolerantDescriptorSchema).nullish(),
  manifests: z.array(tolerantDescriptorSchema).nullish(),
  subject: tolerantDescriptorSchema.nullish(),
  annotations: texts.nullish().catch(undefined),
});

/**
 * Parses the bytes of a manifest that came with `contentType`.
 * @param tolerant of what another registry keeps: all but digests and sizes may be wrong, the type may be `application/json`
 *   or that of the artifact manifest, and the body is then what it says or looks like
 * @see OCI image-spec, manifest.md and image-index.md
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  { tolerant = false }: { readonly tolerant?: boolean } = {},
): Result<Manifest, ManifestFailure> {
  const sent = contentType === undefined ? undefined : essence(contentType);
  if (sent !== undefined && isSchema1(sent)) return err(SCHEMA_1);
  const json = parseJson(bytes);
  if (!json.ok) return json;
  const body = json.value;
  if (body["schemaVersion"] === 1) return err(SCHEMA_1);
  const mediaType = tolerant ? foundType(body, sent) : statedType(body, sent);
  if (!mediaType.ok) return mediaType;
  const kind = isIndex(mediaType.value) ? "index" : "image";
  // A body of one type under the media type of the other is how a digest could be given two meanings (CVE-2021-41190).
  if (kind === "image" && isThere(body["manifests"], tolerant))
    return invalid("the media type is that of an image manifest, which has no manifests");
  if (kind === "index" && (isThere(body["config"], tolerant) || isThere(body["layers"], tolerant))) {
    return invalid("the media type is that of an index, which has neither config nor layers");
  }
  const parsed = (tolerant ? tolerantBody : strictBody).safeParse(body);
  if (!parsed.success) return invalid(firstIssue(parsed.error));
  const { config, layers, blobs, manifests, subject, artifactType, annotations } = parsed.data;
  if (kind === "image" && !tolerant && config === undefined) return invalid("config: an image manifest has one");
  return ok({
    mediaType: mediaType.value,
    kind,
    config: config ?? undefined,
    layers: [...(layers ?? []), ...(blobs ?? [])],
    children: manifests ?? [],
    subject: subject ?? undefined,
    artifactType: artifactType ?? config?.mediaType,
    annotations: annotations ?? undefined,
  });
}

const SCHEMA_1: ManifestFailure = {
  reason: "schema-1",
  message:
    "Docker image manifest schema 1 is not supported: it was removed from Docker Engine; push the image again with a current client",
};

function invalid(message: string): Result<never, ManifestFailure> {
  return err({ reason: "invalid", message });
}

function parseJson(bytes: Uint8Array): Result<Record<string, unknown>, ManifestFailure> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return invalid(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return invalid("not a JSON object");
  return ok(value as Record<string, unknown>);
}

/** The type by the specification: header and body agree, and it is that of a manifest. */
function statedType(body: Record<string, unknown>, sent: string | undefined): Result<string, ManifestFailure> {
  const stated = body["mediaType"];
  if (stated !== undefined && typeof stated !== "string") return invalid("mediaType is not a string");
  const mediaType = sent ?? stated ?? likeliestType(body);
  if (!isImageManifest(mediaType) && !isIndex(mediaType)) {
    return invalid(`media type is not that of a manifest: ${mediaType.slice(0, 200)}`);
  }
  if (stated !== undefined && stated !== mediaType) {
    return invalid(`mediaType is ${stated.slice(0, 200)} but Content-Type is ${mediaType}`);
  }
  return ok(mediaType);
}

/** The type of what was found: that of the answer if it is one of manifests, else what the body says or looks like. */
function foundType(body: Record<string, unknown>, sent: string | undefined): Result<string, ManifestFailure> {
  if (sent !== undefined && isManifest(sent)) {
    return ok(sent);
  }
  const stated = body["mediaType"];
  return ok(typeof stated === "string" ? essence(stated) : likeliestType(body));
}

function likeliestType(body: Record<string, unknown>): string {
  return Array.isArray(body["manifests"]) ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
}

/** Some tools write `null` for what is not there. */
function isThere(value: unknown, tolerant: boolean): boolean {
  return value !== undefined && !(tolerant && value === null);
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "invalid" : `${issue.path.join(".") || "manifest"}: ${issue.message}`;
}
