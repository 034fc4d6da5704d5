import type { D1Database, D1PreparedStatement, D1Result } from "@cloudflare/workers-types";
import { GatheredReads } from "./gathered-reads.ts";
import { type Retries, Unavailable } from "./retries.ts";
import type { Turns } from "./turns.ts";

/**
 * What a store needs of a database. Stores take this, not a binding, so that a namespace can live in a
 * database of its own and reads can go through a D1 session.
 */
export type Database = Pick<D1Database, "prepare" | "batch">;

/** A binding of D1. With `withSession` there may be replicas of it nearer than the database itself. */
export type DatabaseBinding = Database & Partial<Pick<D1Database, "withSession">>;

/** What answers single queries. */
export type Queries = Pick<Database, "prepare">;

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

/** Other ways to a database. */
interface Doors {
  /** For writes that may be repeated. */
  readonly repeatable: Database;
  readonly nearest: Queries | undefined;
}

const doors = new WeakMap<Database, Doors>();

/**
 * The one way to a D1 binding: every statement of every store goes through here. What fails for a moment is tried again:
 * what only reads always, what writes if it was not come to, or if the store says that it may be done twice.
 * @throws {Unavailable} when no try was of use
 */
export function openDatabase(binding: DatabaseBinding, ports: DatabasePorts): Database {
  const once = sender(ports, false);
  const opened = door(binding, once);
  doors.set(opened, { repeatable: door(binding, sender(ports, true)), nearest: replicas(binding, ports, once) });
  return opened;
}

/**
 * The same database, for writes that are tried again although the answer to them was lost. They have to leave the same
 * and answer the same when they are done twice.
 */
export function repeatable(database: Database): Database {
  return doors.get(database)?.repeatable ?? database;
}

/**
 * The nearest replica of a database, for what never changes once it is there. It may not have what was written a moment
 * ago: that something is absent is for the database to say. `undefined` where there is none.
 * @see Cloudflare D1, "Global read replication"
 */
export function nearest(database: Database): Queries | undefined {
  return doors.get(database)?.nearest;
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
  doors.set(watched, { repeatable: observe(repeatable(database)), nearest: nearest(database) });
  return watched;
}

function replicas(binding: DatabaseBinding, { turns }: DatabasePorts, send: Send): Queries | undefined {
  // What is in this process has none.
  if (binding.withSession === undefined || turns !== undefined) return undefined;
  // A session is to see what its earlier queries saw; these have nothing to do with each other, so each has its own.
  const session = (): Queries => binding.withSession?.("first-unconstrained") ?? binding;
  return { prepare: (sql) => statement(session(), sql, send) };
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
  const gathered = new GatheredReads((statements) => send(true, () => binding.batch(statements)));
  return {
    prepare: (sql) => statement(binding, sql, send, gathered),
    batch(statements) {
      const reads = statements.every((statement) => statement instanceof Statement && statement.reads);
      return send(reads, () => binding.batch(statements.map(Statement.bound)));
    },
  };
}

function statement(binding: Queries, sql: string, send: Send, gathered?: GatheredReads): Statement {
  return new Statement(binding.prepare(sql), READS.test(sql) ? { reads: true, gathered } : { reads: false }, send);
}

/** Whether a statement only reads, and with which others it may be sent. */
interface Manner {
  readonly reads: boolean;
  readonly gathered?: GatheredReads | undefined;
}

/** A statement that is sent as the database's other calls are. */
class Statement implements D1PreparedStatement {
  readonly #statement: D1PreparedStatement;
  readonly #manner: Manner;
  readonly #send: Send;

  constructor(statement: D1PreparedStatement, manner: Manner, send: Send) {
    this.#statement = statement;
    this.#manner = manner;
    this.#send = send;
  }

  get reads(): boolean {
    return this.#manner.reads;
  }

  /** The binding's own statement. */
  static bound(this: void, statement: D1PreparedStatement): D1PreparedStatement {
    return statement instanceof Statement ? statement.#statement : statement;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new Statement(this.#statement.bind(...values), this.#manner, this.#send);
  }

  first<T = unknown>(column: string): Promise<T | null>;
  first<T = Record<string, unknown>>(): Promise<T | null>;
  first<T>(column?: string): Promise<T | null> {
    const alone = () => (column === undefined ? this.#statement.first<T>() : this.#statement.first<T>(column));
    return this.#answer(alone, ({ results: [row] }) => {
      if (row === undefined) return null;
      if (column === undefined) return row as T;
      if (!Object.hasOwn(row as object, column)) throw new Error(`D1_COLUMN_NOTFOUND: ${column}`);
      return (row as Record<string, T>)[column] ?? null;
    });
  }

  run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#answer(
      () => this.#statement.run<T>(),
      (result) => result as D1Result<T>,
    );
  }

  all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#answer(
      () => this.#statement.all<T>(),
      (result) => result as D1Result<T>,
    );
  }

  /** By itself, or with the other reads of its turn. */
  #answer<T>(act: () => Promise<T>, from: (result: D1Result) => T): Promise<T> {
    const { reads, gathered } = this.#manner;
    const alone = () => this.#send(reads, act);
    return gathered === undefined ? alone() : gathered.read(this.#statement, alone, from);
  }

  raw<T = unknown[]>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T = unknown[]>(options?: { columnNames?: false }): Promise<T[]>;
  async raw<T>(options?: { columnNames?: boolean }): Promise<T[]> {
    const named = options?.columnNames === true;
    return this.#send<T[]>(this.#manner.reads, () =>
      named ? (this.#statement.raw({ columnNames: true }) as Promise<T[]>) : this.#statement.raw<T>(),
    );
  }
}
