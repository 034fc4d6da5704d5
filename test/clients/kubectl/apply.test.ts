import { describe, expect, test } from "vitest";
import { type Kubectl, type TestObject, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile, type TaskOptions } from "./tasks.ts";

describe.each(kubectlPrograms())("$name: apply", (program) => {
  const kubectl = useKubectl(program, TASK_DEFINITION);
  const applied = (name: string, options?: TaskOptions): string =>
    kubectl.file(`${name}.yaml`, taskFile(task(name, options)));

  test("creates, changes what changed, removes what is gone, and leaves the rest", async () => {
    const first = applied("plain", { spec: { tags: ["a"], parallel: 2 }, metadata: { labels: { kept: "yes" } } });
    expect(await kubectl.run("apply", "-f", first)).toBe("task.work.example.org/plain created");
    expect(await kubectl.run("apply", "-f", first)).toBe("task.work.example.org/plain unchanged");
    await kubectl.run("annotate", "task", "plain", "other=writer");
    expect(await kubectl.run("apply", "-f", applied("plain", { spec: { parallel: 3 } }))).toBe(
      "task.work.example.org/plain configured",
    );
    const { metadata, spec } = await kubectl.json<TestObject>("get", "task", "plain");
    expect(spec).toEqual({ source: "here", parallel: 3 });
    expect(metadata).toMatchObject({ generation: 2, annotations: { other: "writer" } });
    expect(metadata.labels).toBeUndefined();
  });

  test("takes several documents and its standard input", async () => {
    const input = taskFile(task("one"), task("two"));
    const { code, stdout } = await kubectl.attempt(["apply", "-f", "-"], { input });
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toEqual([
      "task.work.example.org/one created",
      "task.work.example.org/two created",
    ]);
  });

  test("on the server: fields belong to whoever applied them, a conflict names them, force takes them", async () => {
    const file = applied("owned", { spec: { parallel: 2, steps: [{ name: "s1", run: "x" }] } });
    const serverSide = ["apply", "--server-side", "-f", file];
    expect(await kubectl.run(...serverSide)).toBe("task.work.example.org/owned serverside-applied");
    applied("owned", { spec: { parallel: 5 } });
    const conflict = await kubectl.attempt([...serverSide, "--field-manager=rival"]);
    expect(conflict.code).toBe(1);
    expect(conflict.stderr).toMatch(/conflict with "kubectl".*: \.spec\.parallel/);
    expect((await kubectl.json<TestObject>("get", "task", "owned")).spec).toMatchObject({ parallel: 2 });

    await kubectl.run(...serverSide, "--field-manager=rival", "--force-conflicts");
    const taken = await kubectl.json<TestObject>("get", "task", "owned", ...withManagedFields(program.minor));
    expect(taken.spec).toMatchObject({ parallel: 5, steps: [{ name: "s1" }] });
    const owners = taken.metadata.managedFields ?? [];
    expect(owners.map(({ manager, operation }) => `${manager} ${operation}`).toSorted()).toEqual([
      "kubectl Apply",
      "rival Apply",
    ]);
    // Of what the first no longer applies, that which nobody else has goes.
    applied("owned");
    await kubectl.run(...serverSide);
    expect((await kubectl.json<TestObject>("get", "task", "owned")).spec).toEqual({ source: "here", parallel: 5 });
  });

  test("--dry-run=server answers with defaults and stores nothing", async () => {
    const file = applied("dry");
    for (const how of [[], ["--server-side"]]) {
      const shown = await kubectl.run(
        "apply",
        ...how,
        "-f",
        file,
        "--dry-run=server",
        "--output=jsonpath={.spec.parallel}",
      );
      expect(shown).toBe("1");
    }
    await gone(kubectl, "dry");
    await kubectl.run("apply", "-f", file);
    expect(await kubectl.run("delete", "-f", file, "--dry-run=server")).toContain("(server dry run)");
    await kubectl.run("get", "task", "dry");
    const wrong = await kubectl.attempt([
      "apply",
      "-f",
      applied("bad", { spec: { parallel: 99 } }),
      "--dry-run=server",
    ]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("spec.parallel: Invalid value: 99");
  });

  test("diff shows what apply would change, and only that", async () => {
    await kubectl.run("apply", "-f", applied("changed", { spec: { parallel: 2 } }));
    const same = await kubectl.attempt([
      "diff",
      "-f",
      kubectl.file("same.yaml", taskFile(task("changed", { spec: { parallel: 2 } }))),
    ]);
    expect([same.code, same.stdout]).toEqual([0, ""]);
    const file = applied("changed", { spec: { parallel: 4 } });
    for (const how of [[], ["--server-side", "--force-conflicts"]]) {
      const { code, stdout } = await kubectl.attempt(["diff", ...how, "-f", file]);
      expect(code, stdout).toBe(1);
      expect(stdout).toMatch(/^-\s+parallel: 2$/m);
      expect(stdout).toMatch(/^\+\s+parallel: 4$/m);
    }
    const fresh = await kubectl.attempt(["diff", "-f", applied("not-there")]);
    expect(fresh.code).toBe(1);
    expect(fresh.stdout).toContain("+  name: not-there");
    await gone(kubectl, "not-there");
  });

  test("edit opens the object and sends what changed", async () => {
    await kubectl.run("apply", "-f", applied("edited", { spec: { tags: ["old"] } }));
    // What is refused stays in the temporary folder.
    const edit = async (script: string) =>
      kubectl.attempt(["edit", "task", "edited"], {
        env: { EDITOR: `sed -i ${script}`, KUBE_EDITOR: "", TMPDIR: kubectl.home },
      });
    const changed = await edit("s/here$/there/");
    expect([changed.code, changed.stderr]).toEqual([0, ""]);
    expect((await kubectl.json<TestObject>("get", "task", "edited")).spec).toMatchObject({
      source: "there",
      tags: ["old"],
    });
    // It opens again, with what the server said of it as a comment; then nothing more is changed.
    const refused = await edit("s/parallel:.1$/&7/");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('"edited" is invalid')]);
    const same = await edit("s/a/a/");
    expect(same.stdout + same.stderr).toContain("no changes made");
  });

  test("an unknown field is refused, unless validation is off", async () => {
    const file = applied("strict", { spec: { unheard: 1 } });
    const refused = await kubectl.attempt(["apply", "-f", file]);
    expect(refused.code).toBe(1);
    // Before 1.27 kubectl itself validates, by the OpenAPI v2 document.
    expect(refused.stderr).toMatch(program.minor < 27 ? /unknown field "unheard"/ : /unknown field "spec\.unheard"/);
    await gone(kubectl, "strict");
    await kubectl.run("apply", "-f", file, "--validate=false");
    expect((await kubectl.json<TestObject>("get", "task", "strict")).spec).not.toHaveProperty("unheard");
  });

  // Older ones only know whether to validate.
  if (program.minor >= 25) {
    test("an unknown field is warned of where that is asked for", async () => {
      const file = applied("warned", { spec: { unheard: 1 } });
      const { code, stderr } = await kubectl.attempt(["apply", "-f", file, "--validate=warn"]);
      expect(code).toBe(0);
      expect(stderr).toContain('Warning: unknown field "spec.unheard"');
    });
  }
});

async function gone(kubectl: Kubectl, name: string): Promise<void> {
  const { code, stderr } = await kubectl.attempt(["get", "task", name]);
  expect([code, stderr.trim()]).toEqual([
    1,
    `Error from server (NotFound): tasks.work.example.org "${name}" not found`,
  ]);
}

/** Since 1.21 they are left out unless asked for. */
function withManagedFields(minor: number): string[] {
  return minor >= 21 ? ["--show-managed-fields"] : [];
}
