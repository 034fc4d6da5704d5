import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { startRegistry } from "../support/registries.ts";
import { type Server, startServer } from "../support/server.ts";
import { copying, crash, syncCommand } from "./sync-command.ts";

/** A copy of one repository into this project's registry, by one of the ways to do it. */
export interface Mirroring {
  /** Where the target answers now; what was killed answers elsewhere when it is there again. */
  url(): string;
  begin(): Promise<void>;
  /** Ends whatever copies, as a power cut would, and lets it go on. */
  kill(): Promise<void>;
  /** Whether the copy goes on. */
  isRunning(): Promise<boolean>;
  /** Resolves when it is done. @throws if something failed */
  done(): Promise<void>;
  stop(): Promise<void>;
}

/** By the command: the target stays, and the command is started again. */
export async function byCommand(source: string, repository: string): Promise<Mirroring> {
  const target = await startRegistry("entrepot");
  const command = syncCommand();
  const config = copying(source, target.url, repository);
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> | undefined;
  const begin = async (): Promise<void> => {
    child = command.start(config);
    ended = once(child, "exit");
    child.stdout?.resume();
    child.stderr?.resume();
  };
  return {
    url: () => target.url,
    begin,
    async kill() {
      if (child !== undefined) await crash(child);
      await begin();
    },
    isRunning: async () => child?.exitCode === null,
    async done() {
      await ended;
      if (child?.exitCode !== 0) throw new Error(`the command ended with ${child?.exitCode}`);
    },
    async stop() {
      if (child !== undefined) await crash(child);
      command.remove();
      await target.stop();
    },
  };
}

const TASK = "/apis/sync.entrepot.dev/v1/namespaces/default";
const taskSchema = z.object({
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
        .default([]),
    })
    .default({ conditions: [] }),
});

/** By a SyncTask: the whole server is killed and started again, and its clock finds the run that was lost. */
export async function byTask(source: string, repository: string): Promise<Mirroring> {
  const data = mkdtempSync(path.join(tmpdir(), "entrepot-big-"));
  let server: Server = await startServer({ data });
  const post = async (where: string, body: object): Promise<void> => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(server.url + where, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${where}: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  };
  const object = (kind: string, name: string, spec: object): object => ({
    apiVersion: "sync.entrepot.dev/v1",
    kind,
    metadata: { name },
    spec,
  });
  const conditions = async (): Promise<ReadonlyMap<string, string>> => {
    const response = await fetch(`${server.url}${TASK}/synctasks/big`);
    const { status } = taskSchema.parse(await response.json());
    return new Map(
      status.conditions.flatMap(({ type, status, message }) => (status === "True" ? [[type, message ?? ""]] : [])),
    );
  };
  return {
    url: () => server.url,
    async begin() {
      await post(`${TASK}/registries`, object("Registry", "source", { url: source, insecure: true, concurrency: 6 }));
      const task = { source: { registry: "source", repository }, targets: [{ registry: "local" }] };
      await post(`${TASK}/synctasks`, object("SyncTask", "big", task));
      await post(`${TASK}/synctasks/big/run`, {});
    },
    async kill() {
      await server.kill();
      server = await startServer({ data });
    },
    isRunning: async () => (await conditions()).has("Running"),
    async done() {
      for (;;) {
        const now = await conditions();
        const failed = now.get("Failed");
        if (failed !== undefined) throw new Error(`the task failed: ${failed}\n${server.output().slice(-5000)}`);
        if (now.has("Complete") && !now.has("Running")) return;
        await sleep(500);
      }
    },
    async stop() {
      await server.stop();
      rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
