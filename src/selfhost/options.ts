import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Config, ConfigError, parseConfig, settingsSchema } from "../platform/config.ts";

/** How one machine serves the platform. */
export interface SelfHostOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Absolute path of the folder that holds everything. */
  readonly data: string;
  readonly tls: boolean;
  /** Whether requests come through a front: by TLS, or from other machines, whose address it tells the Worker. */
  readonly front: boolean;
  /** Settings for the Worker, as text. */
  readonly settings: Readonly<Record<string, string>>;
  /** Everyone may do everything: loopback, and nothing to sign in with. */
  readonly open: boolean;
  /** There are passwords to guess, and no client's address to hold guesses against: a proxy may be in front. */
  readonly addressUnknown: boolean;
  /** How long an upload may take, in milliseconds. */
  readonly uploadLifetime: number;
}

export const USAGE = `Usage: npm start -- [options]

  --host HOST   address to listen on (variable HOST; default 127.0.0.1)
  --port PORT   port to listen on (variable PORT; default 8787; 0 takes a free one)
  --data DIR    folder for all data (variable DATA_DIR; default .entrepot)
  --tls         serve HTTPS, with a certificate of its own that is kept in the data folder
  --help        print this

Settings are environment variables: see docs/operations.md. HTPASSWD_FILE names
a file of users and bcrypt entries, which is read at the start.`;

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
  const users = readUsers(env["HTPASSWD_FILE"]);
  if (users !== undefined) settings["HTPASSWD"] = [settings["HTPASSWD"], users].filter(Boolean).join("\n");
  const config = parseConfig(settings);
  const loopback = isLoopback(host);
  if (config.ACCESS === "silly" && !loopback) {
    throw new ConfigError(`ACCESS: silly takes any credential, and is not for ${host}, where others can connect`);
  }
  const open = !hasCredential(config) && (settings["ACCESS"] ?? "open") === "open";
  if (open && !loopback) {
    throw new ConfigError(
      `ADMIN_PASSWORD: required to listen on ${host}, where others can connect; set it, HTPASSWD_FILE or TOKEN_REALM, or use --host 127.0.0.1 to serve this machine only`,
    );
  }
  if (open) settings["ACCESS"] ??= "open";
  const tls = flags.tls ?? false;
  const front = tls || !loopback;
  return {
    host,
    port,
    data,
    tls,
    front,
    settings,
    open,
    addressUnknown:
      (config.ADMIN_PASSWORD !== undefined || config.HTPASSWD !== undefined) &&
      !front &&
      config.CLIENT_ADDRESS_HEADER === undefined,
    uploadLifetime: config.UPLOAD_TTL_SECONDS * 1000,
  };
}

/** Whether there is anything that someone could sign in with at first. */
function hasCredential(config: Config): boolean {
  return config.ADMIN_PASSWORD !== undefined || config.HTPASSWD !== undefined || config.TOKEN_REALM !== undefined;
}

/** What the file of users holds; `undefined` without one. */
function readUsers(file: string | undefined): string | undefined {
  if (file === undefined || file === "") return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new ConfigError(`HTPASSWD_FILE: ${path.resolve(file)} cannot be read (${code})`);
  }
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
