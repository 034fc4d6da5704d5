import { expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { Retries, Unavailable } from "./retries.ts";

/** A database that notes what it is sent; `broken` statements fail, and so does a batch with one. */
function opened({ broken = "", failure = "D1_ERROR: no such table" } = {}) {
  const sent: string[] = [];
  const answer = (sql: string) => {
    if (broken !== "" && sql.includes(broken)) throw new Error(failure);
    return { success: true, meta: {}, results: [{ sql }] };
  };
  const prepare = (sql: string) => {
    const one = async () => {
      sent.push(sql);
      return answer(sql);
    };
    const statement = { sql, bind: () => statement, all: one, run: one, first: async () => (await one()).results[0] };
    return statement;
  };
  const batch = async (statements: { sql: string }[]) => {
    sent.push(statements.map(({ sql }) => sql).join(" + "));
    return statements.map(({ sql }) => answer(sql));
  };
  const retries = new Retries({ clock: () => 0, wait: async () => {}, random: () => 0 });
  const binding = { prepare, batch } as unknown as Parameters<typeof openDatabase>[0];
  return { sent, database: openDatabase(binding, { turns: undefined, retries }) };
}

test("reads of the same turn are one batch, each with its own answer", async () => {
  const { sent, database } = opened();
  const answers = await Promise.all([
    database.prepare("SELECT 1").bind().first(),
    database.prepare("SELECT 2").first("sql"),
    database.prepare("SELECT 3").all(),
  ]);
  expect(answers).toMatchObject([{ sql: "SELECT 1" }, "SELECT 2", { results: [{ sql: "SELECT 3" }] }]);
  expect(sent).toEqual(["SELECT 1 + SELECT 2 + SELECT 3"]);
});

test("reads of another turn, and what is written, are sent by themselves", async () => {
  const { sent, database } = opened();
  await database.prepare("SELECT 1").first();
  await Promise.all([
    database.prepare("SELECT 2").first(),
    database.prepare("INSERT 3").run(),
    database.batch([database.prepare("SELECT 4")]),
  ]);
  expect(sent.toSorted()).toEqual(["INSERT 3", "SELECT 1", "SELECT 2", "SELECT 4"]);
});

test("what fails fails for its own caller, and the others are sent again in their order", async () => {
  const { sent, database } = opened({ broken: "2" });
  const answers = await Promise.allSettled(["1", "2", "3"].map((n) => database.prepare(`SELECT ${n}`).first("sql")));
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(sent).toEqual(["SELECT 1 + SELECT 2 + SELECT 3", "SELECT 1", "SELECT 2", "SELECT 3"]);
});

test("a database that is not there is asked no more often for many than for one", async () => {
  const { sent, database } = opened({ broken: "SELECT", failure: "D1_ERROR: Network connection lost." });
  const answers = await Promise.allSettled(["1", "2"].map((n) => database.prepare(`SELECT ${n}`).first()));
  for (const answer of answers) expect(answer).toMatchObject({ reason: expect.any(Unavailable) as Unavailable });
  expect(new Set(sent)).toEqual(new Set(["SELECT 1 + SELECT 2"]));
});

test("many are sent in several batches", async () => {
  const { sent, database } = opened();
  await Promise.all(Array.from({ length: 50 }, (_, n) => database.prepare(`SELECT ${n}`).first()));
  expect(sent.map((batch) => batch.split(" + ").length)).toEqual([20, 20, 10]);
});
