import type { D1Database, D1PreparedStatement, D1Result } from "@cloudflare/workers-types";
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
}

/** The one way to a D1 binding: every statement of every store goes through here. */
export function openDatabase(binding: Database, { turns }: DatabasePorts): Database {
  const call: Call = async (act) => {
    await turns?.next();
    return act();
  };
  return {
    prepare: (sql) => new Statement(binding.prepare(sql), call),
    batch: (statements) => call(() => binding.batch(statements.map(Statement.bound))),
  };
}

/** How a statement, or a batch of them, is sent. */
type Call = <T>(act: () => Promise<T>) => Promise<T>;

/** A statement that is sent as the database's other calls are. */
class Statement implements D1PreparedStatement {
  readonly #statement: D1PreparedStatement;
  readonly #call: Call;

  constructor(statement: D1PreparedStatement, call: Call) {
    this.#statement = statement;
    this.#call = call;
  }

  /** The binding's own statement. */
  static bound(this: void, statement: D1PreparedStatement): D1PreparedStatement {
    return statement instanceof Statement ? statement.#statement : statement;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new Statement(this.#statement.bind(...values), this.#call);
  }

  first<T = unknown>(column: string): Promise<T | null>;
  first<T = Record<string, unknown>>(): Promise<T | null>;
  first<T>(column?: string): Promise<T | null> {
    return this.#call(() => (column === undefined ? this.#statement.first<T>() : this.#statement.first<T>(column)));
  }

  run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#call(() => this.#statement.run<T>());
  }

  all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.#call(() => this.#statement.all<T>());
  }

  raw<T = unknown[]>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T = unknown[]>(options?: { columnNames?: false }): Promise<T[]>;
  async raw<T>(options?: { columnNames?: boolean }): Promise<T[]> {
    const named = options?.columnNames === true;
    return this.#call<T[]>(() =>
      named ? (this.#statement.raw({ columnNames: true }) as Promise<T[]>) : this.#statement.raw<T>(),
    );
  }
}
