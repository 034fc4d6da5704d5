import path from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** `npm test` runs these; `npm run test:e2e` adds the projects of `test/vitest.e2e.config.ts`. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: { "cloudflare:workers": path.resolve("test/support/cloudflare-workers.ts") } },
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/layout/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 30_000 } },
          isolate: false,
          // Hexadecimal and base64 of Uint8Array, which workerd has, are behind a flag in this Node.
          execArgv: ["--js-base-64"],
        },
      },
      {
        plugins: [
          cloudflareTest(async ({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              cf: false,
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                TEST_S3: inject("s3"),
                ACCESS: "open",
                EDGE_CACHE: "false",
              },
              serviceBindings: {
                DISK: { disk: { path: inject("diskFolder"), writable: true } },
                // The Worker's own fetch() reaches public addresses only; the S3 service of the tests is on loopback.
                NETWORK: { network: { allow: ["private"] } },
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts"],
          // Loading the Worker for each file anew would take three times as long as the tests.
          isolate: false,
          globalSetup: ["test/support/workerd-services.ts"],
          setupFiles: ["test/workerd/empty-database.ts"],
          // What is proven is counted, not timed: a busy machine fails no test.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
      {
        test: {
          name: "http",
          include: ["test/conformance/**/*.test.ts", "test/selfhost/**/*.test.ts"],
          globalSetup: ["test/support/build-once.ts"],
          // What is proven is counted, not timed: a busy machine fails no test.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
