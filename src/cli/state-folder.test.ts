import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SelectedImage } from "../mirror/index.ts";
import { openStateFolder } from "./state-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "entrepot-state-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const blob = (digest: string) => ({ origin: "https://t", repository: "r", digest });
const CHECKED = { task: "task", repository: "r", digest: "d" };
const WRITTEN: SelectedImage = {
  registry: "t",
  repository: "r",
  digest: "d",
  platforms: { mode: "rewrite", select: [] },
};

describe("openStateFolder", () => {
  it("keeps what it is told for the next process, for nobody else to read", async () => {
    const first = openStateFolder(folder);
    await first.checkpoints.save(blob("d"), { location: "https://t/upload", offset: 5 });
    await first.checkpoints.save(blob("e"), { location: "https://t/other", offset: 6 });
    await first.checkpoints.remove(blob("e"));
    await first.written.save(WRITTEN, "sha256:1");
    await first.created.save("sha256:2", 17);
    await first.created.save("sha256:3", null);
    first.saveLastRun("task", 4);
    first.saveLastRun("task", 5);
    first.release();
    const second = openStateFolder(folder);
    expect(await second.checkpoints.load(blob("d"))).toEqual({ location: "https://t/upload", offset: 5 });
    expect(await second.checkpoints.load(blob("e"))).toBeUndefined();
    expect(await second.written.load(WRITTEN)).toBe("sha256:1");
    expect(await second.created.load("sha256:2")).toBe(17);
    expect(await second.created.load("sha256:3")).toBeNull();
    expect(second.lastRun("task")).toBe(5);
    for (const file of readdirSync(path.join(folder, "uploads"))) {
      expect(statSync(path.join(folder, "uploads", file)).mode & 0o077).toBe(0);
    }
  });

  it("goes on after a line and a position that were cut", async () => {
    const first = openStateFolder(folder);
    first.saveLastRun("a", 1);
    await first.checkpoints.save(blob("k"), { location: "l", offset: 1 });
    first.release();
    appendFileSync(path.join(folder, "notes.jsonl"), '\n["run b", 12');
    const [file = ""] = readdirSync(path.join(folder, "uploads"));
    writeFileSync(path.join(folder, "uploads", file), '{"locat');
    const second = openStateFolder(folder);
    second.saveLastRun("c", 3);
    second.release();
    const third = openStateFolder(folder);
    expect([third.lastRun("a"), third.lastRun("b"), third.lastRun("c")]).toEqual([1, undefined, 3]);
    expect(await third.checkpoints.load(blob("k"))).toBeUndefined();
  });

  it("takes over from a process that is gone", () => {
    writeFileSync(path.join(folder, "lock"), "999999999");
    expect(() => openStateFolder(folder).release()).not.toThrow();
    writeFileSync(path.join(folder, "lock"), String(process.ppid));
    expect(() => openStateFolder(folder)).toThrow("is used by process");
  });

  it("lets a reader in beside the process that has it, and keeps nothing of it", async () => {
    const owner = openStateFolder(folder);
    await owner.written.save(WRITTEN, "sha256:1");
    const reader = openStateFolder(folder, { readOnly: true });
    expect(await reader.written.load(WRITTEN)).toBe("sha256:1");
    await reader.created.save("sha256:2", 17);
    reader.release();
    owner.release();
    expect(await openStateFolder(folder).created.load("sha256:2")).toBeUndefined();
    expect(openStateFolder(path.join(folder, "none"), { readOnly: true }).lastRun("a")).toBeUndefined();
    expect(readdirSync(folder)).not.toContain("none");
  });

  it("says why it cannot be used", () => {
    writeFileSync(path.join(folder, "file"), "");
    expect(() => openStateFolder(path.join(folder, "file"))).toThrow(/--state: the folder .* cannot be used \(E/);
  });

  it("keeps what failed, and that it is not known", () => {
    const first = openStateFolder(folder);
    expect(first.failures("a")).toBeUndefined();
    first.saveFailures("a", [{ repository: "team/app", tag: "v1" }]);
    first.saveFailures("b", []);
    first.saveFailures("c", []);
    first.saveFailures("c", undefined);
    first.release();
    const second = openStateFolder(folder);
    expect(second.failures("a")).toEqual([{ repository: "team/app", tag: "v1" }]);
    expect([second.failures("b"), second.failures("c")]).toEqual([[], undefined]);
  });

  it("says when a look at referrers is due", async () => {
    let now = 1000;
    const checks = openStateFolder(folder).referrerChecks(100, () => now);
    expect(await checks.due(CHECKED)).toBe(true);
    await checks.done(CHECKED);
    expect(await checks.due(CHECKED)).toBe(false);
    now += 100;
    expect(await checks.due(CHECKED)).toBe(true);
  });
});
