import { type Descriptor, type Digest, parseDigest, parseReference, type RepositoryName } from "../../oci/index.ts";
import { type Content, type StoredManifest } from "../../content/index.ts";
import { RegistryError, type SourceRepository } from "../../mirror/index.ts";
import { attempted, contentError } from "./content-error.ts";

const PAGE = 1000;

/** One repository of this registry, to read from. `place` checks its name and that it may be read. */
export function localReading(
  name: string,
  place: () => RepositoryName,
  { blobs, manifests, names }: Pick<Content, "blobs" | "manifests" | "names">,
): SourceRepository {
  async function find(text: string): Promise<StoredManifest | undefined> {
    const repository = place();
    const reference = parseReference(text);
    if (!reference.ok) throw new RegistryError("refused", `this registry: ${text}: ${reference.error.reason}`);
    const found = await attempted(`reading ${name}`, () => manifests.find(repository, reference.value, true));
    return found.ok ? found.value : undefined;
  }

  async function* tags(): AsyncIterable<readonly string[]> {
    const repository = place();
    let after = "";
    for (;;) {
      const from = after;
      const page = await attempted(`tags of ${name}`, () => names.tags(repository, { after: from, limit: PAGE }, true));
      if (!page.ok) throw contentError(page.error, `tags of ${name}`);
      yield page.value.names;
      const last = page.value.names.at(-1);
      if (!page.value.more || last === undefined) return;
      after = last;
    }
  }

  return {
    name,
    tags,
    async head(reference) {
      const found = await find(reference);
      return found && { mediaType: found.mediaType, digest: found.digest, size: found.size };
    },
    async manifest(reference) {
      const found = await find(reference);
      if (found === undefined) return undefined;
      const bytes = await attempted(`reading ${name}@${found.digest}`, () => manifests.read(found));
      return { mediaType: found.mediaType, digest: found.digest, bytes };
    },
    async blob(text, offset) {
      const repository = place();
      const digest = digestOf(text);
      const found = await attempted(`reading ${name}@${digest}`, () => blobs.find(repository, digest, true));
      if (!found.ok) return undefined;
      const { size } = found.value;
      if (offset > size) throw new RegistryError("refused", `this registry: ${digest} has ${size} bytes only`);
      const range = offset === 0 ? undefined : { offset, length: size - offset };
      const bytes = await attempted(`reading ${name}@${digest}`, () => blobs.read(found.value, range));
      return {
        stream: bytes instanceof Uint8Array ? new Blob([new Uint8Array(bytes)]).stream() : bytes,
        start: offset,
      };
    },
    async referrers(text) {
      const repository = place();
      const subject = digestOf(text);
      const found: Descriptor[] = [];
      let after: string | undefined = "";
      while (after !== undefined) {
        const page: { readonly artifactType: undefined; readonly after: string; readonly limit: number } = {
          artifactType: undefined,
          after,
          limit: PAGE,
        };
        const { referrers, next } = await attempted(`referrers of ${subject}`, () =>
          manifests.referrers(repository, subject, page),
        );
        for (const { digest, mediaType, size, artifactType, annotations } of referrers) {
          const kind = artifactType === undefined ? {} : { artifactType };
          found.push({ mediaType, digest, size, ...kind, annotations });
        }
        after = next;
      }
      return found;
    },
  };
}

/** @throws RegistryError "unsupported" */
export function digestOf(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined)
    throw new RegistryError("unsupported", `this registry: ${text} is not a digest that it knows`);
  return digest;
}
