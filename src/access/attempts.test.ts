import { describe, expect, it } from "vitest";
import { addressBlock } from "./address-block.ts";
import { afterFailure, type Attempts, FORGET_AFTER, secondsToWait } from "./attempts.ts";

const LIMIT = 3;

describe("attempts", () => {
  it("lock at the limit, and twice as long each time after, up to an hour", () => {
    let attempts: Attempts | undefined;
    let now = 1_000_000;
    const waits: (number | undefined)[] = [];
    for (let count = 0; count < 12; count += 1) {
      attempts = afterFailure(attempts, now, LIMIT);
      waits.push(secondsToWait(attempts, now));
      now = Math.max(now + 1000, attempts.lockedUntil);
      expect(secondsToWait(attempts, now)).toBeUndefined();
    }
    expect(waits).toEqual([undefined, undefined, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
  });

  it("that were under way when it locked do not make the lock longer", () => {
    const locked: Attempts = { failures: 3, lockedUntil: 50_000, at: 20_000 };
    expect(afterFailure(locked, 30_000, LIMIT)).toEqual({ ...locked, at: 30_000 });
  });

  it("are forgotten after a quiet day", () => {
    const old: Attempts = { failures: 9, lockedUntil: 5, at: 5 };
    expect(afterFailure(old, 5 + FORGET_AFTER, LIMIT)).toMatchObject({ failures: 1, lockedUntil: 0 });
    expect(afterFailure(old, 4 + FORGET_AFTER, LIMIT)).toMatchObject({ failures: 10 });
  });
});

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::ffff:c000:207", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002:0:0:0:9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["not:an:address", "not:an:address"],
])("%s belongs to %s", (address, block) => {
  expect(addressBlock(address)).toBe(block);
});
