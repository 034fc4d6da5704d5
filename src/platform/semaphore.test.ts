import { describe, expect, it } from "vitest";
import { Semaphore } from "./semaphore.ts";

describe("Semaphore", () => {
  it("lets in as many as it has permits, the others in order of arrival", async () => {
    const semaphore = new Semaphore(2);
    const entered: number[] = [];
    const enter = async (id: number) => {
      const release = await semaphore.acquire();
      entered.push(id);
      return release;
    };
    const holders = [enter(1), enter(2), enter(3), enter(4)];
    const first = await holders[0];
    await holders[1];
    expect(entered).toEqual([1, 2]);
    first?.();
    const third = await holders[2];
    expect(entered).toEqual([1, 2, 3]);
    third?.();
    await holders[3];
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it("counts a permit once, however often it is given back", async () => {
    const semaphore = new Semaphore(1);
    const release = await semaphore.acquire();
    release();
    release();
    await semaphore.acquire();
    let entered = false;
    const enter = async () => {
      await semaphore.acquire();
      entered = true;
    };
    void enter();
    await new Promise((resolve) => setImmediate(resolve));
    expect(entered).toBe(false);
  });

  it("never has more holders than permits", async () => {
    const semaphore = new Semaphore(3);
    let holders = 0;
    let most = 0;
    const work = async (turns: number) => {
      const release = await semaphore.acquire();
      holders += 1;
      most = Math.max(most, holders);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      holders -= 1;
      release();
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => work(index % 7)));
    expect([most, holders]).toEqual([3, 0]);
  });
});
