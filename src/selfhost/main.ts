import type { AddressInfo } from "node:net";
import { ConfigError } from "../platform/config.ts";
import { build } from "./build.ts";
import { startCronClock } from "./cron-clock.ts";
import { takeDataFolder } from "./data-folder.ts";
import { readOptions, type SelfHostOptions, USAGE } from "./options.ts";
import { startRuntime } from "./runtime.ts";
import { ownSecretsKey } from "./secrets-key.ts";
import { removeLeftovers } from "./leftovers.ts";
import { ownCertificate, startTlsFront } from "./tls.ts";

/** How long a stop waits for running requests, in milliseconds. */
const PATIENCE_MS = 30_000;

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const release = takeDataFolder(options.data);
  try {
    build();
    await serve(options, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function serve(options: SelfHostOptions, release: () => void): Promise<void> {
  // With TLS, the Worker is behind a front and needs no address that others can reach.
  const listen = options.tls ? { host: "127.0.0.1", port: 0 } : { host: options.host, port: options.port };
  const settings = { ...options.settings };
  settings["SECRETS_KEY"] ??= ownSecretsKey(options.data);
  const runtime = await startRuntime({ ...listen, data: options.data, settings });
  const front = options.tls
    ? await startTlsFront(
        await ownCertificate(options.data, options.host),
        { host: options.host, port: options.port },
        runtime.port,
      )
    : undefined;
  const stopClock = startCronClock(
    async (minute) => {
      await runtime.tick(minute);
      if (minute.getUTCMinutes() === 0) removeLeftovers(options.data, options.uploadLifetime, minute.getTime());
    },
    (error) => console.error(`cron: ${String(error)}`),
  );
  onStopSignal(async () => {
    stopClock();
    front?.close();
    await runtime.stop(PATIENCE_MS);
    release();
  });
  const port = front === undefined ? runtime.port : (front.address() as AddressInfo).port;
  announce(options, port);
}

function announce(options: SelfHostOptions, port: number): void {
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  if (options.open) console.log("Open to everyone on this machine: set ADMIN_PASSWORD to ask for credentials");
  console.log(`Ready on ${options.tls ? "https" : "http"}://${host}:${port}`);
}

/** A signal sooner than this after the first is the same one: a terminal's Ctrl-C also comes by way of npm. */
const SAME_SIGNAL_MS = 1000;

/** Ends the process after `stop`, on the first signal; on a second one, at once. */
function onStopSignal(stop: () => Promise<void>): void {
  let stoppingSince: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Miniflare ends the process at once on these; running requests come first.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stoppingSince !== undefined) {
        if (Date.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
        return;
      }
      stoppingSince = Date.now();
      console.log("Stopping: finishing running requests");
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});

/** What went wrong, in one line where the user can mend it. */
function explain(error: unknown): unknown {
  if (error instanceof ConfigError) return error.message;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ERR_ADDRESS_IN_USE" || code === "EADDRINUSE")
    return "PORT: the address is in use; choose another with --port";
  return error;
}
