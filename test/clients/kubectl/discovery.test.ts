import { describe, expect, test } from "vitest";
import { type TestList, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { TASK_DEFINITION } from "./tasks.ts";

describe.each(kubectlPrograms())("$name: what there is", (program) => {
  const kubectl = useKubectl(program, TASK_DEFINITION);

  test("version names the server", async () => {
    const version = await kubectl.json<{ serverVersion: { gitVersion: string; platform: string } }>("version");
    expect(version.serverVersion.gitVersion).toMatch(/^v1\.\d+\.\d+\+entrepot/);
  });

  test("api-resources lists the built-in kinds and the defined one", async () => {
    const lines = (await kubectl.run("api-resources", "--no-headers")).split("\n").map((line) => line.split(/ +/));
    expect(lines).toContainEqual(["tasks", "tk", "work.example.org/v1", "true", "Task"]);
    expect(lines).toContainEqual(["namespaces", "ns", "v1", "false", "Namespace"]);
    expect(lines).toContainEqual([
      "resourcedefinitions",
      "rd",
      "platform.entrepot.dev/v1",
      "false",
      "ResourceDefinition",
    ]);
    expect(lines).toContainEqual(["securevalues", "sv", "secret.entrepot.dev/v1", "true", "SecureValue"]);
    expect(await kubectl.run("api-resources", "--api-group=work.example.org", "--output=name")).toBe(
      "tasks.work.example.org",
    );
    expect(await kubectl.run("api-resources", "--namespaced=false", "--output=name")).not.toContain("tasks");
    expect(await kubectl.run("api-resources", "--verbs=watch,patch", "--output=name")).toContain("tasks");
  });

  test("api-versions lists the groups", async () => {
    const versions = (await kubectl.run("api-versions")).split("\n");
    expect(versions).toEqual(expect.arrayContaining(["v1", "platform.entrepot.dev/v1", "work.example.org/v1"]));
  });

  test("explain shows the schema, a field of it, and all of it", async () => {
    const kind = await kubectl.run("explain", "tasks");
    expect(kind).toContain("Something to be done.");
    expect(kind).toMatch(/spec\s+<Object> -required-/);
    const field = await kubectl.run("explain", "task.spec.source");
    expect(field).toContain("Where it is taken from.");
    const whole = await kubectl.run("explain", "tasks", "--recursive");
    for (const each of [
      /parallel\s+<integer>/,
      /steps\s+<\[\]Object>/,
      /phase\s+<string>/,
      /labels\s+<map\[string\]string>/,
    ]) {
      expect(whole).toMatch(each);
    }
    expect(await kubectl.run("explain", "securevalues.spec.decrypters")).toContain("<[]string>");
  });

  test("get --raw reads any path", async () => {
    const list = JSON.parse(await kubectl.run("get", "--raw", "/apis/work.example.org/v1")) as { kind: string };
    expect(list.kind).toBe("APIResourceList");
    expect(await kubectl.run("get", "--raw", "/readyz")).toContain("ok");
  });

  test("auth can-i answers, and lists what is allowed", async () => {
    expect(await kubectl.run("auth", "can-i", "create", "tasks")).toBe("yes");
    expect(await kubectl.run("auth", "can-i", "get", "tasks/a", "--subresource=status")).toBe("yes");
    const rules = await kubectl.run("auth", "can-i", "--list");
    expect(rules).toMatch(/^tasks\.work\.example\.org\s.*\[.*create.*\]$/m);
  });

  // Before 1.28 it is an alpha command, and in 1.20 there is none.
  if (program.minor >= 28) {
    test("auth whoami names the user", async () => {
      expect(await kubectl.run("auth", "whoami")).toMatch(/^Username\s+system:anonymous$/m);
    });
  }

  test("create namespace makes one, once", async () => {
    expect(await kubectl.run("create", "namespace", "garden")).toBe("namespace/garden created");
    const again = await kubectl.attempt(["create", "namespace", "garden"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('(AlreadyExists): namespaces "garden" already exists');
    const { items } = await kubectl.json<TestList>("get", "namespaces");
    expect(items.map(({ metadata }) => metadata.name)).toContain("garden");
  });

  test("an unknown kind is told as such", async () => {
    const { code, stderr } = await kubectl.attempt(["get", "unicorns"]);
    expect([code, stderr.trim()]).toEqual([1, `error: the server doesn't have a resource type "unicorns"`]);
  });
});
