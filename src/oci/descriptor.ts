import * as z from "zod";
import { type Digest, parseDigest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** A pointer to content: what it is, how large, and its digest. @see OCI image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Of a child of an index. Empty texts are what it does not say. */
  readonly platform?: Platform | undefined;
  /** Where else the content is; foreign layers have it. */
  readonly urls?: readonly string[] | undefined;
  /** The content itself, in base64. */
  readonly data?: string | undefined;
}

const digest = z.string().transform((text, context): Digest => {
  const parsed = parseDigest(text);
  if (parsed === undefined) {
    context.addIssue({ code: "custom", message: `not a sha256 or sha512 digest: ${text.slice(0, 100)}` });
    return z.NEVER;
  }
  return parsed;
});
const texts = z.record(z.string(), z.string());
const optional = z.string().optional().catch(undefined);
const seldom = {
  variant: optional,
  "os.version": optional,
  "os.features": z.array(z.string()).optional().catch(undefined),
};

/** A descriptor as the specification has it: what is needed must be right. */
export const descriptorSchema = z.object({
  mediaType: z.string().min(1),
  digest,
  size: z.int().nonnegative(),
  artifactType: z.string().optional(),
  annotations: texts.optional(),
  platform: z.object({ os: z.string().default(""), architecture: z.string().default(""), ...seldom }).optional(),
  urls: z.array(z.string()).optional().catch(undefined),
  data: optional,
}) satisfies z.ZodType<Descriptor>;

/** A descriptor as registries are found to keep it: of all but digest and size, nonsense counts as not given. */
export const tolerantDescriptorSchema = z.object({
  mediaType: z.string().catch("application/octet-stream"),
  digest,
  size: z.int().nonnegative(),
  artifactType: optional,
  annotations: texts.optional().catch(undefined),
  platform: z
    .object({ os: z.string().catch(""), architecture: z.string().catch(""), ...seldom })
    .optional()
    .catch(undefined),
  urls: z.array(z.string()).optional().catch(undefined),
  data: optional,
}) satisfies z.ZodType<Descriptor>;
