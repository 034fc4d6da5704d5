import { type Database, repeatable } from "../../platform/index.ts";

const DAY = 86_400_000;

/** When a task is due, as of the schedule that it has. */
export interface TaskDue {
  readonly taskUid: string;
  readonly namespace: string;
  readonly name: string;
  /** The schedule as JSON; `null` if there is none, or the task is not enabled. */
  readonly schedule: string | null;
  /** The next time when it is due, in milliseconds; `null` if there is none, or nobody has worked it out yet. */
  readonly dueAt: number | null;
  /** When it is to be looked at, in milliseconds; `null` for one that is never due. */
  readonly lookAt: number | null;
}

const COLUMNS = "task_uid AS taskUid, namespace, name, schedule, due_at AS dueAt, look_at AS lookAt";

/**
 * When tasks are due, in D1. Triggers of `resources` make, change and delete the rows, so that no way of writing a task is
 * without; what a cron expression means is worked out here after they said that it is new.
 */
export class DueStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Tasks to look at, at most `limit`: those that are due, those whose schedule is new or whose run has ended, and each
   * once a day, as what a time zone means may change. What was to be looked at later than that was put down by a clock
   * that went wrong.
   */
  async toLookAt(now: number, limit: number): Promise<readonly TaskDue[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT * FROM (SELECT ${COLUMNS} FROM sync_due WHERE look_at <= ?1 ORDER BY look_at LIMIT ?3)
         UNION ALL
         SELECT * FROM (SELECT ${COLUMNS} FROM sync_due WHERE look_at > ?2 ORDER BY look_at LIMIT ?3)
         LIMIT ?3`,
      )
      .bind(now, now + DAY, limit)
      .all<TaskDue>();
    return results;
  }

  async find(taskUid: string): Promise<TaskDue | undefined> {
    const found = await this.#database
      .prepare(`SELECT ${COLUMNS} FROM sync_due WHERE task_uid = ?1`)
      .bind(taskUid)
      .first<TaskDue>();
    return found ?? undefined;
  }

  /** Notes when a task is due next (milliseconds), unless it is to be looked at for something new by now. */
  async settle({ taskUid, schedule, lookAt }: TaskDue, next: number | undefined, now: number): Promise<void> {
    await repeatable(this.#database)
      .prepare("UPDATE sync_due SET due_at = ?4, look_at = ?5 WHERE task_uid = ?1 AND schedule IS ?2 AND look_at IS ?3")
      .bind(taskUid, schedule, lookAt, next ?? null, next === undefined ? null : Math.min(next, now + DAY))
      .run();
  }

  /** Has a task that could not be looked at wait until a time (milliseconds): it must not hold up the others. */
  async postpone(taskUid: string, until: number): Promise<void> {
    await repeatable(this.#database)
      .prepare("UPDATE sync_due SET look_at = ?2 WHERE task_uid = ?1")
      .bind(taskUid, until)
      .run();
  }
}
