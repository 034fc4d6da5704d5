import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import { kubectlPrograms } from "./programs.ts";
import { task, TASK_DEFINITION, taskFile } from "./tasks.ts";

/** More than two of kubectl's pages of 500. */
const COUNT = 1_200;
const CHUNK = 100;

const NAMES = Array.from({ length: COUNT }, (_, index) => `task-${String(index).padStart(4, "0")}`);

describe("a list of 1,200 objects", () => {
  const at = useServer();
  beforeAll(async () => {
    const apply = async (body: string): Promise<void> => {
      const response = await fetch(`${at.server.url}/api/v1/apply`, { method: "POST", body });
      expect(response.status, response.ok ? "" : (await response.text()).slice(0, 500)).toBe(200);
    };
    await apply(TASK_DEFINITION);
    for (let from = 0; from < COUNT; from += 400) {
      await apply(taskFile(...NAMES.slice(from, from + 400).map((name) => task(name))));
    }
  });

  describe.each(kubectlPrograms())("$name", ({ program }) => {
    const get = async (...args: readonly string[]) => {
      const prefix = ["--server", at.server.url, "--cache-dir", at.home.path(program)];
      return at.home.run(program, [...prefix, "get", "tasks", ...args], { timeout: 60_000 });
    };
    // Lines about its own throttling name the request too.
    const pages = (stderr: string): number =>
      stderr.split("\n").filter((line) => /GET.*\/tasks\?.*limit=/.test(line) && !/throttling/i.test(line)).length;

    test("comes in pages of 500, each object once", async () => {
      const { stdout, stderr } = await get("--output=name", "-v=6");
      expect(stdout.trim().split("\n")).toEqual(NAMES.map((name) => `task.work.example.org/${name}`));
      expect(pages(stderr)).toBe(3);
    });

    test("comes in pages of --chunk-size", async () => {
      const { stdout, stderr } = await get("--no-headers", `--chunk-size=${CHUNK}`, "-v=6");
      expect(
        stdout
          .trim()
          .split("\n")
          .map((line) => line.split(" ")[0]),
      ).toEqual(NAMES);
      expect(pages(stderr)).toBe(COUNT / CHUNK);
    });

    test("comes whole with --chunk-size=0", async () => {
      const { stdout } = await get("-A", "--chunk-size=0", "--output=jsonpath={range .items[*]}{.metadata.name} {end}");
      expect(stdout.trim().split(" ")).toEqual(NAMES);
    });
  });
});
