import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, SELF_HOST, WRANGLER, WRANGLER_ENV } from "./paths.ts";

/** The bundle: the same bytes that a deployment would upload. */
export const BUNDLE = path.join(ROOT, "dist", "worker.js");

/** The same for the engine of a self-host: without what costs memory, which are comments, spaces, and letters of two bytes. */
export const COMPACT_BUNDLE = path.join(ROOT, "dist", "worker.compact.js");

/** What serves, as JavaScript: a Node that takes types out keeps 17 MB for that. */
export const SERVE_SCRIPT = path.join(ROOT, "dist", "selfhost", "serve.js");

const SOURCES = ["src", "wrangler.toml", "package-lock.json"];

/** Bundles the Worker with wrangler, unless the bundle is newer than every source. */
export async function build(): Promise<void> {
  if (isFresh()) return;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [WRANGLER, "deploy", "--dry-run", "--outdir", path.dirname(BUNDLE)],
    { cwd: ROOT, env: { ...process.env, ...WRANGLER_ENV }, encoding: "utf8" },
  );
  // What was written before the failure must not pass for a fresh bundle.
  rmSync(COMPACT_BUNDLE, { force: true });
  if (status !== 0) throw new Error(`the Worker could not be bundled:\n${stdout}${stderr}`);
  const { build: bundle, transform } = await import("esbuild");
  await bundle({
    entryPoints: ["serve.ts", "front-worker.ts"].map((name) => path.join(SELF_HOST, name)),
    outdir: path.dirname(SERVE_SCRIPT),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "error",
  });
  // Names stay, for the traces of errors.
  const { code } = await transform(readFileSync(BUNDLE, "utf8"), {
    format: "esm",
    charset: "ascii",
    legalComments: "none",
    minifyWhitespace: true,
    minifySyntax: true,
  });
  writeFileSync(COMPACT_BUNDLE, code);
}

function isFresh(): boolean {
  if (!existsSync(COMPACT_BUNDLE)) return false;
  const built = statSync(COMPACT_BUNDLE).mtimeMs;
  return SOURCES.every((source) => newest(path.join(ROOT, source)) < built);
}

/** When anything at or below `file` was last changed, in milliseconds. */
function newest(file: string): number {
  const stats = statSync(file);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(file).map((name) => newest(path.join(file, name))));
}

if (import.meta.main) await build();
