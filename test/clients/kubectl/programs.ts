import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { KUBECTL_1_20 } from "../../support/tool-paths.ts";

/** A kubectl that the script is run with. */
export interface KubectlProgram {
  /** As in the names of tests. */
  readonly name: string;
  readonly program: string;
  /** 20 for Kubernetes 1.20. */
  readonly minor: number;
}

/**
 * Debian's kubectl, and the machine's. Where that is missing, its name stands for Debian's: nothing is ever skipped
 * for want of a client.
 * @throws if Debian's is not installed
 */
export function kubectlPrograms(): KubectlProgram[] {
  const oldest = describeProgram(KUBECTL_1_20);
  const newest = machineKubectl();
  return [oldest, newest === undefined ? { ...oldest, name: `${oldest.name}, again` } : describeProgram(newest)];
}

/**
 * The kubectl of the machine. One that comes with Google's SDK only picks another, as old as the server says it is, from
 * its own folder; then the newest of those is taken, since it asks for more.
 */
function machineKubectl(): string | undefined {
  const found = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, "kubectl"))
    .find((file) => existsSync(file));
  if (found === undefined) return undefined;
  const folder = path.dirname(realpathSync(found));
  const newest = Math.max(...readdirSync(folder).map((file) => Number(/^kubectl\.1\.(\d+)$/.exec(file)?.[1] ?? 0)));
  return newest > 0 ? path.join(folder, `kubectl.1.${newest}`) : found;
}

function describeProgram(program: string): KubectlProgram {
  const { stdout } = spawnSync(program, ["version", "--client", "--output=json"], {
    encoding: "utf8",
    timeout: 30_000,
  });
  const version = /"gitVersion": "v1\.(\d+)\./.exec(stdout ?? "")?.[1];
  if (version === undefined) throw new Error(`${program} does not run; \`node test/clients/tools.ts\` installs it`);
  return { name: `kubectl 1.${version}`, program, minor: Number(version) };
}
