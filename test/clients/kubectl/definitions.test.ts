import path from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../../src/selfhost/paths.ts";
import { type TestList, type TestObject, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile } from "./tasks.ts";

const PLAYLISTS = path.join(ROOT, "docs/examples/1-app.yaml");

describe.each(kubectlPrograms())("$name: kinds at run time", (program) => {
  const kubectl = useKubectl(program);

  test("a kind can be used as soon as it is defined, is changed, and takes its objects along", async () => {
    expect((await kubectl.attempt(["get", "tasks"])).code).toBe(1);
    const file = kubectl.file("tasks.yaml", TASK_DEFINITION);
    expect(await kubectl.run("apply", "-f", file)).toBe(
      "resourcedefinition.platform.entrepot.dev/tasks.work.example.org created",
    );
    await kubectl.run("apply", "-f", kubectl.file("task.yaml", taskFile(task("first"), task("second"))));
    expect((await kubectl.json<TestList>("get", "tasks")).items).toHaveLength(2);

    await kubectl.run("apply", "-f", kubectl.file("tasks.yaml", TASK_DEFINITION.replace("maximum: 16", "maximum: 99")));
    await kubectl.run("patch", "task", "first", "--type=merge", "--patch", '{"spec":{"parallel":99}}');

    await kubectl.run("delete", "rd", "tasks.work.example.org", "--timeout=30s");
    expect((await kubectl.attempt(["get", "--raw", "/apis/work.example.org/v1/tasks"])).code).toBe(1);
    await kubectl.run("apply", "-f", file);
    expect((await kubectl.json<TestList>("get", "tasks", "-A")).items).toEqual([]);
  });

  test.each([
    ["a name that does not fit", "name: tasks.work.example.org", "name: jobs.work.example.org", "metadata.name"],
    ["a group of the platform's", "group: work.example.org", "group: work.entrepot.dev", "the group is reserved"],
    ["no stored version", "storage: true", "storage: false", "must have storage: true"],
    ["a schema without types", "spec:\n              type: object", "spec:\n              nullable: true", "type"],
  ])("a definition with %s is refused", async (_case, found, put, message) => {
    expect(TASK_DEFINITION).toContain(found);
    const text = TASK_DEFINITION.replaceAll(found, put);
    const { code, stderr } = await kubectl.attempt(["create", "-f", kubectl.file("bad.yaml", text)]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test("a kind that is open at its root, and counted by scale, passes kubectl's own validation, also in a List", async () => {
    const definition = {
      apiVersion: "platform.entrepot.dev/v1",
      kind: "ResourceDefinition",
      metadata: { name: "opens.free.example.org" },
      spec: {
        group: "free.example.org",
        names: { kind: "Open", plural: "opens" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
            subresources: { scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
          },
        ],
      },
    };
    const open = (name: string) => ({
      apiVersion: "free.example.org/v1",
      kind: "Open",
      metadata: { name },
      anything: { goes: [1, { two: 3 }] },
    });
    await kubectl.run("apply", "-f", kubectl.file("open.json", JSON.stringify(definition)));
    await kubectl.run("apply", "-f", kubectl.file("one.json", JSON.stringify(open("one"))));
    const list = { apiVersion: "v1", kind: "List", items: [open("two"), open("three")] };
    await kubectl.run("create", "-f", kubectl.file("list.json", JSON.stringify(list)));
    await kubectl.run("scale", "opens.free.example.org/one", "--replicas=4");
    const { items } = await kubectl.json<TestList>("get", "opens.free.example.org");
    expect(items.map(({ metadata, spec }) => [metadata.name, spec?.["replicas"]])).toEqual([
      ["one", 4],
      ["three", undefined],
      ["two", undefined],
    ]);
    await kubectl.run("delete", "rd", "opens.free.example.org", "--timeout=30s");
  });

  test("an app brings its kinds and objects, and takes them along", async () => {
    await kubectl.run("apply", "-f", PLAYLISTS);
    expect(await kubectl.run("wait", "app/playlist", "--for=condition=Installed", "--timeout=30s")).toContain("met");
    const morning = await kubectl.json<TestObject>("get", "playlists.music.example.org", "morning", "-n", "team-a");
    expect(morning).toMatchObject({
      metadata: { labels: { mood: "calm" } },
      spec: { title: "Morning", interval: "5m" },
    });
    expect(await kubectl.run("get", "app", "playlist")).toMatch(/playlist +Playlists +1\.0\.0 +1 +1 /);

    await kubectl.run("delete", "-f", PLAYLISTS, "--timeout=30s");
    await kubectl.run("wait", "rd/playlists.music.example.org", "--for=delete", "--timeout=30s").catch(ignoreGone);
    expect((await kubectl.json<TestList>("get", "apps")).items).toEqual([]);
    const definitions = await kubectl.json<TestList>("get", "rd");
    expect(definitions.items.map(({ metadata }) => metadata.name)).not.toContain("playlists.music.example.org");
    expect((await kubectl.attempt(["get", "--raw", "/apis/music.example.org/v1/playlists"])).code).toBe(1);
  });
});

/** kubectl 1.20 fails to wait for what has already gone. */
function ignoreGone(error: unknown): void {
  if (!String(error).includes("no matching resources found") && !String(error).includes("NotFound")) throw error;
}
