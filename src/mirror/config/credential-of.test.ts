import { describe, expect, it } from "vitest";
import { credentialOf } from "./credential-of.ts";
import { registryEntrySchema } from "./entry-schemas.ts";

const KEY = "AKIAIOSFODNN7EXAMPLE";

describe("credentialOf", () => {
  it.each([
    [{}, { kind: "anonymous" }],
    [
      { username: "u", password: "p" },
      { kind: "basic", username: "u", password: "p" },
    ],
    [
      { username: "AWS", password: "p" },
      { kind: "basic", username: "AWS", password: "p" },
    ],
    [
      { username: KEY, password: "s" },
      { kind: "ecr", accessKeyId: KEY, secretAccessKey: "s" },
    ],
    [
      { username: KEY, password: "s", token: "t" },
      { kind: "ecr", accessKeyId: KEY, secretAccessKey: "s", sessionToken: "t" },
    ],
    [{ token: "t" }, { kind: "token", token: "t" }],
    [
      { token: "t", username: "u" },
      { kind: "identity", token: "t", username: "u" },
    ],
    [
      { token: "t", type: "acr" },
      { kind: "acr", accessToken: "t" },
    ],
  ])("%j", (fields, expected) => {
    expect(credentialOf({ name: "x", ...registryEntrySchema.parse(fields) })).toEqual(expected);
  });
});
