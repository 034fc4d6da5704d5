import { createRequire } from "node:module";
import path from "node:path";

/** The project's folder: from `src/selfhost` as from `dist/selfhost`. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

/** Where scripts are that are run as they are. */
export const SELF_HOST = path.join(ROOT, "src", "selfhost");

const require = createRequire(import.meta.url);

/** wrangler's command, to be run by this Node. */
export const WRANGLER = path.join(path.dirname(require.resolve("wrangler/package.json")), "bin", "wrangler.js");

/** Keeps wrangler from calling home. */
export const WRANGLER_ENV = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
} as const;

/** The runtime's executable. */
export function workerdPath(): string {
  return (require("workerd") as { readonly default: string }).default;
}
