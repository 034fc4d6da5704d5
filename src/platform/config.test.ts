import { describe, expect, it } from "vitest";
import { type Config, ConfigError, parseConfig, settingsSchema } from "./config.ts";

const MIB = 1024 * 1024;
const DAY = 86_400;

const S3 = {
  S3_ENDPOINT: "https://s3.example.com",
  S3_BUCKET: "bucket",
  S3_ACCESS_KEY_ID: "key",
  S3_SECRET_ACCESS_KEY: "secret",
} as const;

const DEFAULTS: Config = {
  ADMIN_PASSWORD: undefined,
  ACCESS: "closed",
  AUTH_CHALLENGE: "token",
  HTPASSWD: undefined,
  HTPASSWD_ROLE: "pusher",
  TOKEN_SERVICE: "entrepot",
  TOKEN_TTL_SECONDS: 300,
  REFRESH_TOKEN_TTL_SECONDS: 30 * DAY,
  TOKEN_REALM: undefined,
  TOKEN_ISSUER: undefined,
  TOKEN_JWKS_URL: undefined,
  TOKEN_CERTIFICATES: undefined,
  SESSION_TTL_SECONDS: 12 * 3600,
  LOGIN_ATTEMPTS: 10,
  CLIENT_ADDRESS_HEADER: undefined,
  PUBLIC_SCHEME: undefined,
  PUBLIC_CA: undefined,
  CORS_ORIGINS: undefined,
  CF_ACCESS_TEAM_DOMAIN: undefined,
  CF_ACCESS_AUDIENCE: undefined,
  AUDIT_READS: false,
  AUDIT_RETENTION_SECONDS: 90 * DAY,
  WATCHES_PER_ACCOUNT: 200,
  READ_ONLY: false,
  SPARSE_INDEXES: false,
  READ_STALENESS_MS: 1000,
  MEMORY_CACHE_BYTES: 24 * MIB,
  EDGE_CACHE: true,
  CHUNK_MIN_LENGTH: 1,
  UPLOAD_TTL_SECONDS: DAY,
  UPLOADS_PER_ACCOUNT: 1000,
  GC_GRACE_SECONDS: DAY,
  EVENT_RETENTION_SECONDS: 7 * DAY,
  SYNC_RETENTION_SECONDS: 30 * DAY,
  LOG_LEVEL: "info",
  STORAGE: "r2",
  S3_ENDPOINT: undefined,
  S3_BUCKET: undefined,
  S3_REGION: "auto",
  S3_ACCESS_KEY_ID: undefined,
  S3_SECRET_ACCESS_KEY: undefined,
  BLOB_REDIRECT: false,
  SECRETS_KEY: undefined,
  OUTBOUND_PRIVATE: "deny",
  s3: undefined,
};

describe("defaults", () => {
  const config = parseConfig({});

  it.each(Object.keys(settingsSchema.shape))("of %s", (name) => {
    // A new setting has to be added to the table above.
    expect(Object.keys(DEFAULTS)).toContain(name);
    expect(config[name as keyof Config]).toEqual(DEFAULTS[name as keyof Config]);
  });

  it("describe every setting", () => {
    for (const [name, schema] of Object.entries(settingsSchema.shape)) expect(schema.description, name).toBeTruthy();
  });
});

describe("values", () => {
  it.each([
    ["READ_ONLY", "true", true],
    ["READ_ONLY", "on", true],
    ["READ_ONLY", "1", true],
    ["READ_ONLY", "yes", true],
    ["EDGE_CACHE", "false", false],
    ["EDGE_CACHE", "off", false],
    ["EDGE_CACHE", "0", false],
    ["EDGE_CACHE", "no", false],
    ["READ_STALENESS_MS", "0", 0],
    ["MEMORY_CACHE_BYTES", "0", 0],
    ["UPLOAD_TTL_SECONDS", "60", 60],
    ["LOG_LEVEL", "debug", "debug"],
    ["ACCESS", "open", "open"],
    ["ADMIN_PASSWORD", "12345678", "12345678"],
    ["ADMIN_PASSWORD", "", undefined],
    ["S3_BUCKET", "", undefined],
    ["S3_ENDPOINT", "", undefined],
  ] as const)("%s=%s", (name, text, value) => {
    expect(parseConfig({ [name]: text })[name]).toBe(value);
  });

  it("of other names are ignored", () => {
    expect(parseConfig({ PATH: "/bin", DB: {}, HOME: 1 })).toEqual(DEFAULTS);
  });
});

