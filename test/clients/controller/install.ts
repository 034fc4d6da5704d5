import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TOOLS, TOOLS_BIN } from "../../support/tool-paths.ts";

/** The controller that is built from this folder. */
export const CONTROLLER = path.join(TOOLS_BIN, "controller");

const SOURCES = ["go.mod", "go.sum", "main.go"];

/** A first build compiles all of client-go. */
const TIMEOUT_MS = 40 * 60_000;

/**
 * Builds the controller, unless it was built from the same sources.
 * @throws if it cannot be built
 */
export function installController(): void {
  const hash = createHash("sha256");
  for (const source of SOURCES) hash.update(readFileSync(path.join(import.meta.dirname, source)));
  const version = hash.digest("hex");
  const stamp = `${CONTROLLER}.version`;
  if (existsSync(CONTROLLER) && existsSync(stamp) && readFileSync(stamp, "utf8") === version) return;
  console.log("building the controller");
  const folder = path.join(TOOLS, "build", "controller");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  mkdirSync(TOOLS_BIN, { recursive: true });
  for (const source of SOURCES) cpSync(path.join(import.meta.dirname, source), path.join(folder, source));
  const { status } = spawnSync("go", ["build", "-trimpath", "-buildvcs=false", "-o", "program", "."], {
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: "0" },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: TIMEOUT_MS,
  });
  if (status !== 0) throw new Error("the controller could not be built");
  // Only a finished program gets the name, and only then the stamp.
  renameSync(path.join(folder, "program"), CONTROLLER);
  writeFileSync(stamp, version);
}
