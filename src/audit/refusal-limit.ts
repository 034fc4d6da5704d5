import type { AuditDraft } from "./audit-record.ts";

/** Refusals of one subject that are written in a minute; what is more is counted. */
export const REFUSALS_PER_MINUTE = 60;
/** The same for everyone who is not known, together: addresses are cheap. */
export const UNKNOWN_REFUSALS_PER_MINUTE = 1000;
/** Subjects that are counted at a time. */
const MAX_SUBJECTS = 10_000;
const MINUTE = 60_000;

interface Count {
  readonly since: number;
  written: number;
  suppressed: number;
  /** The last one that was not written. */
  last: AuditDraft | undefined;
}

/** Keeps a flood of refusals out of the database. Counts for one isolate. */
export class RefusalLimit {
  readonly #counts = new Map<string, Count>();

  /**
   * Whether the refusal is to be written.
   * @param subjects what counts it, each with how many are written in a minute; all have to have room
   */
  admits(draft: AuditDraft, subjects: readonly (readonly [subject: string, limit: number])[]): boolean {
    const counts = subjects.map(([subject, limit]) => ({ count: this.#count(subject, draft.occurredAt), limit }));
    const full = counts.find(({ count, limit }) => count.written >= limit);
    if (full === undefined) {
      for (const { count } of counts) count.written += 1;
      return true;
    }
    full.count.suppressed += 1;
    full.count.last = draft;
    return false;
  }

  /** A row for each subject that had more refusals than are written, once its minute is over. They are forgotten then. */
  notes(now: number): AuditDraft[] {
    const notes: AuditDraft[] = [];
    // In the order in which their minutes began: the first that is not over ends the search.
    for (const [subject, count] of this.#counts) {
      if (now - count.since < MINUTE && this.#counts.size <= MAX_SUBJECTS) break;
      this.#counts.delete(subject);
      if (count.last !== undefined) notes.push({ ...count.last, reason: `suppressed:${count.suppressed}` });
    }
    return notes;
  }

  /** What `notes` has not handed out yet stays, so call that first. */
  #count(subject: string, now: number): Count {
    const known = this.#counts.get(subject);
    if (known !== undefined) return known;
    const count: Count = { since: now, written: 0, suppressed: 0, last: undefined };
    this.#counts.set(subject, count);
    return count;
  }
}
