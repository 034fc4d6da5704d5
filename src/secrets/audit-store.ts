import type { Clock, Database } from "../platform/index.ts";
import type { DecryptFailure } from "./secret-decrypter.ts";

/** One attempt to read a value. */
export interface DecryptAttempt {
  readonly service: string;
  readonly namespace: string;
  readonly name: string;
  /** Absent if there was nothing to read. */
  readonly version: number | undefined;
  readonly outcome: "ok" | DecryptFailure;
}

/** Who read which secret, in D1. */
export class SecretAuditStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async append(attempts: readonly DecryptAttempt[]): Promise<void> {
    if (attempts.length === 0) return;
    const rows = attempts.map((a) => [a.service, a.namespace, a.name, a.version ?? null, a.outcome]);
    await this.#database
      .prepare(
        `INSERT INTO secret_audit (occurred_at, service, namespace, name, version, outcome)
         SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]') FROM json_each(?2)`,
      )
      .bind(this.#clock(), JSON.stringify(rows))
      .run();
  }

  /** The newest attempts on one SecureValue first. */
  async of(
    namespace: string,
    name: string,
    limit: number,
  ): Promise<(DecryptAttempt & { readonly occurredAt: number })[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT occurred_at AS occurredAt, service, namespace, name, version, outcome FROM secret_audit
         WHERE namespace = ?1 AND name = ?2 ORDER BY id DESC LIMIT ?3`,
      )
      .bind(namespace, name, limit)
      .all<DecryptAttempt & { readonly occurredAt: number }>();
    return results;
  }

  /** Forgets attempts from before `time` (milliseconds), at most `limit` of them. Answers how many. */
  async prune(time: number, limit: number): Promise<number> {
    const { meta } = await this.#database
      .prepare(
        `DELETE FROM secret_audit WHERE id IN (
           SELECT id FROM secret_audit WHERE occurred_at < ?1 ORDER BY occurred_at LIMIT ?2)`,
      )
      .bind(time, limit)
      .run();
    return meta.changes;
  }
}
