import { describe, expect, it } from "vitest";
import { deliver, type MessageConsumer } from "./message-consumers.ts";

/** A message, what became of it, and consumers of two types. */
function world(type: unknown, attempts: number, fails: boolean, givesUp = true) {
  const done: string[] = [];
  const logged: string[] = [];
  const consumer = (accepted: string): MessageConsumer => ({
    accepts: (body) => (body as { type?: unknown }).type === accepted,
    async run() {
      if (fails) throw new Error("no");
      done.push(`ran ${accepted}`);
    },
    giveUp() {
      if (!givesUp) throw new Error("no");
      done.push(`gave up ${accepted}`);
    },
    attempts: 4,
  });
  const message = {
    id: "1",
    body: { type },
    attempts,
    ack: () => done.push("acknowledged"),
    retry: (options?: QueueRetryOptions) => done.push(`again in ${options?.delaySeconds} s`),
  };
  const note = (event: string) => void logged.push(event);
  const log = { debug: note, info: note, warn: note, error: note };
  const delivered = deliver([message], { consumers: [consumer("a"), consumer("b")], log, random: () => 1 });
  return { done, logged, delivered };
}

describe("a message", () => {
  it("is done by the consumer that accepts it", async () => {
    const { done, delivered } = world("b", 1, false);
    await delivered;
    expect(done).toEqual(["ran b", "acknowledged"]);
  });

  it.each([
    [1, 5],
    [2, 10],
    [3, 20],
  ])("that failed %i times comes again in %i s", async (attempts, seconds) => {
    const { done, logged, delivered } = world("a", attempts, true);
    await delivered;
    expect(done).toEqual([`again in ${seconds} s`]);
    expect(logged).toEqual(["queue.message-failed"]);
  });

  it("is given up when it has failed every time", async () => {
    const { done, delivered } = world("a", 4, true);
    await delivered;
    expect(done).toEqual(["gave up a", "acknowledged"]);
  });

  it("that ended the Worker each time is given up without another try", async () => {
    const { done, delivered } = world("a", 5, false);
    await delivered;
    expect(done).toEqual(["gave up a", "acknowledged"]);
  });

  it("that cannot be given up is kept", async () => {
    const { done, delivered } = world("a", 4, true, false);
    await delivered;
    expect(done).toEqual(["again in 40 s"]);
  });

  it.each([["of a later version"], [undefined]])("of type %j is reported and never acknowledged", async (type) => {
    const { done, logged, delivered } = world(type, 99, false);
    await delivered;
    expect(done).toEqual(["again in 600 s"]);
    expect(logged).toEqual(["queue.unknown-message"]);
  });
});
