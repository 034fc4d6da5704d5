import { describe, expect, it } from "vitest";
import type { ResourceInput } from "../resources/index.ts";
import { takePassword } from "./write-only-password.ts";

const SHOWN = new Set(["displayName", "disabled"]);
const PASSWORD = "correct horse battery";
const NOTE = "kubectl.kubernetes.io/last-applied-configuration";

function user(spec: unknown, metadata: object = {}): ResourceInput {
  return { apiVersion: "v1", kind: "User", metadata: { name: "alice", ...metadata }, spec };
}

describe("the password of a user", () => {
  it("is taken out of the spec", () => {
    const { object, password } = takePassword(user({ password: PASSWORD, displayName: "A" }), SHOWN);
    expect(password).toBe(PASSWORD);
    expect(object).toEqual(user({ displayName: "A" }));
  });

  it.each([
    [undefined, undefined],
    [null, undefined],
    ["", ""],
  ])("may be %j", (given, expected) => {
    expect(takePassword(user({ password: given }), SHOWN)).toMatchObject({ password: expected, causes: [] });
  });

  it.each([
    ["a note", JSON.stringify({ kind: "User", spec: { password: PASSWORD, displayName: "A" } })],
    ["a note with another name for it", JSON.stringify({ spec: { pasword: PASSWORD } })],
    ["a note that is no JSON", `{"spec":{"password":"${PASSWORD}"`],
    ["a note that is a text", JSON.stringify(PASSWORD)],
    ["a note whose spec is a text", JSON.stringify({ spec: PASSWORD })],
    ["a note with it elsewhere", JSON.stringify({ password: PASSWORD, status: { password: PASSWORD } })],
  ])("is taken out of %s", (_what, note) => {
    const { object, causes } = takePassword(user({ password: PASSWORD }, { annotations: { [NOTE]: note } }), SHOWN);
    expect(causes).toEqual([]);
    expect(JSON.stringify(object)).not.toContain(PASSWORD);
  });

  it("is owned by nobody", () => {
    const entry = (fieldsV1: object) => ({ manager: "ci", operation: "Apply", time: "2026-01-01T00:00:00Z", fieldsV1 });
    const managedFields = [
      entry({ "f:spec": { "f:password": {}, "f:displayName": {} } }),
      entry({ "f:spec": { "f:password": {} } }),
    ];
    const { object } = takePassword(user({ password: PASSWORD }, { managedFields }), SHOWN);
    expect(object.metadata.managedFields).toEqual([entry({ "f:spec": { "f:displayName": {} } }), entry({})]);
  });

  it.each([
    ["too short", "1234567", "at least 8"],
    ["too long", "x".repeat(1025), "at most 1024"],
    ["long in bytes", "é".repeat(600), "at most 1024"],
    ["a number", 1_234_567_890, "must be a string"],
    ["an object", { password: "hidden-in-here" }, "must be a string"],
    ["an API key", `ent_abcdefgh2345_${"A".repeat(43)}`, "must not look like"],
    ["text with control characters", "abc\u0000defgh", "control"],
  ])("is refused if it is %s, without being quoted", (_what, password, message) => {
    const { object, password: taken, causes } = takePassword(user({ password }), SHOWN);
    expect(taken).toBeUndefined();
    expect(causes).toEqual([expect.objectContaining({ message: expect.stringContaining(message) as string })]);
    expect(JSON.stringify([object, causes])).not.toMatch(/x{20}|hidden-in-here|1234567|ent_/);
  });

  it.each([
    ["as it is", PASSWORD],
    ["in base64", btoa(PASSWORD)],
  ])("must not be in an annotation %s", (_what, text) => {
    const { causes } = takePassword(user({ password: PASSWORD }, { annotations: { note: `pw ${text}` } }), SHOWN);
    expect(causes).toEqual([expect.objectContaining({ field: "metadata.annotations[note]" })]);
    expect(JSON.stringify(causes)).not.toContain(PASSWORD);
  });
});
