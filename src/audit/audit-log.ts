import type { Clock, Log } from "../platform/index.ts";
import {
  addressBlock,
  ANONYMOUS,
  type Audit,
  type AuditEntry,
  type FailedSignIn,
  failedSignInEntry,
} from "../access/index.ts";
import { type AuditDraft, draftOf, isRecorded } from "./audit-record.ts";
import type { AuditStore } from "./audit-store.ts";
import { REFUSALS_PER_MINUTE, RefusalLimit, UNKNOWN_REFUSALS_PER_MINUTE } from "./refusal-limit.ts";

/** What the log works with. */
export interface AuditLogPorts {
  readonly store: Pick<AuditStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps the isolate alive until the work is done: `waitUntil`. */
  readonly background: (work: Promise<unknown>) => void;
  readonly requestId: (request: Request) => string;
  readonly clientAddress: (request: Request) => string | undefined;
  /** Whether there is an account of that name. */
  readonly accountExists: (name: string) => Promise<boolean>;
  /** Also note what was read (`AUDIT_READS`). */
  readonly reads: boolean;
}

/** Writes the audit to the database. */
export class AuditLog implements Audit {
  readonly #ports: AuditLogPorts;
  readonly #refusals = new RefusalLimit();
  /** What is waiting for the write that runs; each request has its own, since a write belongs to the request that began it. */
  readonly #waiting = new WeakMap<Request, AuditDraft[]>();

  constructor(ports: AuditLogPorts) {
    this.#ports = ports;
  }

  record(request: Request, entry: AuditEntry): void {
    if (!isRecorded(entry, this.#ports)) return;
    this.#guarded(entry.verb, () => {
      const draft = this.#draft(request, entry);
      const notes = this.#notes(draft);
      this.#enqueue(request, this.#admitted(draft) ? [...notes, draft] : notes);
    });
  }

  async recordNow(request: Request, entry: AuditEntry): Promise<void> {
    const draft = this.#draft(request, entry);
    await this.#write([...this.#notes(draft), draft]);
  }

  recordFailedSignIn(request: Request, { account, credential, reason, status }: FailedSignIn): void {
    this.#guarded("login", () => {
      const draft = this.#draft(request, failedSignInEntry(undefined, credential, reason, status));
      const notes = this.#notes(draft);
      if (!this.#admitted(draft)) this.#enqueue(request, notes);
      else if (account === undefined) this.#enqueue(request, [...notes, draft]);
      else {
        this.#enqueue(request, notes);
        this.#ports.background(this.#writeFailedSignIn(request, draft, account, { credential, reason, status }));
      }
    });
  }

  async #writeFailedSignIn(
    request: Request,
    unknown: AuditDraft,
    account: string,
    { credential, reason, status }: Omit<FailedSignIn, "account">,
  ): Promise<void> {
    let draft = unknown;
    try {
      if (await this.#ports.accountExists(account)) {
        const known = this.#draft(request, failedSignInEntry(account, credential, reason, status));
        draft = { ...known, occurredAt: unknown.occurredAt };
      }
    } catch (error) {
      this.#ports.log.error("audit.account-unread", { requestId: unknown.requestId, error });
    }
    await this.#write([draft]).catch(() => undefined);
  }

  #draft(request: Request, entry: AuditEntry): AuditDraft {
    const { clock, requestId, clientAddress } = this.#ports;
    return draftOf(entry, {
      occurredAt: clock(),
      requestId: requestId(request),
      address: clientAddress(request),
      userAgent: request.headers.get("user-agent"),
    });
  }

  /** Refusals are counted by identity or, of those who are not known, by where they come from. */
  #admitted(draft: AuditDraft): boolean {
    if (draft.allowed) return true;
    if (draft.identity !== ANONYMOUS) {
      return this.#refusals.admits(draft, [[`identity ${draft.identity}`, REFUSALS_PER_MINUTE]]);
    }
    const block = draft.address === null ? "" : addressBlock(draft.address);
    return this.#refusals.admits(draft, [
      [`address ${block}`, REFUSALS_PER_MINUTE],
      ["unknown", UNKNOWN_REFUSALS_PER_MINUTE],
    ]);
  }

  /** What was left out in minutes that are over is noted with whatever comes next. */
  #notes({ occurredAt }: AuditDraft): AuditDraft[] {
    return this.#refusals.notes(occurredAt);
  }

  #enqueue(request: Request, drafts: readonly AuditDraft[]): void {
    if (drafts.length === 0) return;
    const waiting = this.#waiting.get(request);
    if (waiting !== undefined) {
      waiting.push(...drafts);
      return;
    }
    const queue = [...drafts];
    this.#waiting.set(request, queue);
    this.#ports.background(this.#drain(request, queue));
  }

  /** Writes what waits, all at once, and what came in the meantime, until nothing did. */
  async #drain(request: Request, queue: AuditDraft[]): Promise<void> {
    await Promise.resolve();
    while (queue.length > 0) await this.#write(queue.splice(0)).catch(() => undefined);
    this.#waiting.delete(request);
  }

  async #write(drafts: readonly AuditDraft[]): Promise<void> {
    try {
      await this.#ports.store.append(drafts);
    } catch (error) {
      // Drafts have no secrets in them: the log keeps what the database did not.
      for (const entry of drafts) this.#ports.log.error("audit.failed", { id: entry.requestId, entry, error });
      throw error;
    }
  }

  #guarded(verb: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ports.log.error("audit.failed", { verb, error });
    }
  }
}
