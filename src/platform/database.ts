import type { D1Database, D1PreparedStatement, D1Result } from "@cloudflare/workers-types";
import { type Retries, Unavailable } from "./retries.ts";
import type { Turns } from "./turns.ts";

/**
 * What a store needs of a database. Stores take this, not a binding, so that a namespace can live in a
 * database of its own and reads can go through a D1 session.
 */
export type Database = Pick<D1Database, "prepare" | "batch">;

/** What a database is opened with. */
export interface DatabasePorts {
  /** Where the database is in the process of the Worker: whoever asks it much has to let others be heard. */
  readonly turns: Turns | undefined;
  readonly retries: Retries;
}

/** What D1 says when it did not come to a query. @see Cloudflare D1, "Debug D1", error list */
const REFUSED = /D1 DB is overloaded|Too many requests queued|Cannot resolve D1 DB/i;

/**
 * What it says when it is not known whether the query was done: its answer was lost.
 * @see Cloudflare D1, "Retry queries" and "Debug D1"
 */
const LOST =
  /Network connection lost|caused object to be reset|reset because its code was updated|internal error|D1 DB storage operation exceeded timeout/i;

/** A statement that only reads. `WITH` may begin one that writes. */
const READS = /^\s*SELECT\b/i;

/** Of a database whose writes may be repeated: the same one. */
const doors = new WeakMap<Database, Database>();

/**
 * The one way to a D1 binding: every statement of every store goes through here. What fails for a moment is tried again:
 * what only reads always, what writes if it was not come to, or if the store says that it may be done twice.
 * @throws {Unavailable} when no try was of use
 */
export function openDatabase(binding: Database, ports: DatabasePorts): Database {
  const opened = door(binding, sender(ports, false));
  doors.set(opened, door(binding, sender(ports, true)));
  return opened;
}

/**
 * The same database, for writes that are tried again although the answer to them was lost. They have to leave the same
 * and answer the same when they are done twice.
 */
export function repeatable(database: Database): Database {
  return doors.get(database) ?? database;
}

/** The same database; after each batch of writes `after` is called. */
export function observed(database: Database, after: () => void): Database {
  const observe = (inner: Database): Database => ({
    prepare: (sql) => inner.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
      const results = await inner.batch<T>(statements);
      after();
      return results;
    },
  });
  const watched = observe(database);
  doors.set(watched, observe(repeatable(database)));
  return watched;
}

/** How a statement, or a batch of them, is sent. */
type Send = <T>(reads: boolean, act: () => Promise<T>) => Promise<T>;

function sender({ turns, retries }: DatabasePorts, twice: boolean): Send {
  return async function send(reads, act) {
    const again = (error: unknown): boolean => {
      const text = String(error);
      return REFUSED.test(text) || ((reads || twice) && LOST.test(text));
    };
    try {
      return await retries.run(async () => {
        await turns?.next();
        return act();
      }, again);
    } catch (error) {
      if (REFUSED.test(String(error)) || LOST.test(String(error))) throw new Unavailable("the database", error);
      throw error;
    }
  };
}

function door(binding: Database, send: Send): Database {
  return {
    prepare: (sql) => new Statement(binding.prepare(sql), READS.test(sql), send),
    batch(statements) {
      const reads = statements.every((statement) => statement instanceof Statement && statement.reads);
      return send(reads, () => binding.batch(statements.map(Statement.bound)));
    },
  };
}

/** A statement that is sent as the database's other calls are. */
class Statement implements D1PreparedStatement {
  readonly reads: boolean;
  readonly #statement: D1PreparedStatement;
  readonly #send: Send;

  constructor(statement: D1PreparedStatement, reads: boolean, send: Send) {
    this.#statement = statement;
    this.reads = reads;
    this.#send = send;
  }

  /** The binding's own statement. */
  static bound(this: void, statement: D1PreparedStatement): D1PreparedStatement {
    return statement instanceof Statement ? statement.#statement : statement;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new Statement(this.#statement.bind(...values), this.reads, this.#send);
  }

  first<T = unknown>(column: string): Promise<T | null>;
  first<T = Record<string, unknown>>(): Promise<T | null>;
  first<T>(column?: string): Promise<T | null> {
    return this.#send(this.reads, () =>
      column === undefined ? this.#statement.first<T>() : this.#statement.first<T>(column),
    );
  }

  run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#send(this.reads, () => this.#statement.run<T>());
  }

  all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#send(this.reads, () => this.#statement.all<T>());
  }

  raw<T = unknown[]>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T = unknown[]>(options?: { columnNames?: false }): Promise<T[]>;
  async raw<T>(options?: { columnNames?: boolean }): Promise<T[]> {
    const named = options?.columnNames === true;
    return this.#send<T[]>(this.reads, () =>
      named ? (this.#statement.raw({ columnNames: true }) as Promise<T[]>) : this.#statement.raw<T>(),
    );
  }
}
