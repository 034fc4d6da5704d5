import { describe, expect, it } from "vitest";
import { MemoryRegistry } from "../memory-registry.fixture.ts";
import { fakePorts, taskOf } from "../run/run.fixture.ts";
import { runTask } from "../run/run-task.ts";
import type { MirrorTask, PlanPorts } from "./mirror-task.ts";
import { Planner, type PlanOptions, type PlanStep } from "./planner.ts";

function registries(...images: readonly string[]) {
  const source = new MemoryRegistry({ name: "source", pageSize: 2 });
  const target = new MemoryRegistry({ name: "target" });
  for (const image of images) {
    const [repository = "", tag = ""] = image.split(":");
    source.addImage(repository, { tag, layers: [image] });
  }
  return { source, target };
}

async function stepsOf(planner: Planner): Promise<PlanStep[]> {
  const steps: PlanStep[] = [];
  for await (const step of planner.items()) steps.push(step);
  return steps;
}

const itemsIn = (steps: readonly PlanStep[]) => steps.flatMap((step) => (step.type === "item" ? [step.item] : []));

/** `<repository>:<tag> <state>` in the order of the plan. */
async function planned(task: MirrorTask, ports: PlanPorts = fakePorts(), options: PlanOptions = {}) {
  const items = itemsIn(await stepsOf(new Planner(task, ports, options)));
  return items.map(({ repository, tag, state }) => `${repository}:${tag} ${state}`);
}

describe("a plan", () => {
  const both = { repositories: ["x/app", "y/app"] };

  it("is in the order of the lists, whatever takes longer, and so is who has a name", async () => {
    const { source, target } = registries("x/app:v1", "x/app:v2", "y/app:v1", "y/app:v3");
    source.before = async ({ operation, repository }) => {
      if (operation === "head" && repository === "x/app") await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const task = taskOf(source, [{ registry: target, repository: "app" }], { concurrency: 4 }, both);
    expect(await planned(task)).toEqual(["x/app:v1 copy", "x/app:v2 copy", "y/app:v1 collides", "y/app:v3 copy"]);
    // Which is known without looking at it.
    expect(
      source.calls.filter(({ operation, repository }) => operation === "head" && repository === "y/app"),
    ).toHaveLength(1);
  });

  it("finds a name that is taken by way of another name of the registry", async () => {
    const { source, target } = registries("x/app:v1", "y/app:v1");
    const alias = new MemoryRegistry({ name: "alias", origin: target.origin });
    const targets = [
      { registry: target, repository: "app", tag: "{{ .Project }}" },
      { registry: alias, repository: "app", tag: "y" },
    ];
    expect(await planned(taskOf(source, targets, { concurrency: 1 }, both))).toEqual([
      "x/app:v1 copy",
      "y/app:v1 collides",
    ]);
  });

  it.each([1, 3])("goes on where it was, %i at a time, as if it had been made in one go", async (concurrency) => {
    const { source, target } = registries("x/app:v1", "x/app:v2", "x/app:v3", "y/app:v2", "y/app:v4");
    // Unchanged, and has its name all the same.
    target.addImage("app", { tag: "v2", layers: ["x/app:v2"] });
    const task = taskOf(source, [{ registry: target, repository: "app" }], { concurrency }, both);
    const whole = await planned(task);
    expect(whole).toEqual([
      "x/app:v1 copy",
      "x/app:v2 unchanged",
      "x/app:v3 copy",
      "y/app:v2 collides",
      "y/app:v4 copy",
    ]);
    const decided: { repository: string; tag: string; state: string }[] = [];
    let parts = 0;
    for (let isLeft = true; isLeft; parts += 1) {
      const planner = new Planner(task, fakePorts({ isEnough: () => true }));
      for (const item of decided) planner.passOver(item);
      const steps = await stepsOf(planner);
      decided.push(...itemsIn(steps));
      isLeft = steps.at(-1)?.type === "more";
    }
    expect(decided.map(({ repository, tag, state }) => `${repository}:${tag} ${state}`)).toEqual(whole);
    expect(parts).toBe(5);
    source.calls.length = 0;
    const last = new Planner(task, fakePorts());
    for (const item of decided.slice(0, -1)) last.passOver(item);
    expect(itemsIn(await stepsOf(last))).toMatchObject([{ repository: "y/app", tag: "v4" }]);
    // What is decided is not looked at again, and a repository that is, not listed.
    expect(source.log().sort()).toEqual(["head v4", "tags "]);
  });

  it("refuses a task that reads what it writes, by whatever name", async () => {
    const { source } = registries("x/app:v1");
    const alias = new MemoryRegistry({ name: "alias", origin: source.origin });
    const task = taskOf(source, [{ registry: alias, repository: "x/{{ .Base }}-copy" }], {}, { project: "x" });
    await expect(planned(task)).rejects.toThrow("it reads from");
    expect(source.calls).toEqual([]);
  });

  it("of some images only lists nothing, and lets two of them take turns in no place", async () => {
    const { source, target } = registries("x/app:v1", "y/app:v1");
    const only = [
      { repository: "x/app", tag: "v1" },
      { repository: "x/app", tag: "gone" },
      { repository: "y/app", tag: "v1" },
    ];
    const task = taskOf(source, [{ registry: target, repository: "app" }], {}, both);
    expect(await planned(task, fakePorts(), { only })).toEqual([
      "x/app:v1 copy",
      "x/app:gone skip",
      "y/app:v1 collides",
    ]);
    expect(source.count("tags")).toBe(0);
  });
});

describe("a plan after which nothing is copied", () => {
  const select = [{ os: "linux", architecture: "arm64" }];

  it("reads one manifest of an image whose platforms it does not know, and none where a copy would", async () => {
    const { source, target } = registries();
    source.addPlatforms("app", "v1", ["linux/amd64", "linux/arm64"]);
    source.addPlatforms("app", "v2", ["linux/amd64"]);
    const task = taskOf(source, [target, new MemoryRegistry({ name: "other" })], {
      platforms: { mode: "rewrite", select },
    });
    expect(await planned(task)).toEqual(["app:v1 copy", "app:v2 copy"]);
    expect(source.count("manifest")).toBe(0);
    expect(await planned(task, fakePorts(), { dryRun: true })).toEqual(["app:v1 copy", "app:v2 skip"]);
    expect(source.count("manifest")).toBe(2);
  });

  it.each(["rewrite", "single"] as const)("knows what is there already, of mode %s", async (mode) => {
    const { source, target } = registries();
    const v1 = source.addPlatforms("app", "v1", ["linux/amd64", "linux/arm64"]);
    source.addIndex("app", [v1], { tag: "nested" });
    const task = taskOf(source, [target], { platforms: { mode, select }, existing: "fail" });
    const copied = await runTask(task, fakePorts());
    // With another memory, as if it were another task's.
    const options = { dryRun: true };
    expect(copied.counts.copied).toBe(mode === "single" ? 1 : 2);
    const expected = mode === "single" ? "app:nested skip" : "app:nested unchanged";
    expect(await planned(task, fakePorts(), options)).toEqual(["app:v1 unchanged", expected]);
  });
});
