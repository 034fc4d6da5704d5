import { build } from "../src/selfhost/build.ts";
import { readOptions } from "../src/selfhost/options.ts";
import { startRuntime } from "../src/selfhost/runtime.ts";
import { ownSecretsKey } from "../src/selfhost/secrets-key.ts";

/**
 * Serves the registry as `npm start` does, for loopback, on a runtime that can be looked into.
 * @param inspector port of DevTools
 */
async function serve(inspector: number, args: readonly string[]): Promise<void> {
  const options = readOptions(args, process.env);
  if (options === undefined) return;
  await build();
  const { host, port, data } = options;
  const settings = { ...options.settings, SECRETS_KEY: ownSecretsKey(data) };
  const runtime = await startRuntime({ host, port, data, settings, inspector });
  console.log(`Ready on http://${host}:${runtime.port}`);
}

const [inspector = "", ...args] = process.argv.slice(2);
await serve(Number(inspector), args);
