import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterEach, beforeAll } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import type { CommandOptions, Finished } from "../../support/command.ts";
import { toolEnv } from "../../support/tool-paths.ts";
import type { KubectlProgram } from "./programs.ts";

/** Longest that one command may take, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** A kubectl, the server it talks to, and a home of its own, since it keeps what it discovered there. */
export interface Kubectl {
  readonly url: string;
  /** Folder of the server's data. */
  readonly data: string;
  /** What the server has printed so far. */
  serverOutput(): string;
  /** Runs it in the namespace `team`. @returns what it printed @throws if it does not succeed */
  run(...args: readonly string[]): Promise<string>;
  /** As `run`, and parses what it printed. */
  json<T>(...args: readonly string[]): Promise<T>;
  /** Runs it where it may fail. */
  attempt(args: readonly string[], options?: CommandOptions): Promise<Finished>;
  /** Starts one that waits for something, and is ended with the test at the latest. */
  start(...args: readonly string[]): RunningKubectl;
  /** Writes a file to its home. @returns the absolute path */
  file(name: string, content: string): string;
  /** Folder that is its home. */
  readonly home: string;
  /** The arguments before any command that ends by itself. */
  readonly prefix: readonly string[];
}

/** A kubectl that runs. */
export interface RunningKubectl {
  /** Lines of its standard output so far. */
  readonly lines: readonly string[];
  /** The same of its standard error; with `-v=6`, requests are in it. */
  readonly log: readonly string[];
  /** Resolves to its exit code, `null` if it was ended. */
  readonly ended: Promise<number | null>;
}

/** One server for the tests of a block; fields may be read inside tests and hooks only. `setup` is applied first. */
export function useKubectl({ program }: KubectlProgram, setup?: string): Kubectl {
  const at = useServer();
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill("SIGKILL");
  });
  const connection = (): string[] => ["--server", at.server.url, "--namespace", "team"];
  const kubectl: Kubectl = {
    get url() {
      return at.server.url;
    },
    get data() {
      return at.server.data;
    },
    get home() {
      return at.home.folder;
    },
    get prefix() {
      return [...connection(), `--request-timeout=${TIMEOUT_MS / 1000}s`];
    },
    serverOutput: () => at.server.output(),
    async run(...args) {
      const { stdout } = await at.home.run(program, [...kubectl.prefix, ...args], { timeout: TIMEOUT_MS });
      return stdout.trimEnd();
    },
    async json<T>(...args: readonly string[]) {
      return JSON.parse(await kubectl.run(...args, "--output=json")) as T;
    },
    attempt: (args, options = {}) =>
      at.home.attempt(program, [...kubectl.prefix, ...args], { timeout: TIMEOUT_MS, ...options }),
    start(...args) {
      const child = spawn(program, [...connection(), ...args], {
        env: { ...toolEnv(), HOME: at.home.folder },
        stdio: ["ignore", "pipe", "pipe"],
      });
      running.push(child);
      return {
        lines: linesOf(child.stdout),
        log: linesOf(child.stderr),
        ended: once(child, "close").then(([code]) => code as number | null),
      };
    },
    file(name, content) {
      writeFileSync(at.home.path(name), content);
      return at.home.path(name);
    },
  };
  if (setup !== undefined) {
    beforeAll(async () => {
      await kubectl.run("apply", "--filename", kubectl.file("setup.yaml", setup));
    });
  }
  return kubectl;
}

function linesOf(stream: NodeJS.ReadableStream): readonly string[] {
  const lines: string[] = [];
  createInterface({ input: stream }).on("line", (line) => lines.push(line));
  return lines;
}

/** What tests read of an object. */
export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** What tests read of a list. */
export interface TestList {
  readonly items: readonly TestObject[];
}
