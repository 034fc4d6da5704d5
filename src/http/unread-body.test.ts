import { describe, expect, it, vi } from "vitest";
import { dropRest } from "./unread-body.ts";

const KIB = 1024;

describe("what is left of a body", () => {
  it("is read to its end", async () => {
    const pull = vi.fn((controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (pull.mock.calls.length > 10) controller.close();
      else controller.enqueue(new Uint8Array(KIB));
    });
    await dropRest(new ReadableStream<Uint8Array>({ pull }));
    expect(pull).toHaveBeenCalledTimes(11);
  });

  it("is given up after so many bytes", async () => {
    const cancel = vi.fn();
    const pull = vi.fn((controller: ReadableStreamDefaultController<Uint8Array>) =>
      controller.enqueue(new Uint8Array(KIB)),
    );
    await dropRest(new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 }), undefined, {
      bytes: 8 * KIB,
      ms: 1e6,
    });
    expect(pull).toHaveBeenCalledTimes(9);
    expect(cancel).toHaveBeenCalledOnce();
  });

  it("says when it is much, and goes on", async () => {
    const onEnough = vi.fn();
    const pull = vi.fn((controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (pull.mock.calls.length > 4) controller.close();
      else controller.enqueue(new Uint8Array(KIB));
    });
    const all = { bytes: 8 * KIB, ms: 1e6 };
    await dropRest(new ReadableStream<Uint8Array>({ pull }), onEnough, all, { bytes: 3 * KIB, ms: 1e6 });
    expect(onEnough).toHaveBeenCalledOnce();
    expect(pull).toHaveBeenCalledTimes(5);
  });

  it("is given up after so long", async () => {
    const cancel = vi.fn();
    await dropRest(new ReadableStream<Uint8Array>({ cancel }), undefined, { bytes: KIB, ms: 10 });
    expect(cancel).toHaveBeenCalledOnce();
  });

  it("may break off, be nothing, or be somebody else's", async () => {
    await dropRest(new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error("gone")) }));
    await dropRest(null);
    const taken = new ReadableStream<Uint8Array>({ pull: () => expect.fail("it was read") }, { highWaterMark: 0 });
    taken.getReader();
    await dropRest(taken);
  });
});
