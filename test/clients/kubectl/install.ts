import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { KUBECTL_1_20, KUBECTL_1_20_FOLDER, TOOLS } from "../../support/tool-paths.ts";

/** The package of the distribution that has it. */
const PACKAGE = "kubernetes-client";

const TIMEOUT_MS = 5 * 60_000;

/**
 * Puts the distribution's kubectl into a folder of its own, beside the one that the machine may have. Does nothing if it
 * is there.
 * @throws if it cannot be had
 */
export function installOldKubectl(): void {
  if (existsSync(KUBECTL_1_20)) return;
  mkdirSync(TOOLS, { recursive: true });
  // Nothing half done gets the name, and two installations do not meet.
  const folder = mkdtempSync(path.join(TOOLS, "kubectl-"));
  try {
    if (!succeeds("apt-get", ["download", PACKAGE], folder)) {
      // A bare machine has no list of packages, or an old one.
      execute("apt-get", ["update"], folder);
      execute("apt-get", ["download", PACKAGE], folder);
    }
    const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error(`apt-get has downloaded no package ${PACKAGE}`);
    execute("dpkg-deb", ["--extract", archive, "content"], folder);
    rmSync(KUBECTL_1_20_FOLDER, { recursive: true, force: true });
    renameSync(path.join(folder, "content"), KUBECTL_1_20_FOLDER);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!existsSync(KUBECTL_1_20)) throw new Error(`the package ${PACKAGE} has no kubectl`);
}

function execute(command: string, args: readonly string[], cwd: string): void {
  if (!succeeds(command, args, cwd)) throw new Error(`failed: ${command} ${args.join(" ")}`);
}

function succeeds(command: string, args: readonly string[], cwd: string): boolean {
  const { status } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: TIMEOUT_MS,
  });
  return status === 0;
}
