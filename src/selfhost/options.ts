import { isIP } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { ConfigError, parseConfig, settingsSchema } from "../platform/config.ts";

/** How one machine serves the platform. */
export interface SelfHostOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Absolute path of the folder that holds everything. */
  readonly data: string;
  readonly tls: boolean;
  /** Settings for the Worker, as text. */
  readonly settings: Readonly<Record<string, string>>;
  /** Everyone may do everything: loopback, and no password. */
  readonly open: boolean;
  /** How long an upload may take, in milliseconds. */
  readonly uploadLifetime: number;
}

export const USAGE = `Usage: npm start -- [options]

  --host HOST   address to listen on (variable HOST; default 127.0.0.1)
  --port PORT   port to listen on (variable PORT; default 8787; 0 takes a free one)
  --data DIR    folder for all data (variable DATA_DIR; default .entrepot)
  --tls         serve HTTPS, with a certificate of its own that is kept in the data folder
  --help        print this

Settings are environment variables: see docs/operations.md.`;

/** Defaults of a self-host where they differ from those of a deployment. */
const SELF_HOST_SETTINGS = { STORAGE: "filesystem", EDGE_CACHE: "false", OUTBOUND_PRIVATE: "allow" } as const;

/**
 * Reads the command line and the environment. `undefined` when only help was asked for.
 * @throws {ConfigError} in one line that names what is wrong
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): SelfHostOptions | undefined {
  const flags = parseFlags(args);
  if (flags.help === true) return undefined;
  const host = flags.host ?? (env["HOST"] || "127.0.0.1");
  const port = parsePort(flags.port ?? (env["PORT"] || "8787"));
  const data = path.resolve(flags.data ?? (env["DATA_DIR"] || ".entrepot"));
  const settings: Record<string, string> = { ...SELF_HOST_SETTINGS };
  for (const name of Object.keys(settingsSchema.shape)) {
    const value = env[name];
    if (value !== undefined && value !== "") settings[name] = value;
  }
  const config = parseConfig(settings);
  const open = config.ADMIN_PASSWORD === undefined && settings["ACCESS"] !== "closed";
  if (open && !isLoopback(host)) {
    throw new ConfigError(
      `ADMIN_PASSWORD: required to listen on ${host}, where others can connect; set it, or use --host 127.0.0.1 to serve this machine only`,
    );
  }
  if (open) settings["ACCESS"] ??= "open";
  return {
    host,
    port,
    data,
    tls: flags.tls ?? false,
    settings,
    open,
    uploadLifetime: config.UPLOAD_TTL_SECONDS * 1000,
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        host: { type: "string" },
        port: { type: "string" },
        data: { type: "string" },
        tls: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (--help lists the options)`);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535) throw new ConfigError(`PORT: not a port number: ${text}`);
  return port;
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
