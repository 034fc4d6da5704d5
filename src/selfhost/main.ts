import { randomBytes } from "node:crypto";
import { ConfigError } from "../platform/config.ts";
import { build } from "./build.ts";
import { startCronClock } from "./cron-clock.ts";
import { takeDataFolder } from "./data-folder.ts";
import { startFront } from "./front.ts";
import { readOptions, type SelfHostOptions, USAGE } from "./options.ts";
import { AddressInUseError, startRuntime } from "./runtime.ts";
import { ownSecretsKey } from "./secrets-key.ts";
import { removeLeftovers } from "./leftovers.ts";

/** How long a stop takes at the most, in milliseconds, whatever runs. */
const STOP_MS = 30_000;

/** How long it waits for running requests, in milliseconds. */
const PATIENCE_MS = STOP_MS - 2000;

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
  const settings = { ...options.settings };
  settings["SECRETS_KEY"] ??= ownSecretsKey(options.data);
  const certificate = options.tls
    ? await (await import("./tls.ts")).ownCertificate(options.data, options.host)
    : undefined;
  if (certificate !== undefined) {
    settings["PUBLIC_SCHEME"] ??= "https";
    settings["PUBLIC_CA"] ??= certificate.cert;
  }
  // A name that changes with each start: nobody but the front can tell the Worker an address.
  const addressHeader =
    options.front && settings["CLIENT_ADDRESS_HEADER"] === undefined
      ? `x-entrepot-${randomBytes(12).toString("hex")}`
      : undefined;
  if (addressHeader !== undefined) settings["CLIENT_ADDRESS_HEADER"] = addressHeader;
  // Behind a front, the Worker needs no address that others can reach.
  const listen = options.front ? { host: "127.0.0.1", port: 0 } : { host: options.host, port: options.port };
  const runtime = await startRuntime({ ...listen, data: options.data, settings });
  const front = options.front
    ? await startFront({
        host: options.host,
        port: options.port,
        workerPort: runtime.port,
        ...(certificate === undefined ? {} : { certificate }),
        ...(addressHeader === undefined ? {} : { addressHeader }),
      })
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
    const closed = front?.close(PATIENCE_MS);
    await runtime.stop(PATIENCE_MS);
    await closed;
    release();
  });
  announce(options, (front ?? runtime).port);
}

function announce(options: SelfHostOptions, port: number): void {
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  if (options.open) console.log("Open to everyone on this machine: set ADMIN_PASSWORD to ask for credentials");
  if (options.addressUnknown) {
    console.warn(
      "Warning: clients' addresses are not known, so that wrong passwords are counted for all clients together. Behind a proxy, set CLIENT_ADDRESS_HEADER to the header in which it puts the client's address",
    );
  }
  if (options.settings["ACCESS"] === "silly") console.log("ACCESS=silly: any credential is taken for a proof");
  console.log(`Ready on ${options.tls ? "https" : "http"}://${host}:${port}`);
}

/** A signal sooner than this after the first is the same one: a terminal's Ctrl-C also comes by way of npm. */
const SAME_SIGNAL_MS = 1000;

/** Ends the process after `stop`, on the first signal; on a second one, at once. */
function onStopSignal(stop: () => Promise<void>): void {
  let stoppingSince: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stoppingSince !== undefined) {
        if (Date.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
        return;
      }
      stoppingSince = Date.now();
      console.log("Stopping: finishing running requests");
      setTimeout(() => process.exit(1), STOP_MS).unref();
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
  if (error instanceof AddressInUseError || code === "EADDRINUSE")
    return "PORT: the address is in use; choose another with --port";
  return error;
}
