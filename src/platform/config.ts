import * as z from "zod";
import { LOG_LEVELS } from "./log.ts";

const DAY_SECONDS = 86_400;
const MIB = 1024 * 1024;

const flag = z.stringbool({ truthy: ["true", "1", "on", "yes"], falsy: ["false", "0", "off", "no"] });
const count = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^[0-9]+$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));
/** An unset variable and an empty one mean the same. */
const optional = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

/** Keys of 32 bytes in base64, each with a name before it or without. */
const secretsKey = z
  .string()
  .regex(
    /^(?:[a-z0-9][a-z0-9-]{0,31}:)?[A-Za-z0-9+/]{43}=(?:,(?:[a-z0-9][a-z0-9-]{0,31}:)?[A-Za-z0-9+/]{43}=)*$/,
    "expected 32 bytes in base64, or a list of name:base64 with commas between",
  );

/**
 * Every setting of the Worker: environment variables on a self-host, variables and secrets on Cloudflare.
 * `docs/operations.md` is checked against these names, defaults and descriptions.
 */
export const settingsSchema = z.object({
  ADMIN_PASSWORD: optional(z.string().min(8)).describe(
    "Secret. Password of the first administrator, the user `admin`. Without any credential a deployment refuses everything but health checks, and a self-host serves loopback only.",
  ),
  ACCESS: z
    .enum(["closed", "open", "silly"])
    .default("closed")
    .describe(
      "`open` lets everyone do everything; a self-host on loopback sets it when no credential is set. `closed` asks for credentials. `silly` takes any `Authorization` header for a proof; for tests of clients, on a self-host on loopback.",
    ),
  AUTH_CHALLENGE: z
    .enum(["token", "basic"])
    .default("token")
    .describe(
      "What `/v2` asks for: `token` sends clients to the token service, `basic` asks for user and password on each request. Both kinds of credential are accepted either way.",
    ),
  HTPASSWD: optional(z.string().max(MIB)).describe(
    "Secret. Users with bcrypt entries, as `htpasswd -B` writes them, one per line. A self-host also reads the file that `HTPASSWD_FILE` names.",
  ),
  HTPASSWD_ROLE: z
    .string()
    .default("pusher")
    .describe("The cluster role of every user of `HTPASSWD`, besides the roles that bindings give."),
  TOKEN_SERVICE: z
    .string()
    .min(1)
    .default("entrepot")
    .describe("Name of this registry in tokens, their audience. With an external token service, as it knows it."),
  TOKEN_TTL_SECONDS: count(60, 3600).default(300).describe("How long a token of the token service is good for."),
  REFRESH_TOKEN_TTL_SECONDS: count(300, 400 * DAY_SECONDS)
    .default(30 * DAY_SECONDS)
    .describe("How long a refresh token (`offline_token`) is good for after it was given out."),
  TOKEN_REALM: optional(z.url({ protocol: /^https?$/ })).describe(
    "Address of an external token service that clients are sent to. It needs `TOKEN_ISSUER`, and `TOKEN_JWKS_URL` or `TOKEN_CERTIFICATES`.",
  ),
  TOKEN_ISSUER: optional(z.string()).describe("Issuer of the external token service, the claim `iss` of its tokens."),
  TOKEN_JWKS_URL: optional(z.url({ protocol: /^https?$/ })).describe(
    "Where the keys of the external token service are, as a JWK Set.",
  ),
  TOKEN_CERTIFICATES: optional(z.string()).describe(
    "Certificates that the external token service signs with, or whose key signed the one in a token's `x5c`, in PEM.",
  ),
  SESSION_TTL_SECONDS: count(300, 30 * DAY_SECONDS)
    .default(12 * 3600)
    .describe("How long a sign-in in the browser lasts."),
  LOGIN_ATTEMPTS: count(1, 1000)
    .default(10)
    .describe(
      "Wrong credentials in a row after which an account is locked, for half a minute at first and twice as long each time after, up to an hour. An address is locked after four times as many, which keeps nobody out who has the right password.",
    ),
  CLIENT_ADDRESS_HEADER: optional(z.string().regex(/^[A-Za-z0-9-]+$/)).describe(
    "Header in which whatever is in front of the server puts the client's address; the last address in it counts. On Cloudflare `cf-connecting-ip`, unless told otherwise. Only set it if clients cannot reach the server past the front.",
  ),
  PUBLIC_SCHEME: z
    .enum(["http", "https"])
    .optional()
    .describe(
      "Scheme of the addresses given to clients, where a front of the server ends TLS. As requested unless set.",
    ),
  PUBLIC_CA: optional(z.string()).describe(
    "Certificate in PEM that clients should trust, for kubeconfigs. A self-host with `--tls` sets it.",
  ),
  CORS_ORIGINS: optional(z.string()).describe(
    "Origins whose pages may call the server, with commas between, or `*`. Cookies are never accepted across origins.",
  ),
  CF_ACCESS_TEAM_DOMAIN: optional(z.string()).describe(
    "Team domain of Cloudflare Access, such as `team.cloudflareaccess.com`: its assertion then signs people in.",
  ),
  CF_ACCESS_AUDIENCE: optional(z.string()).describe("Audience tag of the Access application, required with it."),
  AUDIT_READS: flag
    .default(false)
    .describe("Also writes what was read to the audit; otherwise changes, sign-ins and refusals."),
  AUDIT_RETENTION_SECONDS: count(3600, 3650 * DAY_SECONDS)
    .default(90 * DAY_SECONDS)
    .describe("How long the audit is kept."),
  WATCHES_PER_ACCOUNT: count(1, 10_000)
    .default(200)
    .describe(
      "Watches of the resource API that one account may have open in one isolate; one more is `429` with `Retry-After`.",
    ),
  READ_ONLY: flag.default(false).describe("Refuses every push and delete with `405 UNSUPPORTED`."),
  SPARSE_INDEXES: flag
    .default(false)
    .describe(
      "Accepts an index that names manifests which its repository does not hold, such as a copy of some platforms of an image. A pull of such a platform is `404 MANIFEST_UNKNOWN`.",
    ),
  READ_STALENESS_MS: count(0, 60_000)
    .default(1000)
    .describe(
      "How long, in milliseconds, one isolate may answer from memory which digest a tag names and whether a repository holds a blob. `0` asks the database each time.",
    ),
  MEMORY_CACHE_BYTES: count(0, 64 * MIB)
    .default(24 * MIB)
    .describe("Bytes of manifests and small blobs that one isolate keeps in memory, by digest."),
  EDGE_CACHE: flag
    .default(true)
    .describe(
      "Keeps blobs in Cloudflare's cache near the puller, after authorisation, on a domain of your own and without `CF_ACCESS_TEAM_DOMAIN`: elsewhere that cache keeps nothing. A self-host turns it off.",
    ),
  CHUNK_MIN_LENGTH: count(1, 64 * MIB)
    .default(1)
    .describe(
      "Advice to clients that push in chunks, in bytes (`OCI-Chunk-Min-Length`). Smaller chunks are accepted all the same.",
    ),
  UPLOAD_TTL_SECONDS: count(60, 6 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .describe("An upload that was not finished this long after it was started is purged."),
  UPLOADS_PER_ACCOUNT: count(1, 100_000)
    .default(1000)
    .describe(
      "How many uploads with bytes an account may have open at a time; further ones are answered 429. All who are not signed in are one account, with ten times as many.",
    ),
  GC_GRACE_SECONDS: count(60, 365 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .describe(
      "How long content that nothing refers to is kept: blobs that no manifest of their repository names, and then bytes that no repository holds.",
    ),
  EVENT_RETENTION_SECONDS: count(60, 365 * DAY_SECONDS)
    .default(7 * DAY_SECONDS)
    .describe("How long it is kept which secrets were decrypted, and for whom."),
  SYNC_RETENTION_SECONDS: count(3600, 3650 * DAY_SECONDS)
    .default(30 * DAY_SECONDS)
    .describe("How long runs of mirroring are kept with their logs; the latest of each task stays."),
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info").describe("Lines below this level are not written."),
  STORAGE: z
    .enum(["r2", "filesystem", "s3"])
    .default("r2")
    .describe("Where bytes are kept. A self-host uses `filesystem` unless told otherwise."),
  S3_ENDPOINT: optional(z.url({ protocol: /^https?$/ })).describe(
    "For `STORAGE=s3`, and for redirects with `STORAGE=r2`: address of the S3 service, without the bucket.",
  ),
  S3_BUCKET: optional(z.string()).describe("Name of the bucket; it must exist. Addressed by path."),
  S3_REGION: z.string().default("auto").describe("Region that requests are signed for."),
  S3_ACCESS_KEY_ID: optional(z.string()).describe("Secret. Access key."),
  S3_SECRET_ACCESS_KEY: optional(z.string()).describe("Secret. Secret key."),
  BLOB_REDIRECT: flag
    .default(false)
    .describe(
      "Answers a pull of a blob with `307` to a presigned S3 address, so that its bytes do not pass the Worker.",
    ),
  SECRETS_KEY: optional(secretsKey).describe(
    "Secret. Key that stored secrets are encrypted under: 32 bytes in base64, or a list `name:base64,…` of which the first is in use and the others still decrypt. Without it no secret can be stored; a self-host makes one in its data folder.",
  ),
  OUTBOUND_PRIVATE: z
    .enum(["deny", "allow"])
    .default("deny")
    .describe(
      "Whether calls to other services, such as data sources, may go to private addresses, by number or by a name that resolves to one. A self-host uses `allow` unless told otherwise.",
    ),
});

/** The settings by name, parsed. */
export type Settings = z.infer<typeof settingsSchema>;

/** Credentials and place of an S3 bucket. */
export interface S3Settings {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Settings, with those that belong together joined. */
export interface Config extends Settings {
  /** Present when all of `S3_*` is set. */
  readonly s3: S3Settings | undefined;
}

/** A setting that cannot be used. The message is one line and names the variable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Parses the settings among `variables`; other names are ignored.
 * @throws {ConfigError} naming the first variable that is wrong
 */
export function parseConfig(variables: Readonly<Record<string, unknown>>): Config {
  const known: Record<string, unknown> = {};
  for (const name of Object.keys(settingsSchema.shape)) {
    if (variables[name] !== undefined) known[name] = variables[name];
  }
  const parsed = settingsSchema.safeParse(known);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`${issue?.path.join(".") ?? "configuration"}: ${issue?.message ?? "invalid"}`);
  }
  const settings = parsed.data;
  const s3 = joinS3(settings);
  if (s3 === undefined && settings.STORAGE === "s3")
    throw new ConfigError(`${firstMissingS3(settings)}: required by STORAGE=s3`);
  if (s3 === undefined && settings.BLOB_REDIRECT)
    throw new ConfigError(`${firstMissingS3(settings)}: required by BLOB_REDIRECT`);
  if (settings.STORAGE === "filesystem" && settings.BLOB_REDIRECT) {
    throw new ConfigError("BLOB_REDIRECT: files cannot be presigned; use STORAGE=s3 or STORAGE=r2");
  }
  return { ...settings, s3 };
}

const S3_NAMES = ["S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"] as const;

function firstMissingS3(settings: Settings): string {
  return S3_NAMES.find((name) => settings[name] === undefined) ?? "S3_ENDPOINT";
}

function joinS3(settings: Settings): S3Settings | undefined {
  const { S3_ENDPOINT, S3_BUCKET, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = settings;
  if (!S3_ENDPOINT || !S3_BUCKET || !S3_ACCESS_KEY_ID || !S3_SECRET_ACCESS_KEY) return undefined;
  return {
    endpoint: S3_ENDPOINT.replace(/\/+$/, ""),
    bucket: S3_BUCKET,
    region: S3_REGION,
    accessKeyId: S3_ACCESS_KEY_ID,
    secretAccessKey: S3_SECRET_ACCESS_KEY,
  };
}
