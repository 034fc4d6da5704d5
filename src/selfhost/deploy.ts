import { spawnSync } from "node:child_process";
import { ROOT, WRANGLER, WRANGLER_ENV } from "./paths.ts";

/** `npm run deploy`: the database first, then the code that needs it. `--dry-run` bundles and uploads nothing. */
function deploy(args: readonly string[]): void {
  if (!args.includes("--dry-run")) wrangler(["d1", "migrations", "apply", "DB", "--remote"]);
  wrangler(["deploy", ...args]);
}

function wrangler(args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [WRANGLER, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...WRANGLER_ENV },
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

deploy(process.argv.slice(2));
