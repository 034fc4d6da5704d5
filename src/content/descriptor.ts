import * as z from "zod";
import { type Digest, parseDigest } from "./digest.ts";

const digest = z.string().transform((text, context): Digest => {
  const parsed = parseDigest(text);
  if (parsed === undefined) {
    context.addIssue({ code: "custom", message: `not a sha256 or sha512 digest: ${text.slice(0, 100)}` });
    return z.NEVER;
  }
  return parsed;
});

/** A pointer to content: what it is, how large, and its digest. @see OCI image-spec, descriptor.md */
export const descriptorSchema = z.object({
  mediaType: z.string().min(1),
  digest,
  /** Bytes. */
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
  artifactType: z.string().optional(),
});

export type Descriptor = z.infer<typeof descriptorSchema>;

/** What an index says of the platform a child runs on. @see OCI image-spec, image-index.md */
export const platformSchema = z.object({
  os: z.string().optional(),
  architecture: z.string().optional(),
});

/** A child of an index. */
export const childDescriptorSchema = descriptorSchema.extend({ platform: platformSchema.optional() });
