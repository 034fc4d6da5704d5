import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { app } from "./app.ts";

const WRANGLER = readFileSync(path.resolve(import.meta.dirname, "../wrangler.toml"), "utf8");

/** Patterns of what goes to the Worker before any page is looked for. @see wrangler.toml, `run_worker_first` */
const PATTERNS = [...(/run_worker_first = \[([^\]]*)\]/.exec(WRANGLER)?.[1] ?? "").matchAll(/"([^"]+)"/g)].map(
  ([, pattern = ""]) => pattern,
);

/** Whether a path goes to the Worker; `*` of a pattern stands for anything. */
function isWorkers(at: string): boolean {
  return PATTERNS.some((pattern) => (pattern.endsWith("*") ? at.startsWith(pattern.slice(0, -1)) : at === pattern));
}

it.each(["/v2", "/v2/", ...new Set(app.routes.map((route) => route.path))].filter((at) => at !== "/*"))(
  "%s goes to the Worker, and never to a page",
  (at) => {
    for (const one of [at.replace("*", "x"), ...(at.endsWith("*") ? [] : [`${at}/`])]) {
      expect([one, isWorkers(one)]).toEqual([one, true]);
    }
  },
);
