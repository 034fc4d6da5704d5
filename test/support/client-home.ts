import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { attempt, type CommandOptions, type Finished, run } from "./command.ts";

/** A folder in which clients find no one's logins and settings but those that the test makes. */
export interface ClientHome {
  readonly folder: string;
  /** Absolute path of a file in it. */
  path(...names: readonly string[]): string;
  /** Runs a client that must succeed. @throws with what it printed, if it does not */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** Runs a client that may fail. */
  attempt(command: string, args: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** Removes the folder. */
  remove(): void;
}

/** Makes a home for clients in a temporary folder. They run in it. */
export function createClientHome(): ClientHome {
  const folder = mkdtempSync(path.join(tmpdir(), "entrepot-client-"));
  const runtime = path.join(folder, "runtime");
  mkdirSync(runtime, { mode: 0o700 });
  const env = {
    HOME: folder,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: path.join(folder, ".config"),
    XDG_CACHE_HOME: path.join(folder, ".cache"),
    XDG_DATA_HOME: path.join(folder, ".local"),
    DOCKER_CONFIG: path.join(folder, ".docker"),
    REGISTRY_AUTH_FILE: path.join(folder, "auth.json"),
  };
  const within = (options: CommandOptions): CommandOptions => ({
    cwd: folder,
    ...options,
    env: { ...env, ...options.env },
  });
  return {
    folder,
    path: (...names) => path.join(folder, ...names),
    run: (command, args, options = {}) => run(command, args, within(options)),
    attempt: (command, args, options = {}) => attempt(command, args, within(options)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
