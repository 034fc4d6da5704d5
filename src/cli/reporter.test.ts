import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ItemResult } from "../mirror/index.ts";
import { formatBytes, formatTime, printable } from "./quantities.ts";
import { itemLine } from "./reporter.ts";
import { frame, terminalReporter } from "./terminal-progress.ts";

const ITEM: ItemResult = {
  repository: "a",
  tag: "1",
  outcome: "copied",
  bytes: 0,
  blobs: { copied: 0, mounted: 0, skipped: 0 },
  warnings: [],
  targets: [],
};

describe("what people read", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [12_345_678, "12.3 MB"],
    [999_999_999, "1.0 GB"],
  ])("%d bytes are %s", (bytes, expected) => expect(formatBytes(bytes)).toBe(expected));

  it.each([
    [0, "0.0 s"],
    [1500, "1.5 s"],
    [61_000, "1 min 1 s"],
    [3_700_000, "1 h 1 min"],
  ])("%d ms are %s", (duration, expected) => expect(formatTime(duration)).toBe(expected));

  it("holds nothing that steers a terminal", () => {
    expect(printable("a\u001B[2Jb\u0007\nc\u009B1m")).toBe("a [2Jb c 1m");
  });

  it.each<[Partial<ItemResult>, string]>([
    [{ bytes: 2000 }, "a:1 copied, 2.0 kB"],
    [{ outcome: "failed", error: "boom" }, "a:1 failed: boom"],
    [
      { outcome: "would-copy", targets: [{ registry: "r", repository: "m/a", tag: "1", outcome: "would-copy" }] },
      "a:1 would be copied to m/a:1",
    ],
  ])("%j", (item, expected) => expect(itemLine({ ...ITEM, ...item })).toBe(expected));
});

describe("frame", () => {
  const image = (name: string, size: number, sent: number) => ({ name, blobs: new Map([["d", { size, sent }]]) });

  it("has a bar for each image, and fits the terminal", () => {
    const lines = frame([image("app:v1", 1000, 500), image("x".repeat(300), 10, 0)], 2000, { columns: 80, rows: 24 });
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain("[############------------] 500 B of 1.0 kB");
    expect(lines.at(-1)).toBe("2.0 kB/s");
    for (const line of lines) expect(line.length).toBeLessThan(80);
  });

  it("leaves out what is too much for the terminal, and says so", () => {
    const images = Array.from({ length: 20 }, (_none, index) => image(`i:${index}`, 1, 1));
    const lines = frame(images, 0, { columns: 80, rows: 8 });
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toBe("0 B/s, 15 more");
  });

  it("has nothing without images", () => expect(frame([], 0, { columns: 80, rows: 24 })).toEqual([]));
});

describe("terminalReporter", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("writes lines above its bars, and wipes nothing but those", () => {
    let written = "";
    const terminal = { columns: 80, rows: 24, write: (text: string) => void (written += text) };
    const reporter = terminalReporter(terminal, () => 0, false);
    const item = { repository: "app", tag: "v1", state: "copy", targets: [] } as const;
    reporter.event("task", { type: "started", item });
    vi.advanceTimersByTime(100);
    expect(written).toMatch(/^app:v1 .*\n0 B\/s\n$/);
    written = "";
    reporter.message("info", "hello");
    // Two lines up, both wiped, and up again.
    const wipe = "\u001B[2A\u001B[2K\u001B[1B\u001B[2K\u001B[1B\u001B[2A";
    expect(written).toBe(`${wipe}hello\n`);
    vi.advanceTimersByTime(100);
    written = "";
    reporter.close();
    expect(written).toBe(wipe);
  });
});
