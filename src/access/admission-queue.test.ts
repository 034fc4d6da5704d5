import { describe, expect, it } from "vitest";
import { type AdmissionLimits, AdmissionQueue } from "./admission-queue.ts";

function fixture(limits: Partial<AdmissionLimits> = {}) {
  const state = { now: 0, sleepers: [] as { readonly at: number; readonly wake: () => void }[] };
  const queue = new AdmissionQueue(
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
  /** Asks to be admitted, and notes who was. */
  function acquire(who: string, request: Parameters<AdmissionQueue["acquire"]>[0]) {
    const admitted = queue.acquire(request).then((release) => {
      got.push(release === undefined ? `no ${who}` : who);
      return release;
    });
    return { release: async () => (await admitted)?.() };
  }
  const got: string[] = [];
  return { state, pass, acquire, got };
}

describe("the admission queue", () => {
  it("admits those of one key one at a time, in order, and those of others at once", async () => {
    const { pass, acquire, got } = fixture();
    const first = acquire("a", { key: "k" });
    const second = acquire("b", { key: "k" });
    acquire("c", { key: "k" });
    acquire("d", { key: "other" });
    await pass(100);
    expect(got).toEqual(["a", "d"]);
    await first.release();
    await pass(100);
    expect(got).toEqual(["a", "d", "b"]);
    await second.release();
    await pass(100);
    expect(got).toEqual(["a", "d", "b", "c"]);
  });

  it("admits as many as there is room for, in all and of one group", async () => {
    const { pass, acquire, got } = fixture();
    for (const who of ["a", "b", "c"]) acquire(who, { key: who, group: "g" });
    for (const who of ["d", "e", "f"]) acquire(who, { key: who });
    await pass(25);
    expect(got.toSorted()).toEqual(["a", "b", "d", "e", "no c", "no f"]);
  });

  it("has nobody wait longer than allowed", async () => {
    const { pass, acquire, got } = fixture({ lease: 5000 });
    acquire("a", { key: "k" });
    acquire("b", { key: "k" });
    await pass(1100);
    expect(got).toEqual(["a", "no b"]);
  });

  it("ends an admission that was not released, and the place of one that waits no more", async () => {
    const { state, pass, acquire, got } = fixture();
    acquire("a", { key: "k" });
    acquire("gone", { key: "k" });
    await pass(25);
    // Its request was cut off: its timer never fires.
    state.sleepers = [];
    acquire("b", { key: "k" });
    await pass(475);
    expect(got).toEqual(["a"]);
    await pass(600);
    expect(got).toEqual(["a", "b"]);
  });

  it("lets those go for whom nothing is left to do", async () => {
    const { pass, acquire, got } = fixture();
    let isDone = false;
    acquire("a", { key: "k" });
    acquire("b", { key: "k", isDone: () => isDone });
    await pass(50);
    isDone = true;
    await pass(50);
    expect(got).toEqual(["a", "no b"]);
  });

  it("rests after each", async () => {
    const { pass, acquire, got } = fixture({ rest: 100 });
    const first = acquire("a", { key: "k" });
    acquire("b", { key: "k" });
    await first.release();
    await pass(75);
    expect(got).toEqual(["a"]);
    await pass(75);
    expect(got).toEqual(["a", "b"]);
  });
});
