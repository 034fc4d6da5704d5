import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ROOT, WRANGLER, WRANGLER_ENV } from "./paths.ts";

/**
 * `npm run deploy`: what must be there before the code, then the code. `--dry-run` bundles and uploads nothing.
 * wrangler makes the bucket, but migrations need the database before it deploys, and it does not make queues that
 * nothing is sent to.
 */
function deploy(args: readonly string[]): void {
  if (!args.includes("--dry-run")) {
    const config = readFileSync(path.join(ROOT, "wrangler.toml"), "utf8");
    for (const name of namesOf(config, "database_name")) ensure(["d1", "info", name], ["d1", "create", name]);
    for (const name of namesOf(config, "(?:dead_letter_)?queue"))
      ensure(["queues", "info", name], ["queues", "create", name]);
    must(["d1", "migrations", "apply", "DB", "--remote", ...environment(args)]);
  }
  must(["deploy", ...args]);
}

/** The different values of a key in `wrangler.toml`, which is given as an expression. */
function namesOf(config: string, key: string): string[] {
  const found = config.matchAll(new RegExp(`^${key} = "([^"]+)"$`, "gm"));
  return [...new Set(Array.from(found, ([, name]) => name ?? ""))];
}

/** `--env NAME` among the arguments: migrations must go to the same environment. */
function environment(args: readonly string[]): string[] {
  const at = args.findIndex((argument) => argument === "--env" || argument === "-e");
  return at < 0 ? [] : args.slice(at, at + 2);
}

function ensure(look: readonly string[], create: readonly string[]): void {
  if (wrangler(look, "ignore") !== 0) must(create);
}

function must(args: readonly string[]): void {
  const status = wrangler(args, "inherit");
  if (status !== 0) process.exit(status);
}

function wrangler(args: readonly string[], output: "inherit" | "ignore"): number {
  const { status } = spawnSync(process.execPath, [WRANGLER, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...WRANGLER_ENV },
    stdio: ["inherit", output, output],
  });
  return status ?? 1;
}

deploy(process.argv.slice(2));
