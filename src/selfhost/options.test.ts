import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../platform/config.ts";
import { readOptions, type SelfHostOptions } from "./options.ts";

const PASSWORD = { ADMIN_PASSWORD: "long enough" };

describe("readOptions", () => {
  it("serves loopback, from a folder here, open to this machine, when nothing is said", () => {
    expect(read([], {})).toEqual({
      host: "127.0.0.1",
      port: 8787,
      data: path.resolve(".entrepot"),
      tls: false,
      front: false,
      settings: { STORAGE: "filesystem", EDGE_CACHE: "false", OUTBOUND_PRIVATE: "allow", ACCESS: "open" },
      open: true,
      addressUnknown: false,
      uploadLifetime: 86_400_000,
    });
  });

  it("takes the environment", () => {
    const options = read([], { HOST: "::1", PORT: "5000", DATA_DIR: "data", LOG_LEVEL: "warn", PATH: "/bin" });
    expect(options).toMatchObject({ host: "::1", port: 5000, data: path.resolve("data") });
    expect(options.settings).toEqual({
      STORAGE: "filesystem",
      EDGE_CACHE: "false",
      OUTBOUND_PRIVATE: "allow",
      ACCESS: "open",
      LOG_LEVEL: "warn",
    });
  });

  it("takes flags before the environment", () => {
    const args = ["--host", "localhost", "--port=0", "--data", path.resolve("there"), "--tls"];
    expect(read(args, { HOST: "0.0.0.0", PORT: "5000", DATA_DIR: "here" })).toMatchObject({
      host: "localhost",
      port: 0,
      data: path.resolve("there"),
      tls: true,
      front: true,
    });
  });

  it("takes an empty variable for one that is not set", () => {
    const options = read([], { HOST: "", PORT: "", DATA_DIR: "", ADMIN_PASSWORD: "", READ_ONLY: "", STORAGE: "" });
    expect(options).toEqual(read([], {}));
  });

  it("lets the environment choose what it has a default for", () => {
    expect(read([], { STORAGE: "r2", EDGE_CACHE: "true" }).settings).toMatchObject({
      STORAGE: "r2",
      EDGE_CACHE: "true",
    });
  });

  it.each([
    ["a password, and nothing that tells addresses", [], PASSWORD, true],
    ["users of a setting", [], { HTPASSWD: `alice:$2b$04$${"a".repeat(53)}` }, true],
    ["no password", [], {}, false],
    ["a proxy that tells them", [], { ...PASSWORD, CLIENT_ADDRESS_HEADER: "x-real-ip" }, false],
    ["a front of its own", ["--tls"], PASSWORD, false],
    ["clients from elsewhere", ["--host", "0.0.0.0"], PASSWORD, false],
  ])("knows whether addresses are unknown: %s", (_what, args, env, unknown) => {
    expect(read(args, env).addressUnknown).toBe(unknown);
  });

  it.each(["--help", "-h"])("only helps with %s", (flag) => {
    expect(readOptions([flag], {})).toBeUndefined();
  });

  it("asks for credentials when there is a password", () => {
    const options = read([], PASSWORD);
    expect(options.open).toBe(false);
    expect(options.settings["ACCESS"]).toBeUndefined();
  });
});

describe("addresses", () => {
  it.each(["127.0.0.1", "127.0.0.2", "::1", "localhost"])("%s is this machine", (host) => {
    expect(read(["--host", host], {}).open).toBe(true);
  });

  it.each(["0.0.0.0", "::", "192.168.1.2", "registry.example.com", "127.example.com", "localhost.example.com", ""])(
    "%j needs a password",
    (host) => {
      expect(failure(["--host", host], {})).toMatch(/^ADMIN_PASSWORD: required/);
      expect(failure(["--host", host], { ACCESS: "open" })).toMatch(/^ADMIN_PASSWORD: required/);
      expect(read(["--host", host], PASSWORD)).toMatchObject({ host, open: false, front: true });
    },
  );

  it("from the environment need a password as well", () => {
    expect(failure([], { HOST: "0.0.0.0" })).toMatch(/^ADMIN_PASSWORD: required to listen on 0\.0\.0\.0/);
  });
});

