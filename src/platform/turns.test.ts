import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

function isolate() {
  let now = 0;
  let rests = 0;
  const turns = new Turns({
    clock: () => now,
    wait: async (milliseconds) => {
      rests += 1;
      await Promise.resolve();
      now += milliseconds;
    },
  });
  const work = async (steps: number, each: number): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      await turns.next();
      now += each;
    }
  };
  return { turns, work, rests: () => rests };
}

test("who works long rests every 20 ms", async () => {
  const { work, rests } = isolate();
  await work(1000, 2);
  expect(rests()).toBeGreaterThanOrEqual(90);
  expect(rests()).toBeLessThanOrEqual(110);
});

test("several who work at once rest together, as often as one would", async () => {
  const { work, rests } = isolate();
  await Promise.all([work(500, 2), work(500, 2)]);
  expect(rests()).toBeGreaterThanOrEqual(90);
  expect(rests()).toBeLessThanOrEqual(220);
});

test("where requests come in all the time nobody rests", async () => {
  const { turns, work, rests } = isolate();
  for (let request = 0; request < 100; request += 1) {
    turns.heard();
    await work(3, 5);
  }
  expect(rests()).toBe(0);
});
