import * as z from "zod";
import { type Descriptor, tolerantDescriptorSchema } from "../../oci/index.ts";
import type { ManifestContent } from "../registry.ts";
import { RegistryError } from "../registry.ts";
import { readErrorBody } from "./answer-error.ts";
import { checkedDigest } from "./names.ts";
import { readBytes } from "./http-client.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import type { RepositoryContext } from "./repository-context.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";

const indexSchema = z.object({ schemaVersion: z.literal(2), manifests: z.array(z.unknown()).nullish() });

/**
 * The manifests whose subject is `digest`: by the referrers API, page by page, or where the registry has none, by the
 * tag that stands in for it. @see distribution-spec, "Listing Referrers" and "Unavailable Referrers API"
 */
export async function readReferrers(
  digest: string,
  manifest: (reference: string) => Promise<ManifestContent | undefined>,
  context: RepositoryContext,
): Promise<readonly Descriptor[]> {
  checkedDigest(digest);
  const listed = context.capabilities.current().referrers ? await byApi(digest, context) : undefined;
  if (listed !== undefined) return listed;
  const fallback = await manifest(digest.replace(":", "-"));
  return (fallback && parseIndex(fallback.bytes)) ?? [];
}

async function byApi(digest: string, { client, name, scopes, capabilities }: RepositoryContext) {
  const what = `list referrers of ${name} ${digest}`;
  const found: Descriptor[] = [];
  const call = { method: "GET", headers: { accept: INDEX }, what, scopes, expect: [200, 400, 404, 405, 406] };
  for await (const { answer } of client.pages({ ...call, to: `${name}/referrers/${digest}` })) {
    if (answer.status !== 200) {
      const body = await readErrorBody(answer);
      // A repository that is not there says nothing about the API.
      if (body.code !== "NAME_UNKNOWN") capabilities.lower("referrers");
      return undefined;
    }
    const bytes = await readBytes(answer, CLIENT_LIMITS.page);
    if (bytes === undefined) throw new RegistryError("refused", `${client.registry}: ${what}: the answer is too long`);
    const page = parseIndex(bytes);
    if (page === undefined) {
      capabilities.lower("referrers");
      return undefined;
    }
    found.push(...page);
  }
  return found;
}

function parseIndex(bytes: Uint8Array): readonly Descriptor[] | undefined {
  let entries: readonly unknown[];
  try {
    entries = indexSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).manifests ?? [];
  } catch {
    return undefined;
  }
  // One that cannot be read does not take the others along.
  return entries.flatMap((entry) => tolerantDescriptorSchema.safeParse(entry).data ?? []);
}
