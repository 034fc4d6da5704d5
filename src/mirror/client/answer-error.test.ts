import { describe, expect, it } from "vitest";
import { failureOf, parseErrorBody } from "./answer-error.ts";
import { testRegistry } from "./network.fixture.ts";

describe("what an answer means", () => {
  it.each([
    [408, "transient"],
    [425, "transient"],
    [429, "transient"],
    [499, "transient"],
    [500, "transient"],
    [503, "transient"],
    [522, "transient"],
    [401, "denied"],
    [403, "denied"],
    [404, "missing"],
    [409, "conflict"],
    [412, "conflict"],
    [405, "unsupported"],
    [415, "unsupported"],
    [400, "refused"],
    [413, "refused"],
    [302, "refused"],
  ] as const)("%i is %s", (status, failure) => {
    expect(failureOf(status, { code: "", message: "" })).toBe(failure);
  });

  it.each([
    [400, "DIGEST_INVALID", "", "corrupt"],
    [400, "MANIFEST_BLOB_UNKNOWN", "", "missing"],
    [
      400,
      "TAG_INVALID",
      "The image tag 'v1' already exists and cannot be overwritten because the tag is immutable.",
      "conflict",
    ],
    [400, "ThrottlingException", "", "transient"],
    [403, "TOOMANYREQUESTS", "", "transient"],
  ] as const)("%i with %s", (status, code, message, failure) => {
    expect(failureOf(status, { code, message })).toBe(failure);
  });
});

it.each<[string, string, string]>([
  [`{"errors":[{"code":"DENIED","message":"no"},{"code":"X"}]}`, "DENIED", "no"],
  [`{"errors":[{"code":"DENIED"}]}`, "DENIED", "DENIED"],
  [`{"details":"incorrect username or password"}`, "", "incorrect username or password"],
  [`{"error":"invalid_grant","error_description":"expired"}`, "", "expired"],
  [
    `{"__type":"com.amazonaws#RepositoryAlreadyExistsException","message":"there"}`,
    "RepositoryAlreadyExistsException",
    "there",
  ],
  [`{"errors":"what"}`, "", ""],
  ["<html>504</html>", "", ""],
  ["plain\n\u001b[31mtext", "", "plain [31mtext"],
  ["x".repeat(500), "", `${"x".repeat(199)}…`],
])("reads %j", (body, code, message) => {
  expect(parseErrorBody(body)).toEqual({ code, message });
});

it("names the registry, what was asked, the status and what it said, and when to come back", async () => {
  const { registry } = testRegistry(
    () =>
      new Response(`{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`, {
        status: 429,
        headers: { "retry-after": "7" },
      }),
  );
  await expect(registry.repository("a/b", "pull").head("v1")).rejects.toMatchObject({
    failure: "transient",
    retryAfter: 7000,
  });
  await expect(registry.repository("a/b", "pull").manifest("v1")).rejects.toMatchObject({
    message: "there: GET manifest a/b v1: status 429: slow down",
    status: 429,
  });
});
