import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { startCronClock } from "./cron-clock.ts";
import { FolderInUseError, takeDataFolder } from "./data-folder.ts";
import { startFront } from "./front.ts";
import { removeLeftovers } from "./leftovers.ts";
import type { SelfHostOptions } from "./options.ts";
import { AddressInUseError, startRuntime } from "./runtime.ts";
import type { Certificate } from "./tls.ts";

/** What is to be served, and how. */
export interface ServeRequest {
  readonly options: SelfHostOptions;
  /** Serves HTTPS if it is there. */
  readonly certificate?: Certificate;
}

/** How long a stop takes at the most, in milliseconds, whatever runs. */
const STOP_MS = 30_000;

/** How long it waits for running requests, in milliseconds. */
const PATIENCE_MS = STOP_MS - 2000;

/** Serves until a signal ends the process. What cannot be served ends it as well, with an explanation. */
export async function serve(request: ServeRequest): Promise<void> {
  let release: (() => void) | undefined;
  try {
    release = takeDataFolder(request.options.data);
    await start(request, release);
  } catch (error) {
    release?.();
    console.error(explain(error));
    process.exit(1);
  }
}

async function start({ options, certificate }: ServeRequest, release: () => void): Promise<void> {
  const settings = { ...options.settings };
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

/** What went wrong, in one line where the user can mend it. */
function explain(error: unknown): unknown {
  if (error instanceof FolderInUseError) return error.message;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof AddressInUseError || code === "EADDRINUSE")
    return "PORT: the address is in use; choose another with --port";
  return error;
}

/** Serves what a file says, and removes it: it has secrets in it. */
async function serveFile(file: string): Promise<void> {
  const request = JSON.parse(readFileSync(file, "utf8")) as ServeRequest;
  rmSync(file);
  await serve(request);
}

if (import.meta.main) await serveFile(process.argv[2] ?? "");
