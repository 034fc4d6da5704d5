import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** `npm test` runs these; `npm run test:e2e` adds the projects of `test/vitest.e2e.config.ts`. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts"],
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              cf: false,
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                ACCESS: "open",
                EDGE_CACHE: "false",
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts"],
          setupFiles: ["test/workerd/apply-migrations.ts"],
        },
      },
      {
        test: {
          name: "http",
          include: ["test/conformance/**/*.test.ts", "test/selfhost/**/*.test.ts"],
          globalSetup: ["test/support/build-once.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
