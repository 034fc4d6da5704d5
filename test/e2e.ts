import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "../src/selfhost/build.ts";
import { ROOT } from "../src/selfhost/paths.ts";
import { installTools } from "./clients/tools.ts";

const VITEST = path.join(path.dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");

/** `npm run test:e2e`: installs the clients that are missing, then runs the end-to-end tests. */
async function main(args: readonly string[]): Promise<void> {
  installTools();
  // A bundle that cannot be made is told better here than by vitest.
  await build();
  const { status } = spawnSync(
    process.execPath,
    [VITEST, "run", "--config", path.join(import.meta.dirname, "vitest.e2e.config.ts"), ...args],
    { cwd: ROOT, stdio: "inherit" },
  );
  process.exitCode = status ?? 1;
}

await main(process.argv.slice(2));
