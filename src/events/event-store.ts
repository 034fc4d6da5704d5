import type { Database } from "../platform/index.ts";
import type { ContentEvent } from "./event.ts";

/**
 * The outbox: a statement for the batch that makes the change, so that an event is recorded if and only if its change
 * is; once, though the batch be repeated.
 */
export function appendEvent(database: Database, event: ContentEvent): D1PreparedStatement {
  return database
    .prepare(
      `INSERT INTO events (occurred_at, action, repository, digest, tag, media_type, actor)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (
         SELECT 1 FROM events WHERE occurred_at = ?1 AND action = ?2 AND repository = ?3 AND digest = ?4
         AND tag IS ?5 AND actor = ?7)`,
    )
    .bind(
      event.occurredAt,
      event.action,
      event.repository,
      event.digest,
      event.tag ?? null,
      event.mediaType ?? null,
      event.actor,
    );
}

/** Forgets events from before `time` (milliseconds), at most `limit` of them. Answers how many. */
export async function pruneEvents(database: Database, time: number, limit: number): Promise<number> {
  const { meta } = await database
    .prepare(
      "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE occurred_at < ?1 ORDER BY occurred_at LIMIT ?2)",
    )
    .bind(time, limit)
    .run();
  return meta.changes;
}
