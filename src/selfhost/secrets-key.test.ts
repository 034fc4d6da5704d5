import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../platform/config.ts";
import { ownSecretsKey } from "./secrets-key.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "entrepot-secrets-key-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("is made once, for its owner only", () => {
  const key = ownSecretsKey(folder);
  expect(parseConfig({ SECRETS_KEY: key }).SECRETS_KEY).toBe(key);
  expect(readdirSync(folder)).toEqual(["secrets-key"]);
  expect(statSync(path.join(folder, "secrets-key")).mode & 0o777).toBe(0o600);
  expect(ownSecretsKey(folder)).toBe(key);
  expect(readFileSync(path.join(folder, "secrets-key"), "utf8")).toBe(`${key}\n`);
});

it("may be a list", () => {
  const key = `next:${"B".repeat(43)}=,${ownSecretsKey(folder)}`;
  writeFileSync(path.join(folder, "secrets-key"), `${key}\n`);
  expect(ownSecretsKey(folder)).toBe(key);
});

it.each(["", "short", "a:b:c"])("is not replaced when it holds %j", (text) => {
  writeFileSync(path.join(folder, "secrets-key"), text);
  expect(() => ownSecretsKey(folder)).toThrow(ConfigError);
  expect(readFileSync(path.join(folder, "secrets-key"), "utf8")).toBe(text);
});
