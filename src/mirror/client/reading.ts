import * as z from "zod";
import { digestAlgorithm, parseDigest } from "../../oci/index.ts";
import type { ManifestContent, ManifestHead } from "../registry.ts";
import { RegistryError, type SourceRepository } from "../registry.ts";
import { checkedDigest, checkedReference } from "./names.ts";
import { discard, type HttpAnswer, lengthOf, readBytes } from "./http-client.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { MANIFEST_ACCEPT, manifestMediaType, verifiedManifest } from "./manifest-content.ts";
import { readReferrers } from "./referrers.ts";
import type { RepositoryContext } from "./repository-context.ts";
import { wholeList } from "./whole-list.ts";

const tagsSchema = z.object({ tags: z.array(z.string()).nullish() });

/** Reads from one repository. @see distribution-spec, "Pull" and "Content Discovery" */
export function readingFrom(context: RepositoryContext): SourceRepository {
  const { client, name, scopes } = context;

  async function manifest(reference: string): Promise<ManifestContent | undefined> {
    const what = `GET manifest ${name} ${checkedReference(reference)}`;
    const answer = await client.call({
      method: "GET",
      to: `${name}/manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT },
      kind: "manifest-get",
      what,
      scopes,
      expect: [200, 404],
    });
    if (answer.status === 404) return await absent(answer);
    const bytes = await readBytes(answer, CLIENT_LIMITS.manifest);
    const describe = `${client.registry}: ${what}`;
    if (bytes === undefined) throw new RegistryError("refused", `${describe}: it is longer than 8 MiB`);
    return verifiedManifest(bytes, answer.headers, reference, describe);
  }

  async function head(reference: string): Promise<ManifestHead | undefined> {
    const what = `HEAD manifest ${name} ${checkedReference(reference)}`;
    const answer = await client.call({
      method: "HEAD",
      to: `${name}/manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT },
      what,
      scopes,
      expect: [200, 404, 405],
    });
    if (answer.status === 404) return undefined;
    const known = answer.status === 200 ? headOf(answer.headers, reference, `${client.registry}: ${what}`) : undefined;
    if (known !== undefined) return known;
    const content = await manifest(reference);
    return content && { mediaType: content.mediaType, digest: content.digest, size: content.bytes.byteLength };
  }

  async function* tags(): AsyncGenerator<readonly string[]> {
    const what = `list tags of ${name}`;
    const first = { method: "GET", what, scopes, expect: [200] };
    const limit = CLIENT_LIMITS.perPage;
    const list = wholeList(`${client.registry}: ${what}`);
    let start: string | undefined = `${name}/tags/list?n=${limit}`;
    while (start !== undefined) {
      let last: string | undefined;
      for await (const { answer, linked } of client.pages({ ...first, to: start }, list)) {
        const parsed = tagsSchema.safeParse(await client.json(answer, what));
        if (!parsed.success)
          throw new RegistryError("refused", `${client.registry}: ${what}: the answer is not a list of tags`);
        const page = parsed.data.tags ?? [];
        list.page(page);
        if (page.length > 0) yield page;
        // A full page may be the last, or that of a registry without `Link`.
        last = !linked && page.length === limit ? page.at(-1) : undefined;
      }
      start = last === undefined ? undefined : `${name}/tags/list?n=${limit}&last=${encodeURIComponent(last)}`;
    }
  }

  async function blob(digest: string, offset: number, signal: AbortSignal): ReturnType<SourceRepository["blob"]> {
    const call = {
      method: "GET",
      to: `${name}/blobs/${checkedDigest(digest)}`,
      what: `GET blob ${name} ${digest}`,
      scopes,
      expect: [200, 206, 404, 416],
      signal,
    };
    if (offset > 0) {
      const part = await client.call({ ...call, headers: { range: `bytes=${offset}-` } });
      if (part.status === 404) return await absent(part);
      if (part.status === 200) return { stream: bodyOf(part), start: 0 };
      if (part.status === 206 && rangeStart(part.headers) === offset) return { stream: bodyOf(part), start: offset };
      await discard(part);
    }
    const answer = await client.call({ ...call, expect: [200, 404] });
    return answer.status === 404 ? await absent(answer) : { stream: bodyOf(answer), start: 0 };
  }

  return { name, tags, head, manifest, blob, referrers: (digest) => readReferrers(digest, manifest, context) };
}

/** The answer `404`. */
async function absent(answer: HttpAnswer): Promise<undefined> {
  await discard(answer);
  return undefined;
}

function headOf(headers: Headers, reference: string, describe: string): ManifestHead | undefined {
  const mediaType = manifestMediaType(headers.get("content-type"));
  const size = lengthOf(headers);
  const asked = parseDigest(reference);
  const digest = parseDigest(headers.get("docker-content-digest") ?? "") ?? asked;
  if (mediaType === undefined || digest === undefined || size === undefined) return undefined;
  if (asked !== undefined && digestAlgorithm(asked) === digestAlgorithm(digest) && digest !== asked) {
    throw new RegistryError("corrupt", `${describe}: the registry has ${digest} under this digest`);
  }
  return { mediaType, digest: asked ?? digest, size };
}

function rangeStart(headers: Headers): number | undefined {
  const start = /^bytes (\d{1,15})-/.exec(headers.get("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

function bodyOf(answer: HttpAnswer): ReadableStream<Uint8Array> {
  return answer.body ?? new ReadableStream({ start: (controller) => controller.close() });
}
