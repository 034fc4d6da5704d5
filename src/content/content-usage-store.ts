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

/** How much content there is, as triggers count it (migration 0009). */
export class ContentUsageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async count(): Promise<ContentUsage> {
    const row = await this.#database
      .prepare("SELECT repositories, manifests, tags, blobs, bytes FROM content_counts")
      .first<ContentUsage>();
    return row ?? { repositories: 0, manifests: 0, tags: 0, blobs: 0, bytes: 0 };
  }
}
