import type { Database } from "../../../src/platform/index.ts";

type Values = Parameters<D1PreparedStatement["bind"]>;

/** A statement whose rows are counted however its results are asked for. */
class CountedStatement {
  readonly statement: D1PreparedStatement;
  readonly #count: (result: D1Result) => void;

  readonly #called: () => void;

  constructor(statement: D1PreparedStatement, count: (result: D1Result) => void, called: () => void) {
    this.statement = statement;
    this.#count = count;
    this.#called = called;
  }

  bind(...values: Values): CountedStatement {
    return new CountedStatement(this.statement.bind(...values), this.#count, this.#called);
  }

  async all<T>(): Promise<D1Result<T>> {
    const result = await this.statement.all<T>();
    this.#called();
    this.#count(result);
    return result;
  }

  run<T>(): Promise<D1Result<T>> {
    return this.all<T>();
  }

  async first(column?: string): Promise<unknown> {
    const [row] = (await this.all<Record<string, unknown>>()).results;
    return row === undefined ? null : column === undefined ? row : row[column];
  }
}

/** A database that counts the rows that it reads, and the calls that do more than write one row: a batch is one. */
export function countedDatabase(database: Database) {
  const counted = { rows: 0, calls: 0 };
  const count = ({ meta }: D1Result): void => {
    counted.rows += meta.rows_read;
  };
  const called = (): void => void (counted.calls += 1);
  const counting = {
    prepare: (sql: string) =>
      new CountedStatement(database.prepare(sql), count, /^\s*SELECT/.test(sql) ? called : () => {}),
    async batch(statements: readonly CountedStatement[]) {
      called();
      const results = await database.batch(statements.map(({ statement }) => statement));
      for (const result of results) count(result);
      return results;
    },
  } as unknown as Database;
  return { database: counting, counted };
}
