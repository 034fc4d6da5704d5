import { describe, expect, it } from "vitest";
import { RegistryError, type RegistryFailure } from "./registry.ts";
import { type RetryPorts, retryWait, withRetries } from "./with-retries.ts";

const RETRY = { attempts: 4, initial: 1000, maximum: 3000 };

function fakePorts(random = 1): { ports: RetryPorts; waits: number[]; stop: AbortController } {
  const waits: number[] = [];
  const stop = new AbortController();
  const sleep = async (duration: number): Promise<void> => {
    waits.push(duration);
  };
  return { ports: { sleep, random: () => random, signal: stop.signal }, waits, stop };
}

describe("withRetries", () => {
  it("tries again with growing waits, and gives up with the last error", async () => {
    const { ports, waits } = fakePorts();
    const seen: number[] = [];
    const work = async (attempt: number): Promise<never> => {
      seen.push(attempt);
      throw new RegistryError("transient", `try ${attempt}`);
    };
    await expect(withRetries(work, RETRY, ports)).rejects.toThrow("try 4");
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(waits).toEqual([1000, 2000, 3000]);
  });

  it("returns what a later try gives", async () => {
    const { ports, waits } = fakePorts(0.5);
    const work = async (attempt: number): Promise<string> => {
      if (attempt < 3) throw new RegistryError("transient", "not yet");
      return "done";
    };
    await expect(withRetries(work, RETRY, ports)).resolves.toBe("done");
    expect(waits).toEqual([500, 1000]);
  });

  it.each<RegistryFailure>(["denied", "missing", "corrupt", "conflict", "unsupported", "refused", "forbidden-address"])(
    "does not repeat what is %s",
    async (failure) => {
      const { ports, waits } = fakePorts();
      const work = async (): Promise<never> => {
        throw new RegistryError(failure, failure);
      };
      await expect(withRetries(work, RETRY, ports)).rejects.toThrow(failure);
      expect(waits).toEqual([]);
    },
  );

  it("does not repeat a bug", async () => {
    const { ports, waits } = fakePorts();
    const work = async (): Promise<never> => {
      throw new TypeError("bug");
    };
    await expect(withRetries(work, RETRY, ports)).rejects.toThrow("bug");
    expect(waits).toEqual([]);
  });

  it("ends with the signal's reason, not with the failure that the stop made", async () => {
    const { ports, stop } = fakePorts();
    const work = async (): Promise<never> => {
      stop.abort(new Error("stopped"));
      throw new RegistryError("transient", "connection closed");
    };
    await expect(withRetries(work, RETRY, ports)).rejects.toThrow("stopped");
  });
});

describe("retryWait", () => {
  it.each([
    ["no longer than the jitter when the registry asks for less", 200, 1, 1000],
    ["as long as the registry asks when that is more", 60_000, 1, 60_000],
    ["as long as the registry asks when the draw is nothing", 200, 0, 200],
  ])("waits %s", (_case, retryAfter, random, expected) => {
    const error = new RegistryError("transient", "429", { status: 429, retryAfter });
    expect(retryWait(1, RETRY, error, () => random)).toBe(expected);
  });
});
