import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const ROOT = path.join(import.meta.dirname, "../..");

it("the example in docs/resources.md is the one that a test runs", () => {
  const document = readFileSync(path.join(ROOT, "docs/resources.md"), "utf8");
  const shown = /<!-- example: .*?-->\s*```ts\n(.*?)```\s*<!-- end of example -->/s.exec(document)?.[1];
  expect(shown).toBe(readFileSync(path.join(ROOT, "test/workerd/resources-example/greetings.ts"), "utf8"));
});
