import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FolderInUseError, takeDataFolder } from "./data-folder.ts";

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "entrepot-lock-"));
  folder = path.join(root, "deep", "data");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("takeDataFolder", () => {
  it("makes the folder, and gives it back", () => {
    takeDataFolder(folder)();
    takeDataFolder(folder)();
  });

  it("keeps it from other users, with what is in it and what comes", () => {
    mkdirSync(path.join(folder, "state"), { recursive: true });
    writeFileSync(path.join(folder, "migrated"), "");
    for (const [name, mode] of [
      [".", 0o755],
      ["state", 0o755],
      ["migrated", 0o644],
    ] as const) {
      chmodSync(path.join(folder, name), mode);
    }
    takeDataFolder(folder)();
    writeFileSync(path.join(folder, "state", "new"), "");
    mkdirSync(path.join(folder, "content"));
    const modes = [".", "state", "migrated", "lock", "state/new", "content"].map(
      (name) => statSync(path.join(folder, name)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o600, 0o600, 0o600, 0o700]);
  });

  it("refuses a folder that another server has, in one line that names it", () => {
    const release = takeDataFolder(folder);
    const take = () => takeDataFolder(folder);
    expect(take).toThrow(FolderInUseError);
    expect(take).toThrow(`DATA_DIR: ${folder} is in use by another server`);
    release();
    take()();
  });

  it("takes over from a process that was killed", async () => {
    const module = path.join(import.meta.dirname, "data-folder.ts");
    const script = `import { takeDataFolder } from ${JSON.stringify(module)}; takeDataFolder(${JSON.stringify(folder)}); console.log("taken"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(() => takeDataFolder(folder)).toThrow(FolderInUseError);
    child.kill("SIGKILL");
    await once(child, "exit");
    takeDataFolder(folder)();
  });
});
