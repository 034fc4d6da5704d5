import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { migrate } from "../src/selfhost/migrate.ts";
import { ROOT, WRANGLER, WRANGLER_ENV } from "../src/selfhost/paths.ts";
import { runtimeDefaults } from "../src/selfhost/engine.ts";

const NAME = "counting";
const CONFIGURATION = path.join(ROOT, "wrangler.toml");

/**
 * Serves `counting-worker.js`, bundled and bound as `wrangler.toml` says, the way `runtime.ts` serves the Worker.
 * @param data folder for everything, the bundle included
 */
async function serve(data: string, storage: string): Promise<void> {
  Object.assign(process.env, WRANGLER_ENV);
  const content = path.join(data, "content");
  mkdirSync(content, { recursive: true });
  const bundle = bundled(path.join(data, "bundle"));
  const { workerOptions } = unstable_getMiniflareWorkerOptions(CONFIGURATION);
  const { assets: _assets, ...worker } = workerOptions as typeof workerOptions & { readonly assets: unknown };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...runtimeDefaults(data),
      workers: [
        {
          ...worker,
          name: NAME,
          modules: [{ type: "ESModule", path: "counting-worker.js", contents: readFileSync(bundle, "utf8") }],
          bindings: { ACCESS: "open", EDGE_CACHE: "false", STORAGE: storage },
          serviceBindings: { DISK: { disk: { path: content, writable: true } } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  await migrate(await miniflare.getD1Database("DB", NAME));
  const { port } = await miniflare.unsafeGetDirectURL(NAME);
  console.log(`Ready on http://127.0.0.1:${port}`);
}

function bundled(folder: string): string {
  const { status, stderr } = spawnSync(
    process.execPath,
    [WRANGLER, "deploy", path.join(import.meta.dirname, "counting-worker.js"), "--dry-run", "--outdir", folder],
    { cwd: ROOT, env: { ...process.env, ...WRANGLER_ENV }, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the counting Worker could not be bundled:\n${stderr}`);
  return path.join(folder, "counting-worker.js");
}

await serve(process.argv[2] ?? "", process.argv[3] ?? "");
