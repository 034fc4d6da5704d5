import type { RepositoryName, Tag } from "../oci/index.ts";
import type { Database } from "../platform/index.ts";

/** One page of names in lexical order: those after `after`, at most `limit`. */
export interface NamePage {
  readonly after: string;
  readonly limit: number;
}

/** Listing and removing names: the tags of a repository, and repositories themselves. */
export class TagStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A page of tags, or `undefined` if there is no such repository. */
  async list(repository: RepositoryName, page: NamePage): Promise<Tag[] | undefined> {
    const [known, tags] = await this.#database.batch<{ name: Tag }>([
      this.#database.prepare("SELECT name FROM repositories WHERE name = ?1").bind(repository),
      this.#database
        .prepare(
          `SELECT name FROM tags WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name > ?2
           ORDER BY name LIMIT ?3`,
        )
        .bind(repository, page.after, page.limit),
    ]);
    return known?.results.length === 0 ? undefined : (tags?.results.map((row) => row.name) ?? []);
  }

  /** Removes a tag; the manifest stays. Answers whether it was there. */
  async remove(repository: RepositoryName, tag: Tag): Promise<boolean> {
    const here = "repository_id = (SELECT id FROM repositories WHERE name = ?1) AND name = ?2";
    const { results } = await this.#database
      .prepare(`DELETE FROM tags WHERE ${here} RETURNING digest`)
      .bind(repository, tag)
      .run<{ digest: string }>();
    return results.length > 0;
  }

  /** A page of the repositories that hold a manifest. */
  async repositories(page: NamePage): Promise<RepositoryName[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT name FROM repositories WHERE name > ?1
         AND EXISTS (SELECT 1 FROM manifests WHERE repository_id = repositories.id)
         ORDER BY name LIMIT ?2`,
      )
      .bind(page.after, page.limit)
      .all<{ name: RepositoryName }>();
    return results.map((row) => row.name);
  }
}
