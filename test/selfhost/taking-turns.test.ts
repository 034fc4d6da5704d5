import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { task, TASK_DEFINITION, taskFile, tasksPath } from "../clients/kubectl/tasks.ts";
import { type Server, startServer } from "../support/server.ts";

const COUNT = 250;

/** The database of a self-host is in its process, so that a row of statements could keep everyone else waiting. */
describe("while a self-host is at long work", { timeout: 300_000 }, () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer();
    await apply(TASK_DEFINITION);
  });
  afterAll(async () => {
    await server.stop();
  });

  const apply = async (body: string): Promise<void> => {
    const response = await fetch(`${server.url}/api/v1/apply`, { method: "POST", body });
    expect(response.status, response.ok ? "" : (await response.text()).slice(0, 500)).toBe(200);
    await response.arrayBuffer();
  };
  const remaining = async (): Promise<number> => {
    const { items } = (await (await fetch(`${server.url}${tasksPath("default")}?limit=1000`)).json()) as {
      readonly items: readonly unknown[];
    };
    return items.length;
  };

  /** How often another client was answered before the work was done. */
  async function heardDuring(work: Promise<unknown>): Promise<number> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    let heard = 0;
    for (;;) {
      const response = await fetch(`${server.url}/readyz`);
      await response.arrayBuffer();
      if (done) break;
      heard += 1;
      await sleep(5);
    }
    await ended;
    return heard;
  }

  test("others are answered: a bulk apply", async () => {
    const tasks = Array.from({ length: COUNT }, (_, index) => task(`task-${String(index).padStart(4, "0")}`));
    expect(await heardDuring(apply(taskFile(...tasks)))).toBeGreaterThan(10);
  });

  test("others are answered, and the rest goes after the answer: the deletion of a collection", async () => {
    const deletion = async (): Promise<void> => {
      const response = await fetch(server.url + tasksPath("default"), { method: "DELETE" });
      expect(response.status).toBe(202);
      const { items, metadata } = (await response.json()) as {
        readonly items: readonly unknown[];
        readonly metadata: { readonly continue?: string };
      };
      expect(items).toHaveLength(100);
      expect(metadata.continue).toBeUndefined();
      while ((await remaining()) > 0) await sleep(50);
    };
    expect(await heardDuring(deletion())).toBeGreaterThan(10);
  });

  test("others are answered: the deletion of a definition", async () => {
    const tasks = Array.from({ length: COUNT }, (_, index) => task(`task-${String(index).padStart(4, "0")}`));
    await apply(taskFile(...tasks));
    const path = "/apis/platform.entrepot.dev/v1/resourcedefinitions/tasks.work.example.org";
    const deletion = async (): Promise<void> => {
      await fetch(server.url + path, { method: "DELETE" });
      while ((await fetch(server.url + path)).status !== 404) await sleep(50);
    };
    expect(await heardDuring(deletion())).toBeGreaterThan(10);
  });
});
