/**
 * The uploads that one account has open, in a Durable Object of the account's own: who has too many begins no other. An
 * upload is open from its first bytes until it is closed or cancelled, or until its time is over, so that one whose end
 * was never told is not counted for ever.
 */
export class OpenUploads {
  readonly #storage: DurableObjectStorage;
  /** When each upload ends by itself, in milliseconds since the Unix epoch. */
  readonly #ends: Map<string, number>;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#ends = new Map(
      Array.from(storage.kv.list<number>({ prefix: PREFIX }), ([name, end]) => [name.slice(PREFIX.length), end]),
    );
  }

  /** Whether this object is one of an account, and not of an upload. */
  get used(): boolean {
    return this.#ends.size > 0;
  }

  /** Counts an upload that ends at `end`, unless there are `limit` of them. Answers whether it was counted. */
  async enter(id: string, end: number, limit: number, now: number): Promise<boolean> {
    const isFirst = this.#ends.size === 0;
    if (this.#ends.size >= limit) this.#forgetEnded(now);
    if (this.#ends.size >= limit) return false;
    this.#ends.set(id, end);
    // A crash that forgets it makes the count too low by one.
    await this.#storage.put(PREFIX + id, end, { allowUnconfirmed: true });
    if (isFirst) await this.#storage.setAlarm(end, { allowUnconfirmed: true });
    return true;
  }

  leave(id: string): void {
    if (this.#ends.delete(id)) this.#storage.kv.delete(PREFIX + id);
  }

  /** Forgets what has ended, and the object when nothing is left. */
  async expire(now: number): Promise<void> {
    this.#forgetEnded(now);
    if (this.used) await this.#storage.setAlarm(Math.max(...this.#ends.values()));
    else await this.#storage.deleteAll();
  }

  #forgetEnded(now: number): void {
    for (const [id, end] of this.#ends) if (end <= now) this.leave(id);
  }
}

const PREFIX = "open:";
