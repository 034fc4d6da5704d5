import { type Descriptor, digestBytes, isIndex, MEDIA_TYPES } from "../../oci/index.ts";
import { RegistryError } from "../registry.ts";
import type { CopyContext } from "./copy-context.ts";
import { parsedManifest } from "./parsed-manifest.ts";
import type { TargetState } from "./target-state.ts";

/** The tag that lists what refers to `digest` in registries without a referrers API. @see OCI distribution-spec, "Referrers Tag Schema" */
export function fallbackTag(digest: string): string {
  return digest.replace(":", "-");
}

/**
 * Adds a referrer to the list that the target keeps under the fallback tag of `subject`. What is in the list stays.
 * Copies of this process take turns; against others there is no protection, as the specification has none.
 */
export async function addToFallbackTag(
  context: CopyContext,
  state: TargetState,
  subject: string,
  referrer: Descriptor,
): Promise<void> {
  const { repository, registry } = state.target;
  const tag = fallbackTag(subject);
  const key = { work: "add-referrer", origin: registry.origin, repository: repository.name, tag } as const;
  await context.placed.exclusively(key, context.ports.signal, async () => {
    const existing = await repository.manifest(tag);
    if (existing !== undefined && !isIndex(existing.mediaType)) {
      state.warn(`the tag ${tag} of ${state.label} is no list of referrers and was left as it is`);
      return;
    }
    const listed = existing === undefined ? [] : parsedManifest(existing).children;
    if (listed.some(({ digest }) => digest === referrer.digest)) return;
    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [...listed, referrer] }),
    );
    const digest = digestBytes("sha256", bytes);
    try {
      await repository.putManifest(tag, { mediaType: MEDIA_TYPES.ociIndex, digest, bytes });
    } catch (error) {
      if (!(error instanceof RegistryError) || error.failure !== "conflict") throw error;
      state.warn(`the list of referrers ${tag} may not be changed at ${state.label}: ${error.message}`);
    }
  });
}
