import { type Digest, namespaceOf, type RepositoryName, type Tag } from "../oci/index.ts";
import type { Database } from "../platform/index.ts";

/** What a repository holds, in numbers. Times are milliseconds since the Unix epoch. */
export interface ListedRepository {
  readonly repositoryId: number;
  readonly repository: RepositoryName;
  readonly tags: number;
  readonly manifests: number;
  /** Of everything that it holds, each digest once. */
  readonly bytes: number;
  readonly createdAt: number;
  /** The latest push of a manifest. */
  readonly pushedAt: number;
}

/** A manifest of a repository. */
export interface ListedManifest {
  readonly repositoryId: number;
  readonly repository: RepositoryName;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly subject: Digest | null;
  /** JSON; `null` if it is longer than a list should carry. */
  readonly annotations: string | null;
  /** Bytes of the manifest itself. */
  readonly size: number;
  /** Bytes of the manifest and all that it names, and of what those name: an index with its images. */
  readonly bytes: number;
  /** How many tags name it. */
  readonly tags: number;
  readonly pushedAt: number;
}

/** A tag, with the manifest that it names. `pushedAt` is when the tag was last pushed. */
export interface ListedTag extends ListedManifest {
  readonly tag: Tag;
}

/** Which rows: those that are equal in all that is given. */
export interface ContentFilter {
  readonly namespace?: string;
  readonly repository?: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly subject?: string;
}

/** Where a list goes on: after this repository, or within it after this tag or digest. */
export interface ContentPosition {
  readonly repository: RepositoryName;
  readonly item: string;
}

/** A page of a list. */
export interface ContentPage {
  readonly filter: ContentFilter;
  readonly after?: ContentPosition;
  readonly limit: number;
}

/** Longest annotations in a list, in characters of JSON. A page has hundreds of rows. */
const MAX_LISTED_ANNOTATIONS = 8192;

/** Columns by the name that a filter has for them. The first two are in every list. */
const REPOSITORY_COLUMNS = { namespace: "r.namespace", repository: "r.name" } as const;
const MANIFEST_COLUMNS = {
  ...REPOSITORY_COLUMNS,
  digest: "m.digest",
  mediaType: "m.media_type",
  artifactType: "m.artifact_type",
  subject: "m.subject",
} as const;
const TAG_COLUMNS = { ...MANIFEST_COLUMNS, tag: "t.name" } as const;

const REPOSITORIES = `
  SELECT r.id AS repositoryId, r.name AS repository, r.created_at AS createdAt,
    (SELECT count(*) FROM tags t WHERE t.repository_id = r.id) AS tags,
    (SELECT count(*) FROM manifests m WHERE m.repository_id = r.id) AS manifests,
    (SELECT max(m.pushed_at) FROM manifests m WHERE m.repository_id = r.id) AS pushedAt,
    (SELECT coalesce(sum(b.size), 0) FROM blobs b WHERE b.digest IN (
      SELECT l.digest FROM repository_blobs l WHERE l.repository_id = r.id
      UNION SELECT m.digest FROM manifests m WHERE m.repository_id = r.id)) AS bytes
  FROM repositories r`;

const MANIFEST_FIELDS = `
  r.id AS repositoryId, r.name AS repository, m.digest, m.media_type AS mediaType, m.artifact_type AS artifactType,
  m.subject, CASE WHEN length(m.annotations) <= ${MAX_LISTED_ANNOTATIONS} THEN m.annotations END AS annotations,
  own.size, (SELECT count(*) FROM tags n WHERE n.repository_id = r.id AND n.digest = m.digest) AS tags,
  (SELECT coalesce(sum(b.size), 0) FROM blobs b WHERE b.digest IN (
    SELECT m.digest
    UNION SELECT c.target_digest FROM manifest_references c
      WHERE c.repository_id = r.id AND c.manifest_digest = m.digest
    UNION SELECT g.target_digest FROM manifest_references c
      JOIN manifest_references g ON g.repository_id = c.repository_id AND g.manifest_digest = c.target_digest
      WHERE c.repository_id = r.id AND c.manifest_digest = m.digest)) AS bytes`;

