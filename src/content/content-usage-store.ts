import type { Database } from "../platform/index.ts";

/** How much there is of everything. */
export interface ContentUsage {
  /** Repositories that hold a manifest. */
  readonly repositories: number;
  /** Counted once for each repository that holds them. */
  readonly manifests: number;
  readonly tags: number;
  /** Stored bytes by digest, manifests included, each once. */
  readonly blobs: number;
  readonly bytes: number;
}

/** Counts content. It reads every row of three indexes, so it is for the clock and not for requests. */
export class ContentUsageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async count(): Promise<ContentUsage> {
    const row = await this.#database
      .prepare(
        `SELECT
           (SELECT count(*) FROM repositories r
            WHERE EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id)) AS repositories,
           (SELECT count(*) FROM manifests) AS manifests,
           (SELECT count(*) FROM tags) AS tags,
           (SELECT count(*) FROM blobs) AS blobs,
           (SELECT coalesce(sum(size), 0) FROM blobs) AS bytes`,
      )
      .first<ContentUsage>();
    return row ?? { repositories: 0, manifests: 0, tags: 0, blobs: 0, bytes: 0 };
  }
}
