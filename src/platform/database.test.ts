import type { D1PreparedStatement } from "@cloudflare/workers-types";
import { expect, test } from "vitest";
import { type Database, nearest, observed, openDatabase, repeatable } from "./database.ts";
import { Turns } from "./turns.ts";
import { Retries, RETRIES, Unavailable } from "./retries.ts";

const LOST = new Error("D1_ERROR: Network connection lost.");
const REFUSED = new Error("D1_ERROR: D1 DB is overloaded. Requests queued for too long.");
const WRONG = new Error("D1_ERROR: UNIQUE constraint failed: tags.name: SQLITE_CONSTRAINT");

const READ = "SELECT 1";
const WRITE = "INSERT INTO tags (name) VALUES (1)";

/** A database that fails with these before it works. */
function opened(...failures: readonly Error[]) {
  const left = [...failures];
  const counted = { calls: 0, waits: [] as number[], sessions: [] as unknown[] };
  const call = async (): Promise<never> => {
    counted.calls += 1;
    const failure = left.shift();
    if (failure !== undefined) throw failure;
    return [] as never;
  };
  const statement = {
    bind: () => statement,
    first: call,
    run: call,
    all: call,
    raw: call,
  } as unknown as D1PreparedStatement;
  const binding = {
    prepare: () => statement,
    batch: call,
    withSession(constraint?: string) {
      counted.sessions.push(constraint);
      return { prepare: () => statement, batch: call, getBookmark: () => null };
    },
  };
  const retries = new Retries({
    clock: () => 0,
    wait: async (milliseconds) => counted.waits.push(milliseconds),
    random: () => 1,
  });
  const ports = { turns: undefined, retries };
  return { counted, binding, ports, database: openDatabase(binding, ports) };
}

const batch = (sql: string) => (database: Database) => database.batch([database.prepare(sql).bind(1)]);
const run = (sql: string) => (database: Database) => database.prepare(sql).bind(1).run();

test.each([
  ["a read, and its answer was lost", batch(READ), LOST],
  ["a read of one statement", run(READ), LOST],
  ["a read that was not come to", batch(READ), REFUSED],
  ["a write that was not come to", batch(WRITE), REFUSED],
  ["a write that may be done twice", (database: Database) => batch(WRITE)(repeatable(database)), LOST],
  ["one statement that may be done twice", (database: Database) => run(WRITE)(repeatable(database)), LOST],
])("what fails for a moment is tried again: %s", async (_case, act, failure) => {
  const { counted, database } = opened(failure, failure);
  await act(database);
  expect(counted.calls).toBe(3);
});

test("a write whose answer was lost is not done twice, unless the store says so", async () => {
  const { counted, database } = opened(LOST);
  await expect(batch(WRITE)(database)).rejects.toBeInstanceOf(Unavailable);
  await expect(batch(WRITE)(database)).resolves.toEqual([]);
  expect(counted.calls).toBe(2);
});

test("a batch that also writes is a write", async () => {
  const { database } = opened(LOST);
  await expect(database.batch([database.prepare(READ), database.prepare(WRITE)])).rejects.toBeInstanceOf(Unavailable);
});

test("what is wrong is not tried again", async () => {
  const { counted, database } = opened(WRONG);
  await expect(batch(WRITE)(repeatable(database))).rejects.toBe(WRONG);
  expect(counted.calls).toBe(1);
});

test("tries end, and the waits between them grow up to a limit", async () => {
  const { counted, database } = opened(...Array.from({ length: 20 }, () => LOST));
  await expect(run(READ)(database)).rejects.toMatchObject({ cause: LOST, retryAfterSeconds: 2 });
  expect(counted.calls).toBe(RETRIES.tries);
  expect(counted.waits).toEqual([100, 200, 400, 800]);
});

test("an observed database has all doors", async () => {
  let seen = 0;
  const { counted, database } = opened(LOST);
  const watched = observed(database, () => (seen += 1));
  await batch(WRITE)(repeatable(watched));
  expect([counted.calls, seen]).toEqual([2, 1]);
  expect(nearest(watched)).toBe(nearest(database));
});

test("a query of the nearest replica has a session of its own, which begins with no query before it", async () => {
  const { counted, database } = opened(LOST);
  const near = nearest(database);
  await near?.prepare(READ).bind(1).first();
  await near?.prepare(READ).bind(2).first();
  expect(counted).toMatchObject({ calls: 3, sessions: ["first-unconstrained", "first-unconstrained"] });
  await run(READ)(database);
  expect(counted.sessions).toHaveLength(2);
});

test("there is no nearest replica without sessions, nor of a database in this process", () => {
  const { binding, ports } = opened();
  const turns = new Turns({ clock: () => 0, wait: async () => {} });
  expect(nearest(openDatabase(binding, { ...ports, turns }))).toBeUndefined();
  const { prepare, batch: send } = binding;
  expect(nearest(openDatabase({ prepare, batch: send }, ports))).toBeUndefined();
});
