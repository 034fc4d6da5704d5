import { beforeEach, describe, expect, test } from "vitest";
import { type TestObject, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile, tasksPath } from "./tasks.ts";

describe.each(kubectlPrograms())("$name: writing", (program) => {
  const kubectl = useKubectl(program, TASK_DEFINITION);
  const read = (name = "job"): Promise<TestObject> => kubectl.json<TestObject>("get", "task", name);
  const patch = (type: string, change: unknown, ...more: readonly string[]) =>
    kubectl.attempt(["patch", "task", "job", `--type=${type}`, "--patch", JSON.stringify(change), ...more]);

  beforeEach(async () => {
    await kubectl.run("delete", "tasks", "--all");
    const job = task("job", { spec: { tags: ["a", "b"], steps: [{ name: "one", run: "x" }] } });
    await kubectl.run("create", "-f", kubectl.file("job.yaml", taskFile(job)));
  });

  test("create refuses what is there, and generates names", async () => {
    const again = await kubectl.attempt(["create", "-f", kubectl.file("job.yaml", taskFile(task("job")))]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("(AlreadyExists): error when creating");
    expect(again.stderr).toContain('tasks.work.example.org "job" already exists');
    const { metadata: _named, ...rest } = task("any");
    const unnamed = kubectl.file("unnamed.yaml", taskFile({ ...rest, metadata: { generateName: "job-" } }));
    expect(await kubectl.run("create", "-f", unnamed)).toMatch(/^task\.work\.example\.org\/job-[a-z0-9]{5} created$/);
    expect(await kubectl.run("create", "-f", unnamed, "--dry-run=server", "-o", "name")).toMatch(/\/job-[a-z0-9]{5}$/);
  });

  test("create --raw posts to any path", async () => {
    const body = kubectl.file("raw.json", JSON.stringify(task("raw", { source: "raw" })));
    const created = JSON.parse(await kubectl.run("create", "--raw", tasksPath(), "-f", body)) as TestObject;
    expect(created).toMatchObject({
      metadata: { name: "raw", namespace: "team" },
      spec: { source: "raw", parallel: 1 },
    });
    const again = await kubectl.attempt(["create", "--raw", tasksPath(), "-f", body]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('"raw" already exists')]);
  });

  test("label sets, refuses to overwrite, overwrites, and removes", async () => {
    expect(await kubectl.run("label", "task", "job", "a=1", "b=2")).toContain("labeled");
    const refused = await kubectl.attempt(["label", "task", "job", "a=3"]);
    expect(refused.code).toBe(1);
    await kubectl.run("label", "task", "job", "a=3", "b-", "--overwrite");
    const { metadata } = await read();
    expect(metadata).toMatchObject({ labels: { a: "3" }, generation: 1 });
    const illegal = await patch("merge", { metadata: { labels: { "not a key": "x" } } });
    expect([illegal.code, illegal.stderr]).toEqual([1, expect.stringContaining("metadata.labels")]);
  });

  test("annotate sets and removes, and does not count as a new generation", async () => {
    await kubectl.run("annotate", "task", "job", "note=first line", "other=x");
    await kubectl.run("annotate", "task", "job", "other-");
    expect((await read()).metadata).toMatchObject({ annotations: { note: "first line" }, generation: 1 });
  });

  test("patch --type=json runs its operations, all or none", async () => {
    const done = await patch("json", [
      { op: "test", path: "/spec/source", value: "here" },
      { op: "replace", path: "/spec/source", value: "there" },
      { op: "add", path: "/spec/tags/-", value: "c" },
      { op: "remove", path: "/spec/steps" },
    ]);
    expect(done.stdout.trim()).toBe("task.work.example.org/job patched");
    expect((await read()).spec).toEqual({ source: "there", tags: ["a", "b", "c"], parallel: 1 });
    const failed = await patch("json", [
      { op: "replace", path: "/spec/source", value: "elsewhere" },
      { op: "test", path: "/spec/parallel", value: 7 },
    ]);
    expect(failed.code).toBe(1);
    expect((await read()).spec).toMatchObject({ source: "there" });
  });

  test("patch --type=merge replaces lists, and null removes", async () => {
    await patch("merge", { spec: { tags: ["z"], steps: null, parallel: 4 } });
    const { spec, metadata } = await read();
    expect([spec, metadata.generation]).toEqual([{ source: "here", tags: ["z"], parallel: 4 }, 2]);
    const same = await patch("merge", { spec: { parallel: 4 } });
    expect(same.stdout.trim()).toBe("task.work.example.org/job patched (no change)");
    expect((await read()).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test("patch --type=strategic, the default, works as a merge patch", async () => {
    expect((await patch("strategic", { spec: { tags: ["s"] } })).code).toBe(0);
    expect(await kubectl.run("patch", "task", "job", "--patch", '{"spec":{"source":"plain"}}')).toContain("patched");
    expect((await read()).spec).toMatchObject({ source: "plain", tags: ["s"], steps: [{ name: "one" }] });
  });

  test("patch refuses what the schema does not allow, and changes nothing", async () => {
    const { code, stderr } = await patch("merge", { spec: { parallel: 0, source: "" } });
    expect(code).toBe(1);
    expect(stderr).toContain("* spec.parallel: Invalid value: 0");
    expect(stderr).toContain("* spec.source: Invalid value");
    expect((await read()).metadata.generation).toBe(1);
  });

  // kubectl has the flag since 1.24.
  if (program.minor >= 24) {
    test("--subresource=status writes the status alone, other writes all but it", async () => {
      const change = { spec: { source: "not this" }, status: { phase: "Running" } };
      expect((await patch("merge", change, "--subresource=status")).code).toBe(0);
      expect(await read()).toMatchObject({
        spec: { source: "here" },
        status: { phase: "Running" },
        metadata: { generation: 1 },
      });
      expect((await patch("merge", { spec: { source: "there" }, status: { phase: "Lost" } })).code).toBe(0);
      expect(await read()).toMatchObject({
        spec: { source: "there" },
        status: { phase: "Running" },
        metadata: { generation: 2 },
      });
      const status = await kubectl.json<TestObject>("get", "task", "job", "--subresource=status");
      expect(status.status).toEqual({ phase: "Running" });
      const object = { ...(await read()), status: { phase: "Done" } };
      const file = kubectl.file("status.json", JSON.stringify(object));
      await kubectl.run("replace", "-f", file, "--subresource=status");
      expect(await read()).toMatchObject({ status: { phase: "Done" }, metadata: { generation: 2 } });
    });
  }

  test("replace writes the whole, and refuses a stale version", async () => {
    const before = await read();
    expect(await kubectl.run("replace", "-f", kubectl.file("job.yaml", taskFile(task("job", { source: "new" }))))).toBe(
      "task.work.example.org/job replaced",
    );
    const { spec, metadata } = await read();
    expect([spec, metadata.uid]).toEqual([{ source: "new", parallel: 1 }, before.metadata.uid]);
    const stale = await kubectl.attempt(["replace", "-f", kubectl.file("stale.json", JSON.stringify(before))]);
    expect(stale.code).toBe(1);
    expect(stale.stderr).toContain("(Conflict)");
    expect(stale.stderr).toContain("the object has been modified; please apply your changes to the latest version");
    const missing = await kubectl.attempt(["replace", "-f", kubectl.file("nobody.yaml", taskFile(task("nobody")))]);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("(NotFound)")]);
  });

  test("replace --force deletes and creates", async () => {
    const before = await read();
    const file = kubectl.file("job.yaml", taskFile(task("job", { source: "anew" })));
    expect(await kubectl.run("replace", "--force", "-f", file)).toContain("task.work.example.org/job replaced");
    const after = await read();
    expect(after.spec).toMatchObject({ source: "anew" });
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
  });
});