describe("a bad value", () => {
  it.each([
    ["ADMIN_PASSWORD", "short"],
    ["ACCESS", "everyone"],
    ["READ_ONLY", "maybe"],
    ["READ_STALENESS_MS", "-1"],
    ["READ_STALENESS_MS", "60001"],
    ["READ_STALENESS_MS", "1.5"],
    ["READ_STALENESS_MS", "1e3"],
    ["READ_STALENESS_MS", " 1"],
    ["MEMORY_CACHE_BYTES", "24MiB"],
    ["MEMORY_CACHE_BYTES", String(64 * MIB + 1)],
    ["EDGE_CACHE", "sometimes"],
    ["CHUNK_MIN_LENGTH", "0"],
    ["UPLOAD_TTL_SECONDS", "59"],
    ["UPLOAD_TTL_SECONDS", String(6 * DAY + 1)],
    ["GC_GRACE_SECONDS", "59"],
    ["EVENT_RETENTION_SECONDS", "day"],
    ["LOG_LEVEL", "trace"],
    ["STORAGE", "tape"],
    ["S3_ENDPOINT", "s3.example.com"],
    ["S3_ENDPOINT", "ftp://s3.example.com"],
    ["BLOB_REDIRECT", "2"],
    ["SECRETS_KEY", "c2hvcnQ="],
    ["OUTBOUND_PRIVATE", "maybe"],
  ])("%s=%s is refused in one line that names it", (name, value) => {
    const error = failure({ [name]: value });
    expect(error.message.startsWith(`${name}: `)).toBe(true);
    expect(error.message).not.toContain("\n");
  });

  it("that is secret is not repeated", () => {
    expect(failure({ ADMIN_PASSWORD: "hunter2" }).message).not.toContain("hunter2");
  });
});

describe("settings that belong together", () => {
  it("join to a bucket, whose address has no slash at the end", () => {
    expect(parseConfig({ ...S3, S3_ENDPOINT: "http://127.0.0.1:9000//", S3_REGION: "eu" }).s3).toEqual({
      endpoint: "http://127.0.0.1:9000",
      bucket: "bucket",
      region: "eu",
      accessKeyId: "key",
      secretAccessKey: "secret",
    });
  });

  it.each(Object.keys(S3))("are no bucket without %s", (missing) => {
    const variables = { ...S3, [missing]: "" };
    expect(parseConfig(variables).s3).toBeUndefined();
    expect(failure({ ...variables, STORAGE: "s3" }).message).toBe(`${missing}: required by STORAGE=s3`);
    expect(failure({ ...variables, BLOB_REDIRECT: "true" }).message).toBe(`${missing}: required by BLOB_REDIRECT`);
  });

  it.each(["r2", "s3"])("redirect with STORAGE=%s", (STORAGE) => {
    expect(parseConfig({ ...S3, STORAGE, BLOB_REDIRECT: "true" }).BLOB_REDIRECT).toBe(true);
  });

  it("do not redirect to files", () => {
    const error = failure({ ...S3, STORAGE: "filesystem", BLOB_REDIRECT: "true" });
    expect(error.message).toMatch(/^BLOB_REDIRECT: /);
  });
});

function failure(variables: Record<string, string>): Error {
  try {
    parseConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error("expected a ConfigError");
}
