import { describe, expect, it } from "vitest";
import { type TurnLimits, Turns } from "./turns.ts";

function fixture(limits: Partial<TurnLimits> = {}) {
  const state = { now: 0, sleepers: [] as { readonly at: number; readonly wake: () => void }[] };
  const turns = new Turns(
    { total: 4, perGroup: 2, patience: 1000, lease: 500, rest: 0, ...limits },
    {
      clock: () => state.now,
      sleep: (duration) => new Promise((wake) => state.sleepers.push({ at: state.now + duration, wake })),
    },
  );
  /** Lets time pass, timer by timer. */
  async function pass(milliseconds: number): Promise<void> {
    for (const end = state.now + milliseconds; state.now < end; state.now += 25) {
      const due = state.sleepers.filter(({ at }) => at <= state.now);
      state.sleepers = state.sleepers.filter(({ at }) => at > state.now);
      for (const { wake } of due) wake();
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  }
  /** Takes turns, and notes who got one. */
  function take(who: string, request: Parameters<Turns["take"]>[0]) {
    const taken = turns.take(request).then((leave) => {
      got.push(leave === undefined ? `no ${who}` : who);
      return leave;
    });
    return { leave: async () => (await taken)?.() };
  }
  const got: string[] = [];
  return { state, pass, take, got };
}

describe("turns", () => {
  it("of one key come one after the other, in order; those of others at once", async () => {
    const { pass, take, got } = fixture();
    const first = take("a", { key: "k" });
    const second = take("b", { key: "k" });
    take("c", { key: "k" });
    take("d", { key: "other" });
    await pass(100);
    expect(got).toEqual(["a", "d"]);
    await first.leave();
    await pass(100);
    expect(got).toEqual(["a", "d", "b"]);
    await second.leave();
    await pass(100);
    expect(got).toEqual(["a", "d", "b", "c"]);
  });

  it("are as many as there is room for, in all and of one group", async () => {
    const { pass, take, got } = fixture();
    for (const who of ["a", "b", "c"]) take(who, { key: who, group: "g" });
    for (const who of ["d", "e", "f"]) take(who, { key: who });
    await pass(25);
    expect(got.toSorted()).toEqual(["a", "b", "d", "e", "no c", "no f"]);
  });

  it("are not waited for longer than allowed", async () => {
    const { pass, take, got } = fixture({ lease: 5000 });
    take("a", { key: "k" });
    take("b", { key: "k" });
    await pass(1100);
    expect(got).toEqual(["a", "no b"]);
  });

  it("end by themselves when they were not given back, and so does the place of one that waits no more", async () => {
    const { state, pass, take, got } = fixture();
    take("a", { key: "k" });
    take("gone", { key: "k" });
    await pass(25);
    // Its request was cut off: its timer never fires.
    state.sleepers = [];
    take("b", { key: "k" });
    await pass(475);
    expect(got).toEqual(["a"]);
    await pass(600);
    expect(got).toEqual(["a", "b"]);
  });

  it("end for those for whom nothing is left to do", async () => {
    const { pass, take, got } = fixture();
    let isDone = false;
    take("a", { key: "k" });
    take("b", { key: "k", isDone: () => isDone });
    await pass(50);
    isDone = true;
    await pass(50);
    expect(got).toEqual(["a", "no b"]);
  });

  it("leave a rest after each", async () => {
    const { pass, take, got } = fixture({ rest: 100 });
    const first = take("a", { key: "k" });
    take("b", { key: "k" });
    await first.leave();
    await pass(75);
    expect(got).toEqual(["a"]);
    await pass(75);
    expect(got).toEqual(["a", "b"]);
  });
});