// CROSS JOIN keeps the order of the tables, and so that of the index: rows come sorted, and LIMIT ends the work.
const MANIFESTS = `
  SELECT ${MANIFEST_FIELDS}, m.pushed_at AS pushedAt
  FROM repositories r CROSS JOIN manifests m ON m.repository_id = r.id JOIN blobs own ON own.digest = m.digest`;

const TAGS = `
  SELECT ${MANIFEST_FIELDS}, t.name AS tag, t.updated_at AS pushedAt
  FROM repositories r CROSS JOIN tags t ON t.repository_id = r.id
  JOIN manifests m ON m.repository_id = r.id AND m.digest = t.digest JOIN blobs own ON own.digest = m.digest`;

/** Repositories that once held something and do no more are not listed, as in the catalog. */
const IN_USE = "EXISTS (SELECT 1 FROM manifests u WHERE u.repository_id = r.id)";

/** Everything there is, page by page, by namespace, repository, and then tag or digest. */
export class ContentListStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async repositories({ filter, after, limit }: ContentPage): Promise<ListedRepository[]> {
    const conditions = [equal(filter, REPOSITORY_COLUMNS), { sql: IN_USE, parameters: [] }, later(after)];
    return this.#rows(REPOSITORIES, conditions, "r.namespace, r.name", limit);
  }

  manifests(page: ContentPage): Promise<ListedManifest[]> {
    return this.#items(MANIFESTS, MANIFEST_COLUMNS, "m.digest", page);
  }

  tags(page: ContentPage): Promise<ListedTag[]> {
    return this.#items(TAGS, TAG_COLUMNS, "t.name", page);
  }

  /** What is left of the repository that the page before ended in, then the repositories after it. */
  async #items<Row>(
    select: string,
    columns: Columns,
    item: string,
    { filter, after, limit }: ContentPage,
  ): Promise<Row[]> {
    const wanted = equal(filter, columns);
    // The id changes nothing about the order. It tells SQLite that each repository is one row, whose items come sorted.
    const order = `r.namespace, r.name, r.id, ${item}`;
    if (after === undefined) return this.#rows(select, [wanted], order, limit);
    const within = { sql: `r.name = ? AND ${item} > ?`, parameters: [after.repository, after.item] };
    const rest = await this.#rows<Row>(select, [wanted, within], order, limit);
    if (rest.length === limit) return rest;
    return [...rest, ...(await this.#rows<Row>(select, [wanted, later(after)], order, limit - rest.length))];
  }

  async #rows<Row>(select: string, conditions: readonly Condition[], order: string, limit: number): Promise<Row[]> {
    const sql = conditions.flatMap((condition) => (condition.sql === "" ? [] : [condition.sql])).join(" AND ");
    const { results } = await this.#database
      .prepare(`${select} ${sql === "" ? "" : `WHERE ${sql}`} ORDER BY ${order} LIMIT ?`)
      .bind(...conditions.flatMap(({ parameters }) => parameters), limit)
      .all<Row>();
    return results;
  }
}

type Columns = Readonly<Partial<Record<keyof ContentFilter, string>>>;

interface Condition {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/** That the columns have the filter's values. What a list has no column for does not narrow it. */
function equal(filter: ContentFilter, columns: Columns): Condition {
  const given = (Object.keys(columns) as (keyof ContentFilter)[]).flatMap((name) => {
    const [column, value] = [columns[name], filter[name]];
    return column === undefined || value === undefined ? [] : [{ column, value }];
  });
  return {
    sql: given.map(({ column }) => `${column} = ?`).join(" AND "),
    parameters: given.map(({ value }) => value),
  };
}

/** That the repository comes after a position's. */
function later(after: ContentPosition | undefined): Condition {
  if (after === undefined) return { sql: "", parameters: [] };
  return { sql: "(r.namespace, r.name) > (?, ?)", parameters: [namespaceOf(after.repository), after.repository] };
}
