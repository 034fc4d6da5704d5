import * as z from "zod";
import type { Descriptor } from "./descriptor.ts";

/** A descriptor as registries write it: of what is not needed, nonsense counts as not given. */
export const descriptorSchema = z
  .object({
    mediaType: z.string().catch("application/octet-stream"),
    digest: z.string().regex(/^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/, "is no digest of sha256 or sha512"),
    size: z.int().nonnegative(),
    artifactType: z.string().optional().catch(undefined),
    annotations: z.record(z.string(), z.string()).nullish().catch(undefined),
    platform: z
      .object({
        os: z.string().catch(""),
        architecture: z.string().catch(""),
        variant: z.string().optional().catch(undefined),
        "os.version": z.string().optional().catch(undefined),
        "os.features": z.array(z.string()).optional().catch(undefined),
      })
      .nullish()
      .catch(undefined),
    urls: z.array(z.string()).nullish().catch(undefined),
    data: z.string().optional().catch(undefined),
  })
  .transform(({ annotations, platform, urls, artifactType, data, ...rest }): Descriptor => ({
    ...rest,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations ? { annotations } : {}),
    ...(platform ? { platform: withoutUndefined(platform) } : {}),
    ...(urls ? { urls } : {}),
    ...(data === undefined ? {} : { data }),
  }));

function withoutUndefined(platform: {
  os: string;
  architecture: string;
  variant?: string | undefined;
  "os.version"?: string | undefined;
  "os.features"?: string[] | undefined;
}): NonNullable<Descriptor["platform"]> {
  const { os, architecture, variant, "os.version": version, "os.features": features } = platform;
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version }),
    ...(features === undefined ? {} : { "os.features": features }),
  };
}
