import { writeFileSync } from "node:fs";
import path from "node:path";
import { ConfigError } from "../platform/config.ts";
import { build, SERVE_SCRIPT } from "./build.ts";
import { FolderInUseError, takeDataFolder } from "./data-folder.ts";
import { readOptions, type SelfHostOptions, USAGE } from "./options.ts";
import { ownSecretsKey } from "./secrets-key.ts";
import { type ServeRequest, serve } from "./serve.ts";

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const release = takeDataFolder(options.data);
  let request: ServeRequest;
  try {
    await build();
    request = await prepare(options);
  } finally {
    release();
  }
  await handOver(request);
}

/** What the server is told: with the keys that belong to the data folder. */
async function prepare(options: SelfHostOptions): Promise<ServeRequest> {
  const settings = { ...options.settings };
  settings["SECRETS_KEY"] ??= ownSecretsKey(options.data);
  if (!options.tls) return { options: { ...options, settings } };
  const certificate = await (await import("./tls.ts")).ownCertificate(options.data, options.host);
  settings["PUBLIC_SCHEME"] ??= "https";
  settings["PUBLIC_CA"] ??= certificate.cert;
  return { options: { ...options, settings }, certificate };
}

/**
 * Serves, in a program that has taken this one's place where the system can do that: what parses settings and takes types
 * out of source text would keep twice the memory that serving needs.
 */
async function handOver(request: ServeRequest): Promise<void> {
  if (typeof process.execve !== "function") {
    await serve(request);
    return;
  }
  // It has secrets in it, and is read and removed at once.
  const file = path.join(request.options.data, ".serve");
  writeFileSync(file, JSON.stringify(request), { mode: 0o600 });
  const quiet = "--disable-warning=ExperimentalWarning";
  process.execve(process.execPath, [process.execPath, ...process.execArgv, quiet, SERVE_SCRIPT, file], process.env);
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError || error instanceof FolderInUseError ? error.message : error);
  process.exit(1);
});
