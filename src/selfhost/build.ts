import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { ROOT, WRANGLER, WRANGLER_ENV } from "./paths.ts";

/** The bundle: the same bytes that a deployment would upload. */
export const BUNDLE = path.join(ROOT, "dist", "worker.js");

const SOURCES = ["src", "wrangler.toml", "package-lock.json"];

/** Bundles the Worker with wrangler, unless the bundle is newer than every source. */
export function build(): void {
  if (isFresh()) return;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [WRANGLER, "deploy", "--dry-run", "--outdir", path.dirname(BUNDLE)],
    { cwd: ROOT, env: { ...process.env, ...WRANGLER_ENV }, encoding: "utf8" },
  );
  if (status === 0) return;
  // What was written before the failure must not pass for a fresh bundle.
  rmSync(BUNDLE, { force: true });
  throw new Error(`the Worker could not be bundled:\n${stdout}${stderr}`);
}

function isFresh(): boolean {
  if (!existsSync(BUNDLE)) return false;
  const built = statSync(BUNDLE).mtimeMs;
  return SOURCES.every((source) => newest(path.join(ROOT, source)) < built);
}

/** When anything at or below `file` was last changed, in milliseconds. */
function newest(file: string): number {
  const stats = statSync(file);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(file).map((name) => newest(path.join(file, name))));
}

if (import.meta.main) build();
