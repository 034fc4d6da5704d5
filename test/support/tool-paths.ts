import path from "node:path";
import { ROOT } from "../../src/selfhost/paths.ts";

/** Folder of everything that end-to-end tests install for themselves. Git ignores it. */
export const TOOLS = path.join(ROOT, ".tools");

/** Folder of the clients that are built from source. */
export const TOOLS_BIN = path.join(TOOLS, "bin");

/** Folder of kubectl 1.20, the oldest one that must work, beside whichever the machine has. */
export const KUBECTL_1_20_FOLDER = path.join(TOOLS, "kubectl-1.20");

export const KUBECTL_1_20 = path.join(KUBECTL_1_20_FOLDER, "usr/bin/kubectl");

/** The environment in which those clients are found, before any others of the same name. */
export function toolEnv(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${TOOLS_BIN}${path.delimiter}${process.env["PATH"] ?? ""}` };
}
