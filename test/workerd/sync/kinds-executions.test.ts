import { beforeAll, describe, expect, it } from "vitest";
import { watchExecutions } from "../../../src/sync/kinds/execution-watch.ts";
import { PLAIN_TASK, syncPlatform } from "./kinds-fixture.ts";

const platform = syncPlatform("sync-runs");
const { api, executions, items } = platform;

interface Named {
  readonly metadata: { readonly name: string };
}

let tasks = 0;

/** A task of its own for each test. */
async function newTask(): Promise<string> {
  tasks += 1;
  const name = `task-${tasks}`;
  await platform.task(name, PLAIN_TASK);
  return name;
}

const namesOf = (body: { readonly items: readonly Named[] }) => body.items.map(({ metadata }) => metadata.name);

beforeAll(async () => {
  await platform.registry("hub", { url: "https://registry-1.docker.io" });
});

describe("executions", () => {
  it("tell what happened", async () => {
    const { name, id } = await platform.run(await newTask());
    await executions.setState(id, "running");
    const plan = (tag: string) => ({ repository: "library/nginx", tag, digest: "sha256:a", targets: [] });
    await items.insert(id, [
      { ...plan("v1"), state: "pending" },
      { ...plan("v2"), state: "unchanged" },
    ]);
    const [leased] = await items.leaseNext(id, 1000);
    const running = (await api("GET", `/executions/${name}`)).body;
    expect(running).toMatchObject({
      kind: "Execution",
      metadata: { labels: { "sync.entrepot.dev/task": running.spec.task } },
      status: { state: "running", progress: "1/2", items: { total: 2, unchanged: 1 } },
    });
    const condition = (body: typeof running, type: string) =>
      body.status.conditions.find((found: { type: string }) => found.type === type).status;
    expect(["Complete", "Failed", "Running"].map((type) => condition(running, type))).toEqual([
      "False",
      "False",
      "True",
    ]);
    await items.finish(leased?.id ?? 0, { state: "failed", errorClass: "denied", error: "403" });
    await executions.finish(id, "partial", "1 of 2 items failed");
    const ended = (await api("GET", `/executions/${name}`)).body;
    expect(["Complete", "Failed", "Running"].map((type) => condition(ended, type))).toEqual(["False", "True", "False"]);
    expect(ended.status).toMatchObject({
      state: "partial",
      message: "1 of 2 items failed",
      failedItems: [{ tag: "v1", reason: "denied", message: "403" }],
    });
    expect(Number(ended.metadata.resourceVersion)).toBeGreaterThan(Number(running.metadata.resourceVersion));
  });

  it("are listed with the newest first, by selectors and pages", async () => {
    const task = await newTask();
    const made: string[] = [];
    for (const state of ["succeeded", "failed", "unchanged"] as const) {
      const { name, id } = await platform.run(task);
      made.unshift(name);
      await executions.finish(id, state);
    }
    const [newest = "", middle = "", oldest = ""] = made;
    const list = async (query: string) => (await api("GET", `/executions?${query}`)).body;
    const label = `labelSelector=${encodeURIComponent(`sync.entrepot.dev/task=${task}`)}`;
    expect(namesOf(await list(label))).toEqual(made);
    expect(namesOf(await list(`fieldSelector=spec.task=${task},status.state=failed`))).toEqual([middle]);
    expect(namesOf(await list(`fieldSelector=spec.task=${task},status.state!=failed`))).toEqual([newest, oldest]);
    expect(namesOf(await list(`fieldSelector=metadata.name=${oldest}`))).toEqual([oldest]);
    expect(namesOf(await list(`fieldSelector=metadata.name=other-${oldest.split("-").at(-1)}`))).toEqual([]);
    const first = await list(`${label}&limit=2`);
    expect(namesOf(first)).toEqual([newest, middle]);
    const second = await list(`${label}&limit=2&continue=${first.metadata.continue}`);
    expect(namesOf(second)).toEqual([oldest]);
    expect(second.metadata.continue ?? "").toBe("");
  });

  it("are found by their own names and namespaces only", async () => {
    const { name, id } = await platform.run(await newTask());
    const other = syncPlatform("sync-others");
    expect((await other.api("GET", `/executions/${name}`)).status).toBe(404);
    expect((await api("GET", `/executions/other-${id}`)).status).toBe(404);
    expect((await api("GET", `/executions/nothing`)).status).toBe(404);
    expect((await api("PUT", `/executions/${name}`, {})).status).toBe(405);
  });

  it("are deleted once they have ended", async () => {
    const { name, id } = await platform.run(await newTask());
    expect(await api("DELETE", `/executions/${name}`)).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    await executions.finish(id, "succeeded");
    expect((await api("DELETE", `/executions/${name}?dryRun=All`)).status).toBe(200);
    expect((await api("DELETE", `/executions/${name}`)).status).toBe(200);
    expect((await api("GET", `/executions/${name}`)).status).toBe(404);
    expect((await api("DELETE", `/executions/${name}`)).status).toBe(404);
  });

  it("stop, and are retried when something failed", async () => {
    const { name, id } = await platform.run(await newTask());
    expect((await api("POST", `/executions/${name}/retry`)).status).toBe(409);
    expect((await api("POST", `/executions/${name}/stop`)).body.status.stopRequested).toBe(true);
    await executions.finish(id, "canceled");
    expect((await api("POST", `/executions/${name}/stop`)).status).toBe(409);
    expect((await api("POST", `/executions/${name}/retry`)).status).toBe(409);
    await executions.count(id, { itemsFailed: 2 });
    const retried = await api("POST", `/executions/${name}/retry`);
    expect(retried).toMatchObject({ status: 201, body: { spec: { trigger: "retry", onlyFailedOf: name } } });
  });

  it("show their logs as text, as JSON, in pages, and as they come", async () => {
    const { name, id } = await platform.run(await newTask());
    const line = (message: string) => ({ at: platform.time.now, level: "info" as const, message });
    await platform.logs.append(id, ["one", "two\nlines", "three"].map(line));
    const text = (await api("GET", `/executions/${name}/logs`)).body;
    expect(text.split("\n")).toHaveLength(4);
    expect(text).toContain("INFO  two lines");
    const page = await api("GET", `/executions/${name}/logs?offset=1&limit=1`, undefined, {
      accept: "application/json",
    });
    expect(page.body).toMatchObject({ total: 3, items: [{ level: "info", message: "two\nlines" }] });
    expect((await api("GET", `/executions/${name}/logs?limit=x`)).status).toBe(400);
    const following = await platform.request("GET", `/executions/${name}/logs?follow=true`);
    const read = following.text();
    await platform.logs.append(id, [line("late")]);
    await executions.finish(id, "succeeded");
    expect((await read).trimEnd().split("\n").at(-1)).toContain("late");
  });
});

