import { describe, expect, test, vi } from "vitest";
import { type Kubectl, useKubectl } from "./fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile, tasksPath } from "./tasks.ts";

/** How long a change may take to be seen, in milliseconds; it takes a few hundredths of this. */
const SEEN_MS = 60_000;

describe.each(kubectlPrograms())("$name: watching", (program) => {
  const kubectl = useKubectl(program, TASK_DEFINITION);
  const watch = (...args: readonly string[]): readonly string[] => kubectl.start(...args).lines;

  test("get -w shows each change as it happens", async () => {
    await kubectl.run("apply", "-f", kubectl.file("a.yaml", taskFile(task("a"))));
    const lines = watch(
      "get",
      "tasks",
      "-w",
      "--output=custom-columns=N:.metadata.name,S:.spec.source",
      "--no-headers",
    );
    await saw(lines, [/^a +here$/]);
    await kubectl.run("patch", "task", "a", "--type=merge", "--patch", '{"spec":{"source":"there"}}');
    await kubectl.run("apply", "-f", kubectl.file("b.yaml", taskFile(task("b"))));
    await kubectl.run("delete", "task", "a");
    await saw(lines, [/^a +here$/, /^a +there$/, /^b +here$/, /^a +there$/]);
  });

  test("get -w prints rows of the table, and -o name names", async () => {
    const rows = watch("get", "tasks", "-w", "--output-watch-events");
    const named = watch("get", "tasks", "--watch-only", "-l", "seen=yes", "--output=name");
    await saw(rows, [/^EVENT +NAME +SOURCE/, /^ADDED +b +here/]);
    // Whether it watches already cannot be seen; so the change is made until it shows.
    await vi.waitFor(
      async () => {
        await kubectl.run("label", "task", "b", "seen-");
        await kubectl.run("label", "task", "b", "seen=yes");
        expect(named).toContain("task.work.example.org/b");
      },
      { timeout: SEEN_MS, interval: 200 },
    );
    await vi.waitFor(() => expect(rows.slice(2)).toContainEqual(expect.stringMatching(/^MODIFIED +b +here/)), SEEN_MS);
  });

  test("wait ends when a condition is met", async () => {
    await kubectl.run("apply", "-f", kubectl.file("slow.yaml", taskFile(task("slow"))));
    const waiting = kubectl.run("wait", "task/slow", "--for=condition=Ready", "--timeout=30s");
    await setStatus(kubectl, "slow", "False");
    await setStatus(kubectl, "slow", "True");
    expect(await waiting).toBe("task.work.example.org/slow condition met");
    expect(await kubectl.run("wait", "task/slow", "--for=condition=Ready", "--timeout=5s")).toContain("condition met");
    const never = await kubectl.attempt(["wait", "task/slow", "--for=condition=Never", "--timeout=1s"]);
    expect([never.code, never.stderr.trim()]).toEqual([1, "error: timed out waiting for the condition on tasks/slow"]);
  });

  test("wait --for=condition=Established holds for a definition", async () => {
    expect(await kubectl.run("wait", "rd/tasks.work.example.org", "--for=condition=Established")).toContain(
      "condition met",
    );
  });

  test("wait --for=delete ends when the object is gone", async () => {
    const held = task("held", { metadata: { finalizers: ["example.org/hold"] } });
    await kubectl.run("apply", "-f", kubectl.file("held.yaml", taskFile(held)));
    await kubectl.run("delete", "task", "held", "--wait=false");
    const early = await kubectl.attempt(["wait", "task/held", "--for=delete", "--timeout=1s"]);
    expect(early.code).toBe(1);
    // It has nothing to say about an object that is gone before it looks; its log tells when it watches.
    const { lines, log } = kubectl.start("wait", "task/held", "--for=delete", "--timeout=30s", "-v=6");
    await vi.waitFor(() => expect(log.join("\n")).toContain("watch=true"), SEEN_MS);
    await kubectl.run("patch", "task", "held", "--type=merge", "--patch", '{"metadata":{"finalizers":null}}');
    await saw(lines, [/^task\.work\.example\.org\/held condition met$/]);
  });

  // `--for=jsonpath` came with 1.23.
  if (program.minor >= 23) {
    test("wait --for=jsonpath reads any field", async () => {
      const waiting = kubectl.run("wait", "task/b", "--for=jsonpath={.spec.source}=far", "--timeout=30s");
      await kubectl.run("patch", "task", "b", "--type=merge", "--patch", '{"spec":{"source":"far"}}');
      expect(await waiting).toContain("condition met");
    });
  }
});

async function saw(lines: readonly string[], expected: readonly RegExp[]): Promise<void> {
  await vi.waitFor(() => expect(lines).toEqual(expected.map((each) => expect.stringMatching(each) as string)), {
    timeout: SEEN_MS,
    interval: 100,
  });
}

async function setStatus({ url }: Kubectl, name: string, ready: "True" | "False"): Promise<void> {
  const response = await fetch(`${url}${tasksPath()}/${name}/status`, {
    method: "PATCH",
    headers: { "content-type": "application/merge-patch+json" },
    body: JSON.stringify({ status: { conditions: [{ type: "Ready", status: ready }] } }),
  });
  expect(response.status, await response.text()).toBe(200);
}