describe("credentials", () => {
  const ENTRY = "alice:$2y$05$abcdefghijklmnopqrstuuWcKmUBwqdOaHpBdS8kbiT0zbkZ.gTxa";
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "entrepot-options-"));
    file = path.join(folder, "users");
    writeFileSync(file, `${ENTRY}\n`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("may be a file of users", () => {
    const options = read(["--host", "0.0.0.0"], { HTPASSWD_FILE: file });
    expect(options).toMatchObject({ open: false, settings: { HTPASSWD: ENTRY } });
    expect(options.settings["ACCESS"]).toBeUndefined();
    expect(options.settings["HTPASSWD_FILE"]).toBeUndefined();
  });

  it("may be users of both", () => {
    expect(read([], { HTPASSWD_FILE: file, HTPASSWD: "bob:x" }).settings["HTPASSWD"]).toBe(`bob:x\n${ENTRY}`);
  });

  it("are not in a file that is empty", () => {
    writeFileSync(file, "\n");
    expect(read([], { HTPASSWD_FILE: file }).open).toBe(true);
    expect(failure(["--host", "0.0.0.0"], { HTPASSWD_FILE: file })).toMatch(/^ADMIN_PASSWORD: required/);
  });

  it.each(["missing", "."])("in a file that cannot be read (%s) stop the start", (name) => {
    const text = failure([], { HTPASSWD_FILE: path.join(folder, name), ...PASSWORD });
    expect(text).toMatch(/^HTPASSWD_FILE: \/.* cannot be read \((?:ENOENT|EISDIR)\)$/);
  });

  it("may be those of an external token service", () => {
    const external = {
      TOKEN_REALM: "https://auth.example.com/token",
      TOKEN_ISSUER: "auth",
      TOKEN_JWKS_URL: "https://auth.example.com/jwks",
    };
    expect(read(["--host", "0.0.0.0"], external)).toMatchObject({ open: false, front: true });
  });

  it("are asked for, though there are none, if that is wanted", () => {
    expect(read(["--host", "0.0.0.0"], { ACCESS: "closed" })).toMatchObject({ open: false });
    expect(read([], { ACCESS: "closed" })).toMatchObject({ open: false, settings: { ACCESS: "closed" } });
  });

  it("may be silly on this machine, and nowhere else", () => {
    expect(read([], { ACCESS: "silly" })).toMatchObject({ open: false, settings: { ACCESS: "silly" } });
    expect(failure(["--host", "0.0.0.0"], { ACCESS: "silly" })).toMatch(/^ACCESS: silly /);
    expect(failure(["--host", "0.0.0.0"], { ACCESS: "silly", ...PASSWORD })).toMatch(/^ACCESS: silly /);
  });
});

describe("what is wrong is one line that names it", () => {
  it.each<[string[], NodeJS.ProcessEnv, RegExp]>([
    [["--port", "no"], {}, /^PORT: not a port number: no$/],
    [["--port", "65536"], {}, /^PORT: /],
    [["--port=-1"], {}, /^PORT: /],
    [["--port", "80.5"], {}, /^PORT: /],
    [["--port", ""], {}, /^PORT: /],
    [["--port", "0x50"], {}, /^PORT: /],
    [[], { PORT: "http" }, /^PORT: not a port number: http$/],
    [["--prot", "80"], {}, /--prot.*--help/],
    [["serve"], {}, /serve.*--help/],
    [["--tls=yes"], {}, /--tls.*--help/],
    [[], { ADMIN_PASSWORD: "short" }, /^ADMIN_PASSWORD: /],
    [[], { STORAGE: "tape" }, /^STORAGE: /],
    [[], { STORAGE: "s3" }, /^S3_ENDPOINT: required by STORAGE=s3$/],
    [[], { BLOB_REDIRECT: "true" }, /^S3_ENDPOINT: required by BLOB_REDIRECT$/],
  ])("%j %j", (args, env, message) => {
    const text = failure(args, env);
    expect(text).toMatch(message);
    expect(text).not.toContain("\n");
  });
});

function read(args: readonly string[], env: NodeJS.ProcessEnv): SelfHostOptions {
  const options = readOptions(args, env);
  if (options === undefined) throw new Error("only helped");
  return options;
}

function failure(args: readonly string[], env: NodeJS.ProcessEnv): string {
  try {
    readOptions(args, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("expected a ConfigError");
}
