import { afterEach, describe, expect, it, vi } from "vitest";
import { BodyWatch } from "./body-watch.ts";
import { type BodySource, readBody, readBodyText } from "./request-body.ts";

const KIB = 1024;

describe("a body", () => {
  it("is read whole, however it is cut", async () => {
    const pieces = ["a", "bc", "", "d".repeat(200_000), "e"];
    const read = await readBodyText(source(pieces.map(encode)), { limit: 1_000_000 });
    expect(read).toEqual({ ok: true, value: pieces.join("") });
    expect(await readBody({ headers: new Headers(), body: null }, { limit: 1 })).toEqual({
      ok: true,
      value: new Uint8Array(),
    });
  });

  it("may be as long as the limit, not longer", async () => {
    const chunks = [new Uint8Array(KIB), new Uint8Array(KIB)];
    const read = await readBody(source(chunks), { limit: 2 * KIB });
    expect(read.ok && read.value.byteLength).toBe(2 * KIB);
    const refused = await readBody(source([...chunks, new Uint8Array(1)]), { limit: 2 * KIB });
    expect(refused).toEqual({ ok: false, error: { reason: "too-large", limit: 2 * KIB } });
  });

  it("is refused unread where its length says that it is too large", async () => {
    const pull = vi.fn();
    const body = new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
    const headers = new Headers({ "content-length": "1025" });
    expect(await readBody({ headers, body }, { limit: KIB })).toEqual({
      ok: false,
      error: { reason: "too-large", limit: KIB },
    });
    expect(pull).not.toHaveBeenCalled();
  });

  it("that is too large is left to be dropped by others after the limit", async () => {
    let given = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          given += 1;
          if (given > 100) controller.close();
          else controller.enqueue(new Uint8Array(KIB));
        },
      },
      { highWaterMark: 0 },
    );
    expect((await readBody({ headers: new Headers(), body }, { limit: 4 * KIB })).ok).toBe(false);
    expect(given).toBe(5);
    expect(body.locked).toBe(false);
  });

  it("that stops coming ends", async () => {
    const cancel = vi.fn();
    const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(encode("{")), cancel });
    const read = await readBody({ headers: new Headers(), body }, { limit: KIB, windowMs: 10 });
    expect(read).toEqual({ ok: false, error: { reason: "stalled" } });
    expect(cancel).toHaveBeenCalled();
  });

  it("that breaks off is a fault of its sender", async () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error("gone")) });
    expect(await readBody({ headers: new Headers(), body }, { limit: KIB })).toEqual({
      ok: false,
      error: { reason: "aborted" },
    });
  });
});

describe("the watch of a body", () => {
  afterEach(() => void vi.useRealTimers());
  const pace = { totalMs: 1000, leastRate: 100, windowMs: 100 };

  it("ends one that trickles, at the end of a window", () => {
    const { stalled, watch } = watched(pace);
    watch.got(10);
    vi.advanceTimersByTime(100);
    expect(stalled).not.toHaveBeenCalled();
    watch.got(9);
    vi.advanceTimersByTime(100);
    expect(stalled).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(10_000);
    expect(stalled).toHaveBeenCalledOnce();
  });

  it("ends one that takes too long in all", () => {
    const { stalled, watch } = watched(pace);
    for (let window = 1; window <= 10; window += 1) {
      expect(stalled).not.toHaveBeenCalled();
      watch.got(1000);
      vi.advanceTimersByTime(100);
    }
    expect(stalled).toHaveBeenCalledOnce();
  });

  it("does not count the time in which the receiver was busy", () => {
    const { stalled, watch } = watched({ ...pace, totalMs: Number.POSITIVE_INFINITY });
    watch.rest();
    vi.advanceTimersByTime(1000);
    watch.resume();
    vi.advanceTimersByTime(100);
    expect(stalled).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(stalled).toHaveBeenCalledOnce();
  });

  it("says nothing once it has ended, and leaves no timer", () => {
    const { stalled, watch } = watched(pace);
    watch.end();
    vi.advanceTimersByTime(10_000);
    expect(stalled).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

function watched(pace: ConstructorParameters<typeof BodyWatch>[0]) {
  vi.useFakeTimers();
  const stalled = vi.fn();
  return { stalled, watch: new BodyWatch(pace, stalled) };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function source(chunks: readonly Uint8Array[]): BodySource {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return { headers: new Headers(), body };
}
