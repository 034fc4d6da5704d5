import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { accessTests, readOnlyTests } from "./access.ts";
import { blob } from "./data.ts";
import { ERROR_CASES } from "./error-cases.ts";
import { expectAnswer, expectError } from "./expectations.ts";
import { INVALID_MANIFESTS } from "./invalid-manifests.ts";
import { basic, json, type Repository, text } from "./registry-client.ts";
import { useRegistry } from "./registry-fixture.ts";
import { pushBlob } from "./steps.ts";

const PASSWORD = "correct horse battery";
// Wrong passwords are tried on every path, one after the other.
const ENV = { ADMIN_PASSWORD: PASSWORD, LOGIN_ATTEMPTS: "1000" };
const fixture = useRegistry(ENV);
const admin = fixture.registry.with(basic("admin", PASSWORD));

describe.each([
  { table: "errors", cases: ERROR_CASES },
  { table: "manifests that are refused", cases: INVALID_MANIFESTS },
])("$table: code, status and message, and nothing changed (spec.md, Error Codes)", ({ cases }) => {
  test.each(cases)("$expected.status $expected.code: $title", async ({ prepare, expected }) => {
    const repository = admin.repository("error");
    const request = await prepare(repository);
    const before = await state(repository);
    const files = storedFiles();
    expectError(await request(), expected);
    expect(await state(repository)).toEqual(before);
    // What a refused request had stored is removed after its answer.
    await vi.waitFor(() => expect(storedFiles().filter((file) => !files.includes(file))).toEqual([]), 60_000);
  });
});

test("an answer to HEAD has no body, whatever went wrong (RFC 9110 section 9.3.2)", async () => {
  const repository = admin.repository("head");
  for (const [target, status] of [
    ["manifests/latest", 404],
    [`blobs/${blob().digest}`, 404],
    ["blobs/sha256:short", 400],
    ["manifests/-bad", 404],
    ["tags/list", 404],
    ["blobs/uploads/", 405],
  ] as const) {
    const answer = await repository.send("HEAD", target);
    expectAnswer(answer, status);
    expect(answer.bytes).toHaveLength(0);
  }
});

test("500 UNKNOWN: a blob whose file was lost; the answer tells nothing of the machine", async () => {
  const repository = admin.repository("lost");
  const lost = blob(54_321);
  await pushBlob(repository, lost);
  const files = storedFiles().filter((file) => statSync(file).size === lost.bytes.byteLength);
  expect(files).toHaveLength(1);
  for (const file of files) rmSync(file);
  const answer = await repository.send("GET", `blobs/${lost.digest}`);
  const entry = expectError(answer, { status: 500, code: "UNKNOWN", message: "unknown error" });
  expect(entry.detail).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
  expect(text(answer)).not.toContain(fixture.data);
});

accessTests(fixture.registry, admin, PASSWORD);
readOnlyTests(fixture, admin, ENV);

/** What the API shows of a repository. */
async function state(repository: Repository): Promise<unknown> {
  const tags = await repository.send("GET", "tags/list");
  const catalog = await admin.send("GET", "/v2/_catalog?n=1000");
  expectAnswer(catalog, 200);
  const listed = (json(catalog) as { readonly repositories: readonly string[] }).repositories.includes(repository.name);
  return { tags: text(tags), listed };
}

/** The objects on disk. */
function storedFiles(): string[] {
  const content = path.join(fixture.data, "content");
  return readdirSync(content, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
