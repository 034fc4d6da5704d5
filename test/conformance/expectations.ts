import { expect } from "vitest";
import { type Answer, type ErrorEntry, json, type Repository, text } from "./registry-client.ts";

/** Values of headers; `null` is a header that must not be there. */
export type ExpectedHeaders = Readonly<Record<string, string | RegExp | null>>;

/** Checks the status, some headers, and what every answer of the API has. */
export function expectAnswer(answer: Answer, status: number, headers: ExpectedHeaders = {}): void {
  const shown = answer.bytes.byteLength < 2000 ? text(answer) : `${answer.bytes.byteLength} bytes`;
  expect(answer.status, `${answer.request} answered ${answer.status} ${shown}`).toBe(status);
  // Docker Registry HTTP API V2, "API Version Check": clients tell a registry from a web server by it.
  expect(answer.headers.get("docker-distribution-api-version"), `${answer.request} names the API`).toBe("registry/2.0");
  for (const [name, expected] of Object.entries(headers)) {
    const actual = answer.headers.get(name);
    const message = `${answer.request}: header ${name}`;
    if (expected instanceof RegExp) expect(actual, message).toMatch(expected);
    else expect(actual, message).toBe(expected);
  }
}

/** What an error says. */
export interface ExpectedError {
  readonly status: number;
  readonly code: string;
  readonly message?: string | RegExp;
  readonly headers?: ExpectedHeaders;
}

/** Checks an error answer in full, and resolves to its only entry. @see spec.md, section "Error Codes" */
export function expectError(answer: Answer, expected: ExpectedError): ErrorEntry {
  expectAnswer(answer, expected.status, { "content-type": /^application\/json/, ...expected.headers });
  const { errors, ...rest } = json(answer) as { readonly errors: readonly ErrorEntry[] };
  expect(rest).toEqual({});
  expect(errors).toHaveLength(1);
  const entry = errors[0] ?? { code: "", message: "", detail: undefined };
  expect(entry.code, text(answer)).toBe(expected.code);
  if (expected.message instanceof RegExp) expect(entry.message).toMatch(expected.message);
  else if (expected.message !== undefined) expect(entry.message).toBe(expected.message);
  return entry;
}

/** Checks the bytes of an answer; a difference is told by position, not by printing both. */
export function expectBytes(answer: Answer, expected: Uint8Array): void {
  expect(answer.bytes.byteLength, `${answer.request}: length`).toBe(expected.byteLength);
  expect(Buffer.compare(answer.bytes, expected), `${answer.request}: bytes`).toBe(0);
}

/** Checks that a repository holds a blob whole: what `HEAD` says and what `GET` brings. */
export async function expectBlob(
  repository: Repository,
  blob: { readonly digest: string; readonly bytes: Uint8Array },
): Promise<void> {
  const headers = { "content-length": String(blob.bytes.byteLength), "docker-content-digest": blob.digest };
  expectAnswer(await repository.send("HEAD", `blobs/${blob.digest}`), 200, headers);
  const got = await repository.send("GET", `blobs/${blob.digest}`);
  expectAnswer(got, 200, headers);
  expectBytes(got, blob.bytes);
}

/** Checks that a path below the repository answers 404, by `HEAD`. */
export async function expectAbsent(repository: Repository, path: string): Promise<void> {
  expectAnswer(await repository.send("HEAD", path), 404);
}
