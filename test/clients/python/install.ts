import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TOOLS } from "../../support/tool-paths.ts";

/** A client, in an environment of its own: versions of one package exclude each other. */
export interface PythonClient {
  readonly name: string;
  readonly requirement: string;
}

/** The official client as its users have it, old and new, and one that is not official. */
export const PYTHON_CLIENTS = [
  { name: "kubernetes-29", requirement: "kubernetes==29.0.0" },
  { name: "kubernetes-32", requirement: "kubernetes==32.0.1" },
  { name: "kubernetes-37", requirement: "kubernetes==37.0.2" },
  { name: "kr8s", requirement: "kr8s==0.20.15" },
] as const satisfies readonly PythonClient[];

const TIMEOUT_MS = 5 * 60_000;

const FOLDER = path.join(TOOLS, "python");

/** The interpreter that finds a client. */
export function pythonOf({ name }: PythonClient): string {
  return path.join(FOLDER, name, "bin/python");
}

/**
 * Installs the clients that are not there.
 * @throws if one cannot be had
 */
export function installPythonClients(): void {
  for (const client of PYTHON_CLIENTS) install(client);
}

function install({ name, requirement }: PythonClient): void {
  const folder = path.join(FOLDER, name);
  const stamp = path.join(folder, "requirement");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === requirement) return;
  console.log(`installing ${requirement} for Python`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  execute("python3", ["-m", "venv", folder]);
  execute(path.join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", requirement]);
  // Last: an installation that was broken off has none, and is begun anew.
  writeFileSync(stamp, requirement);
}

function execute(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], timeout: TIMEOUT_MS });
  if (status !== 0) throw new Error(`failed: ${command} ${args.join(" ")}`);
}