describe("a watch of executions", () => {
  interface Event {
    readonly type: string;
    readonly object: Named & {
      readonly status: { readonly state: string };
      readonly metadata: { resourceVersion: string };
    };
  }

  /** Begins a watch. `until` reads events to one that is wanted, and answers all that came. */
  async function watch(query: string) {
    const response = await platform.request("GET", `/executions?watch=true&${query}`);
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
    const decoder = new TextDecoder();
    let text = "";
    return {
      async until(wanted: (event: Event) => boolean): Promise<readonly Event[]> {
        const events: Event[] = [];
        for (;;) {
          const end = text.indexOf("\n");
          if (end < 0) {
            const { value, done } = await reader.read();
            if (done) throw new Error("the watch has ended");
            text += decoder.decode(value, { stream: true });
            continue;
          }
          const row = text.slice(0, end);
          text = text.slice(end + 1);
          if (row === "") continue;
          const event = JSON.parse(row) as Event;
          events.push(event);
          if (wanted(event)) return events;
        }
      },
      end: () => reader.cancel(),
    };
  }

  it("is what kubectl wait needs: a list by name, then what changes of it", async () => {
    const task = await newTask();
    const { name, id } = await platform.run(task);
    const listed = (await api("GET", `/executions?fieldSelector=metadata.name=${name}`)).body;
    expect(namesOf(listed)).toEqual([name]);
    const watching = await watch(
      `fieldSelector=metadata.name=${name}&resourceVersion=${listed.metadata.resourceVersion}`,
    );
    await executions.setState(id, "running");
    const other = await platform.run(await newTask());
    await executions.finish(other.id, "succeeded");
    await executions.finish(id, "succeeded");
    const events = await watching.until(({ object }) => object.status.state === "succeeded");
    await watching.end();
    expect(new Set(events.map(({ object }) => object.metadata.name))).toEqual(new Set([name]));
    expect(events.at(-1)).toMatchObject({
      type: "MODIFIED",
      object: {
        status: { conditions: expect.arrayContaining([expect.objectContaining({ type: "Complete", status: "True" })]) },
      },
    });
  });

  it("begins with what there is, and tells of new and deleted ones", async () => {
    const task = await newTask();
    const first = await platform.run(task);
    await executions.finish(first.id, "succeeded");
    const watching = await watch(`fieldSelector=spec.task=${task}`);
    expect((await watching.until(() => true)).at(-1)).toMatchObject({
      type: "ADDED",
      object: { metadata: { name: first.name } },
    });
    const second = await platform.run(task);
    await watching.until(({ type, object }) => type === "ADDED" && object.metadata.name === second.name);
    await api("DELETE", `/executions/${first.name}`);
    const gone = await watching.until(({ type }) => type === "DELETED");
    expect(gone.at(-1)?.object.metadata.name).toBe(first.name);
    await watching.end();
  });

  it("tells of those that come to match, and stop to", async () => {
    const task = await newTask();
    const { name, id } = await platform.run(task);
    const { rv } = await executions.version();
    const watching = await watch(`fieldSelector=spec.task=${task},status.state=running&resourceVersion=${rv}`);
    await executions.setState(id, "planning");
    await executions.setState(id, "running");
    expect((await watching.until(({ type }) => type !== "DELETED")).at(-1)?.object.metadata.name).toBe(name);
    await executions.finish(id, "succeeded");
    expect((await watching.until(({ type }) => type === "DELETED")).at(-1)?.object.metadata.name).toBe(name);
    await watching.end();
  });

  it("cannot go on from before what was pruned", async () => {
    const task = await newTask();
    const { id } = await platform.run(task);
    await executions.finish(id, "succeeded");
    await executions.remove(id);
    await executions.prune(0, platform.time.now + 1, 1000);
    const watching = await watch(`fieldSelector=spec.task=${task}&resourceVersion=1`);
    expect((await watching.until(() => true))[0]).toMatchObject({ type: "ERROR", object: { reason: "Expired" } });
  });
});

describe("a watch of runs", () => {
  it("ends before it asks the database more often than one request may", async () => {
    let calls = 0;
    const ask = <T>(answer: T): Promise<T> => {
      calls += 1;
      return Promise.resolve(answer);
    };
    const changing = {
      version: () => ask({ rv: calls + 10, pruned: 0 }),
      changedSince: () => ask([]),
      list: () => ask([]),
    };
    const query = { since: 1, labels: [], fields: [], signal: new AbortController().signal };
    const frames = watchExecutions({ executions: changing, pollInterval: 0 }, query, {});
    for await (const frame of frames) expect(frame.type).toBe("BOOKMARK");
    expect(calls).toBeLessThan(1000);
  });
});
