import { describe, expect, test, vi } from "vitest";
import { type TestList, type TestObject, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile } from "./tasks.ts";

/** How long dependents may take to go, in milliseconds; most are gone at once. */
const COLLECTED_MS = 30_000;

describe.each(kubectlPrograms())("$name: deleting", (program) => {
  const kubectl = useKubectl(program, TASK_DEFINITION);
  const create = async (...tasks: readonly Record<string, unknown>[]): Promise<void> => {
    await kubectl.run("apply", "-f", kubectl.file("tasks.yaml", taskFile(...tasks)));
  };
  const names = async (): Promise<string[]> =>
    (await kubectl.json<TestList>("get", "tasks")).items.map(({ metadata }) => metadata.name);
  /** Creates an owner and an object that it owns. */
  const createOwned = async (owner: string): Promise<void> => {
    await create(task(owner));
    const { metadata, apiVersion, kind } = await kubectl.json<TestObject>("get", "task", owner);
    const reference = { apiVersion, kind, name: owner, uid: metadata.uid, blockOwnerDeletion: true };
    await create(task(`${owner}-child`, { metadata: { ownerReferences: [reference] } }));
  };

  test("delete by name, by file, by label and all", async () => {
    await create(
      ...["a", "b", "c", "d", "e"].map((name) =>
        task(name, { metadata: { labels: { pair: name < "c" ? "1" : "2" } } }),
      ),
    );
    expect(await kubectl.run("delete", "task", "a")).toContain('task.work.example.org "a" deleted');
    expect(await names()).toEqual(["b", "c", "d", "e"]);
    await kubectl.run("delete", "-f", kubectl.file("one.yaml", taskFile(task("b"))));
    await kubectl.run("delete", "tasks", "-l", "pair=2", "--field-selector=metadata.name!=e");
    expect(await names()).toEqual(["e"]);
    await kubectl.run("delete", "tasks", "--all");
    expect(await names()).toEqual([]);
    const again = await kubectl.attempt(["delete", "task", "a"]);
    expect([again.code, again.stderr.trim()]).toEqual([
      1,
      'Error from server (NotFound): tasks.work.example.org "a" not found',
    ]);
    expect((await kubectl.attempt(["delete", "task", "a", "--ignore-not-found"])).code).toBe(0);
  });

  test("a finalizer holds an object until it is taken away", async () => {
    await create(task("held", { metadata: { finalizers: ["example.org/hold"] } }));
    await kubectl.run("delete", "task", "held", "--wait=false");
    await vi.waitFor(async () => {
      const { metadata } = await kubectl.json<TestObject>("get", "task", "held");
      expect(metadata).toMatchObject({
        finalizers: ["example.org/hold"],
        deletionTimestamp: expect.any(String) as string,
      });
    }, COLLECTED_MS);
    const added = await kubectl.attempt([
      "patch",
      "task",
      "held",
      "--type=merge",
      "--patch",
      '{"metadata":{"finalizers":["example.org/hold","example.org/more"]}}',
    ]);
    expect([added.code, added.stderr]).toEqual([1, expect.stringContaining("no new finalizers can be added")]);
    const deletion = kubectl.start("delete", "task", "held", "--timeout=30s", "-v=6");
    await vi.waitFor(() => expect(deletion.log.join("\n")).toMatch(/DELETE.*200 OK/), COLLECTED_MS);
    await kubectl.run(
      "patch",
      "task",
      "held",
      "--type=json",
      "--patch",
      '[{"op":"remove","path":"/metadata/finalizers"}]',
    );
    expect([await deletion.ended, deletion.lines.join()]).toEqual([0, expect.stringContaining("deleted")]);
    expect(await names()).not.toContain("held");
  });

  test("--cascade=background deletes what the object owned", async () => {
    await createOwned("back");
    await kubectl.run("delete", "task", "back", "--cascade=background");
    await vi.waitFor(async () => expect(await names()).not.toContain("back-child"), COLLECTED_MS);
  });

  test("--cascade=foreground deletes what the object owned first", async () => {
    await createOwned("fore");
    await kubectl.run("delete", "task", "fore", "--cascade=foreground");
    expect(await names()).not.toContain("fore-child");
  });

  test("--cascade=orphan leaves what the object owned", async () => {
    await createOwned("orphan");
    await kubectl.run("delete", "task", "orphan", "--cascade=orphan");
    const { metadata } = await kubectl.json<TestObject>("get", "task", "orphan-child");
    expect(metadata).not.toHaveProperty("ownerReferences");
  });

  test("history lists each version, trash what is deleted, and restore brings it back", async () => {
    await create(task("undo", { source: "first" }));
    await create(task("undo", { source: "second" }));
    await kubectl.run("delete", "task", "undo");
    const past = async (label: string): Promise<readonly TestObject[]> =>
      (await kubectl.json<TestList>("get", "tasks", "-l", label, "--field-selector=metadata.name=undo")).items;
    const history = await past("entrepot.dev/get-history=true");
    expect(history.map(({ spec }) => spec?.["source"])).toEqual(["second", "first"]);
    const trash = await past("entrepot.dev/get-trash=true");
    expect(trash.map(({ spec }) => spec?.["source"])).toEqual(["second"]);

    const restore = async (resourceVersion: string | undefined): Promise<TestObject> => {
      const path = "/apis/work.example.org/v1/namespaces/team/tasks/undo/restore";
      const body = kubectl.file("restore.json", JSON.stringify({ resourceVersion }));
      return JSON.parse(await kubectl.run("create", "--raw", path, "-f", body)) as TestObject;
    };
    expect((await restore(trash[0]?.metadata.resourceVersion)).spec).toMatchObject({ source: "second" });
    expect(await names()).toContain("undo");
    expect(await past("entrepot.dev/get-trash=true")).toEqual([]);
    await restore(history.at(-1)?.metadata.resourceVersion);
    expect((await kubectl.json<TestObject>("get", "task", "undo")).spec).toMatchObject({ source: "first" });
  });
});
