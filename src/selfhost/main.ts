import type { AddressInfo } from "node:net";
import { ConfigError } from "../platform/config.ts";
import { build } from "./build.ts";
import { startCronClock } from "./cron-clock.ts";
import { takeDataFolder } from "./data-folder.ts";
import { readOptions, type SelfHostOptions, USAGE } from "./options.ts";
import { startRuntime } from "./runtime.ts";
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
  const runtime = await startRuntime({ ...listen, data: options.data, settings: options.settings });
  const front = options.tls
    ? await startTlsFront(
        await ownCertificate(options.data, options.host),
        { host: options.host, port: options.port },
        runtime.port,
      )
    : undefined;
  const stopClock = startCronClock(
    (minute) => runtime.tick(minute),
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

/** Ends the process after `stop`, on the first signal; on a second one, at once. */
function onStopSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Miniflare ends the process at once on these; running requests come first.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
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
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
});
