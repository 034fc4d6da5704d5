import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { WRANGLER_ENV } from "../src/selfhost/paths.ts";
import { runtimeDefaults } from "../src/selfhost/engine.ts";

const NAME = "baseline";

/**
 * Serves `baseline-worker.js` on the engine of a self-host, with a socket of its own as `runtime.ts` gives the
 * registry one. A process of its own, so that its runtime's memory can be told from others'.
 * @param data folder for files and the simulated bucket
 * @param inspector port of DevTools
 */
async function serve(data: string, inspector: string | undefined): Promise<void> {
  Object.assign(process.env, WRANGLER_ENV);
  const disk = path.join(data, "disk");
  mkdirSync(disk, { recursive: true });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...runtimeDefaults(data),
      ...(inspector === undefined ? {} : { inspectorPort: Number(inspector) }),
      workers: [
        {
          name: NAME,
          compatibilityDate: "2026-10-01",
          compatibilityFlags: ["nodejs_compat"],
          modules: [
            {
              type: "ESModule",
              path: "baseline-worker.js",
              contents: readFileSync(path.join(import.meta.dirname, "baseline-worker.js"), "utf8"),
            },
          ],
          r2Buckets: ["BUCKET"],
          d1Databases: ["DB"],
          serviceBindings: { DISK: { disk: { path: disk, writable: true } } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  const { port } = await miniflare.unsafeGetDirectURL(NAME);
  console.log(`Ready on http://127.0.0.1:${port}`);
}

await serve(process.argv[2] ?? "", process.argv[3]);
