import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import { task, TASK_DEFINITION, taskFile, tasksPath } from "./tasks.ts";

interface Answer {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly errors?: readonly { readonly line: number; readonly column: number; readonly message: string }[];
  readonly failed?: number;
  readonly results?: readonly {
    readonly line: number;
    readonly status: string;
    readonly error?: { readonly reason: string };
  }[];
}

describe("bulk apply", () => {
  const at = useServer();
  const apply = async (body: string, query = ""): Promise<Answer & { readonly status: number }> => {
    const response = await fetch(`${at.server.url}/api/v1/apply${query}`, { method: "POST", body });
    return { ...((await response.json()) as Answer), status: response.status };
  };
  const stored = async (namespace = "default"): Promise<string[]> => {
    const response = await fetch(at.server.url + tasksPath(namespace));
    const { items } = (await response.json()) as { items: { metadata: { name: string } }[] };
    return items.map(({ metadata }) => metadata.name);
  };
  beforeAll(async () => {
    expect((await apply(TASK_DEFINITION)).status).toBe(200);
  });

  test("applies a definition and an object of it from one text", async () => {
    const definition = TASK_DEFINITION.replaceAll("work.example.org", "more.example.org");
    const object = { ...task("one"), apiVersion: "more.example.org/v1" };
    const answer = await apply(`${definition}\n---\n${taskFile(object)}`);
    expect(answer).toMatchObject({ status: 200, failed: 0, results: [{ status: "created" }, { status: "created" }] });
  });

  test("tells of each document where it begins and what became of it", async () => {
    const text = `# the first\n${taskFile(task("a"))}---\n---\n${taskFile(task("bad", { spec: { parallel: 99 } }))}---\n${taskFile(task("b"))}`;
    const { status, failed, results } = await apply(text);
    expect([status, failed, results?.map((result) => result.status)]).toEqual([
      207,
      1,
      ["created", "failed", "created"],
    ]);
    expect(results?.[1]?.error?.reason).toBe("Invalid");
    const lines = text.split("\n");
    for (const { line } of results ?? []) expect(lines.slice(line - 1, line + 1).join()).toContain("apiVersion");
    expect(await stored()).toEqual(["a", "b"]);
    expect((await apply(taskFile(task("a", { source: "there" })))).results?.[0]?.status).toBe("configured");
  });

  test("names fields' owners as asked, and reports their conflicts", async () => {
    await apply(taskFile(task("owned", { source: "one" })), "?fieldManager=first");
    const second = await apply(taskFile(task("owned", { source: "two" })), "?fieldManager=second");
    expect(second).toMatchObject({ status: 207, results: [{ error: { reason: "Conflict" } }] });
    expect((await apply(taskFile(task("owned", { source: "two" })), "?fieldManager=second&force=true")).status).toBe(
      200,
    );
  });

  test.each([
    ["a broken document", "spec: }", 5, 7, ""],
    ["a key given twice", "kind: Task\nkind: Task", 6, 1, ""],
    ["a tab", "spec:\n\tsource: x", 6, 1, ""],
    ["a list", "- a", 5, 1, "not an object"],
  ])("refuses %s with line and column, and applies nothing", async (_case, broken, line, column, message) => {
    const good =
      '{"apiVersion": "work.example.org/v1", "kind": "Task",\n "metadata": {"name": "spared"}, "spec": {"source": "x"}}';
    const answer = await apply(`# comment\n${good}\n---\n${broken}\n`);
    expect(answer).toMatchObject({ status: 400, code: 400, reason: "BadRequest" });
    expect(answer.errors?.[0]).toMatchObject({ line, column, message: expect.stringContaining(message) as string });
    expect(answer.message).toContain(`line ${line}, column ${column}`);
    expect(await stored()).not.toContain("spared");
  });

  test("refuses keys twice in JSON, documents without a name, and unknown kinds", async () => {
    const twice = await apply('{"apiVersion":"work.example.org/v1","kind":"Task",\n"kind":"Task"}');
    expect(twice.errors?.[0]).toMatchObject({ line: 2, message: expect.stringContaining("twice") as string });
    for (const object of [
      { ...task("x"), metadata: {} },
      { ...task("x"), kind: "Job" },
      { ...task("x"), metadata: 7 },
    ]) {
      expect((await apply(taskFile(object))).results?.[0]?.error?.reason).toBe("BadRequest");
    }
    expect(await stored()).not.toContain("x");
  });
});
