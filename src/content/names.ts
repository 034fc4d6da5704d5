import type { RepositoryName, Tag } from "../oci/index.ts";
import { err, ok, type Result } from "../platform/index.ts";
import type { ContentFailure } from "./failure.ts";
import type { ReadCache } from "./read-cache.ts";
import type { NamePage, TagStore } from "./tag-store.ts";

/** One page of names, and whether more follow. */
export interface NamesPage<T> {
  readonly names: readonly T[];
  readonly more: boolean;
}

/** Listing and removing names: tags and repositories. */
export class Names {
  readonly #tags: TagStore;
  readonly #cache: ReadCache;

  constructor(tags: TagStore, cache: ReadCache) {
    this.#tags = tags;
    this.#cache = cache;
  }

  /** A page of tags, in lexical order. `fresh` asks the database even if the answer is remembered. */
  async tags(
    repository: RepositoryName,
    page: NamePage,
    fresh: boolean,
  ): Promise<Result<NamesPage<Tag>, ContentFailure>> {
    const found = await this.#cache.lookup(
      repository,
      `tags ${page.limit} ${page.after}`,
      fresh,
      async () => {
        const names = await this.#tags.list(repository, { ...page, limit: page.limit + 1 });
        return names === undefined ? undefined : cut(names, page.limit);
      },
      undefined,
      ({ names }) => names.length + 1,
    );
    return found === undefined ? err({ reason: "repository-unknown" }) : ok(found);
  }

  /** Removes a tag; the manifest stays. */
  async removeTag(repository: RepositoryName, tag: Tag): Promise<Result<void, ContentFailure>> {
    const removed = await this.#tags.remove(repository, tag);
    this.#cache.forget(repository);
    return removed ? ok(undefined) : err({ reason: "manifest-unknown" });
  }

  /** Repositories that hold a manifest. */
  async repositories(page: NamePage): Promise<NamesPage<RepositoryName>> {
    return cut(await this.#tags.repositories({ ...page, limit: page.limit + 1 }), page.limit);
  }
}

function cut<T>(names: readonly T[], limit: number): NamesPage<T> {
  return { names: names.slice(0, limit), more: names.length > limit };
}
