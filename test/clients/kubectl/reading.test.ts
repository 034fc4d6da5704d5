import { beforeAll, describe, expect, test } from "vitest";
import { type TestList, type TestObject, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile } from "./tasks.ts";

describe.each(kubectlPrograms())("$name: reading", (program) => {
  const kubectl = useKubectl(program, TASK_DEFINITION);
  beforeAll(async () => {
    const tasks = [
      task("alpha", { source: "north", metadata: { labels: { tier: "gold", zone: "1" } }, spec: { parallel: 3 } }),
      task("beta", { source: "south", metadata: { labels: { tier: "silver" } }, spec: { parallel: 1 } }),
      task("gamma", { source: "north", metadata: { labels: { zone: "2" } }, spec: { parallel: 2 } }),
      task("alpha", { source: "east", metadata: { namespace: "other", labels: { tier: "gold" } } }),
    ];
    await kubectl.run("apply", "--namespace=", "-f", kubectl.file("tasks.yaml", taskFile(...tasks.map(inTeam))));
  });
  const names = async (...args: readonly string[]): Promise<string[]> =>
    (await kubectl.run("get", "tasks", ...args, "--output=name")).split("\n").map((line) => line.split("/")[1] ?? "");
  const rows = async (...args: readonly string[]): Promise<string[][]> =>
    (await kubectl.run("get", ...args)).split("\n").map((line) => line.split(/ {2,}/));

  test("get prints a table, -o wide more of it", async () => {
    expect((await kubectl.run("get", "tasks")).split("\n")[0]?.split(/ +/)).toEqual(["NAME", "SOURCE", "PHASE", "AGE"]);
    const [head, alpha] = (await kubectl.run("get", "tk", "-o", "wide")).split("\n").map((line) => line.split(/ +/));
    expect(head).toEqual(["NAME", "SOURCE", "PHASE", "PARALLEL", "AGE"]);
    expect(alpha).toEqual(["alpha", "north", "3", expect.stringMatching(/^\d+[sm]/)]);
    expect((await rows("work")).length).toBe(4);
    expect(await kubectl.run("get", "tasks", "alpha", "--no-headers")).toMatch(/^alpha +north/);
  });

  test("get -A shows every namespace, and --show-labels labels", async () => {
    const [head, ...found] = await rows("tasks", "-A", "--show-labels");
    expect([head?.at(0), head?.at(-1)]).toEqual(["NAMESPACE", "LABELS"]);
    expect(found.map((row) => [row[0], row[1], row.at(-1)])).toEqual([
      ["other", "alpha", "tier=gold"],
      ["team", "alpha", "tier=gold,zone=1"],
      ["team", "beta", "tier=silver"],
      ["team", "gamma", "zone=2"],
    ]);
    expect((await kubectl.run("get", "tasks", "-L", "tier")).split("\n")[1]).toMatch(/gold$/);
  });

  test("get prints as JSON, YAML, names, and by templates", async () => {
    const alpha = await kubectl.json<TestObject>("get", "task", "alpha");
    expect(alpha).toMatchObject({ kind: "Task", apiVersion: "work.example.org/v1", spec: { source: "north" } });
    expect(await kubectl.run("get", "task", "alpha", "-o", "yaml")).toMatch(
      /^spec:\n {2}parallel: 3\n {2}source: north/m,
    );
    expect((await kubectl.json<TestList>("get", "tasks")).items).toHaveLength(3);
    expect(await kubectl.run("get", "tasks", "-o", "jsonpath={.items[*].spec.source}")).toBe("north south north");
    expect(await kubectl.run("get", "task/alpha", "-o", "name")).toBe("task.work.example.org/alpha");
    const columns = await kubectl.run("get", "tasks", "-o", "custom-columns=N:.metadata.name,P:.spec.parallel");
    expect(columns.split("\n").map((line) => line.split(/ +/))).toEqual([
      ["N", "P"],
      ["alpha", "3"],
      ["beta", "1"],
      ["gamma", "2"],
    ]);
    expect(await kubectl.run("get", "task", "beta", "-o", "go-template={{.spec.source}}")).toBe("south");
  });

  test.each([
    ["tier=gold", ["alpha"]],
    ["tier==gold,zone=1", ["alpha"]],
    ["tier!=gold", ["beta", "gamma"]],
    ["tier in (gold, silver)", ["alpha", "beta"]],
    ["tier notin (gold)", ["beta", "gamma"]],
    ["tier", ["alpha", "beta"]],
    ["!tier", ["gamma"]],
    ["zone,tier notin (silver)", ["alpha", "gamma"]],
  ])("get -l '%s'", async (selector, expected) => {
    expect(await names("-l", selector)).toEqual(expected);
  });

  test.each([
    ["metadata.name=beta", ["beta"]],
    ["metadata.name!=beta", ["alpha", "gamma"]],
    ["spec.source=north", ["alpha", "gamma"]],
    ["spec.source=north,metadata.name=gamma", ["gamma"]],
  ])("get --field-selector '%s'", async (selector, expected) => {
    expect(await names("--field-selector", selector)).toEqual(expected);
  });

  test("get --field-selector metadata.namespace picks among all namespaces", async () => {
    expect(await names("-A", "--field-selector=metadata.namespace=other")).toEqual(["alpha"]);
  });

  test("get --sort-by sorts the table", async () => {
    const order = async (path: string) =>
      (await rows("tasks", `--sort-by=${path}`, "--no-headers")).map((row) => row[0]);
    expect(await order("{.spec.parallel}")).toEqual(["beta", "gamma", "alpha"]);
    expect(await order(".metadata.name")).toEqual(["alpha", "beta", "gamma"]);
  });

  test("get tells of what is not there", async () => {
    const missing = await kubectl.attempt(["get", "task", "nobody"]);
    expect(missing.code).toBe(1);
    expect(missing.stderr.trim()).toBe('Error from server (NotFound): tasks.work.example.org "nobody" not found');
    expect((await kubectl.attempt(["get", "task", "nobody", "--ignore-not-found"])).code).toBe(0);
    const none = await kubectl.attempt(["get", "tasks", "-l", "tier=lead"]);
    expect([none.code, none.stderr.trim()]).toEqual([0, "No resources found in team namespace."]);
    const bad = await kubectl.attempt(["get", "tasks", "--field-selector=spec.parallel=1"]);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining("field label not supported: spec.parallel")]);
  });

  test("describe shows the object, and that it has no events", async () => {
    const text = await kubectl.run("describe", "task", "alpha");
    for (const line of [/^Name:\s+alpha$/m, /^Labels:\s+tier=gold$/m, /^\s+Source:\s+north$/m, /^Events:\s+<none>$/m]) {
      expect(text).toMatch(line);
    }
    expect(await kubectl.run("describe", "tasks", "-l", "tier")).toMatch(/Name:\s+alpha[^]*Name:\s+beta/);
  });
});

/** Into the namespace `team`, unless it has another. */
function inTeam(object: Record<string, unknown>): Record<string, unknown> {
  return { ...object, metadata: { namespace: "team", ...(object["metadata"] as object) } };
}
