import { expect, it } from "vitest";
import type { RunReport } from "./execution-hub.ts";
import { runReporter } from "./run-reporter.ts";

const IMAGE = "app:v1";

/** A reporter, and the sum of what it told. */
function world() {
  const time = { now: 0 };
  const reports: RunReport[] = [];
  const hub = {
    report: async (_: number, report: RunReport) => void reports.push(report),
    tell: async () => {},
  };
  const total = (key: string): number =>
    reports.reduce((sum, { counts = {} }) => sum + ((counts as Record<string, number>)[key] ?? 0), 0);
  return { time, reports, total, reporter: runReporter(1, { hub, clock: () => time.now }) };
}

it("counts blobs and their bytes, and tells it twice a second at most", async () => {
  const { time, reports, total, reporter } = world();
  reporter.progress({ type: "blob", image: IMAGE, digest: "a", size: 100, state: "copying" });
  for (let count = 0; count < 100; count += 1) {
    time.now += 10;
    reporter.progress({ type: "bytes", image: IMAGE, digest: "a", bytes: 1 });
  }
  reporter.progress({ type: "blob", image: IMAGE, digest: "a", size: 100, state: "copied" });
  reporter.progress({ type: "blob", image: IMAGE, digest: "b", size: 50, state: "skipped" });
  await reporter.flush();
  expect(reports.length).toBeLessThanOrEqual(4);
  expect(total("blobsTotal")).toBe(2);
  expect(total("blobsCopied")).toBe(1);
  expect(total("blobsSkipped")).toBe(1);
  expect(total("bytesTotal")).toBe(100);
  expect(total("bytesCopied")).toBe(100);
});

it("takes back what a blob announced that did not end, but for what was sent", async () => {
  const { total, reporter } = world();
  reporter.progress({ type: "blob", image: IMAGE, digest: "a", size: 100, state: "copying" });
  reporter.progress({ type: "bytes", image: IMAGE, digest: "a", bytes: 30 });
  reporter.forgetUnfinished();
  await reporter.flush();
  expect(total("blobsTotal")).toBe(0);
  expect(total("bytesTotal")).toBe(30);
  expect(total("bytesCopied")).toBe(30);
});
