import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Leases } from "./leases.ts";

const TERM = 60_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Leases", () => {
  it("lend as many as there are, and what was given back, in order of arrival", async () => {
    const leases = new Leases(2, TERM, Date.now);
    const [one, two] = [await leases.acquire(0), await leases.acquire(0)];
    const order: string[] = [];
    const later = ["third", "fourth"].map((name) =>
      leases.acquire(1000).then((lease) => {
        order.push(name);
        return lease;
      }),
    );
    expect(leases.demand).toBe(4);
    one?.release();
    one?.release();
    two?.release();
    await vi.advanceTimersByTimeAsync(1000);
    const [third, fourth] = await Promise.all(later);
    expect(order).toEqual(["third", "fourth"]);
    expect([third, fourth].every((lease) => lease !== undefined)).toBe(true);
    expect(leases.demand).toBe(2);
  });

  it("have nobody wait for longer than they said", async () => {
    const leases = new Leases(1, TERM, Date.now);
    const held = await leases.acquire(0);
    const refused = leases.acquire(2000);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await refused).toBeUndefined();
    // Who gave up is not given what comes free.
    held?.release();
    expect(leases.demand).toBe(0);
    expect(await leases.acquire(0)).toBeDefined();
  });

  it("end for those that fell silent, and not for those that get on", async () => {
    const leases = new Leases(2, TERM, Date.now);
    await leases.acquire(0);
    const alive = await leases.acquire(0);
    await vi.advanceTimersByTimeAsync(TERM - 1000);
    alive?.renew();
    const waiting = leases.acquire(1000);
    await vi.advanceTimersByTimeAsync(1000);
    const third = await waiting;
    expect(third).toBeDefined();
    const fourth = leases.acquire(1000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await fourth).toBeUndefined();
    // Once it was given back, a late sign of life takes nothing.
    third?.release();
    third?.renew();
    expect(leases.demand).toBe(1);
  });
});
