import path from "node:path";
import { defineConfig } from "vitest/config";

const MINUTE = 60_000;

/** What end-to-end tests drive: real clients, failures of the machine, a real browser, other registries. */
const FOLDERS = ["clients", "faults", "browser", "sync"] as const;

/** `npm run test:e2e` runs these against whole servers; `npm test` runs everything else. */
export default defineConfig({
  root: path.resolve(import.meta.dirname, ".."),
  test: {
    // Each file has servers and clients of its own; more than two at once would only wait for each other.
    maxWorkers: 2,
    projects: FOLDERS.map((name) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        globalSetup: ["test/support/build-once.ts"],
        testTimeout: 3 * MINUTE,
        hookTimeout: 2 * MINUTE,
        // What is polled for comes when it comes: a busy machine is no failure.
        expect: { poll: { timeout: MINUTE / 2 } },
      },
    })),
  },
});
