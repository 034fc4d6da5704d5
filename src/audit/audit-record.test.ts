import { describe, expect, it } from "vitest";
import { ANONYMOUS, type AuditEntry, failedSignInEntry, repositoryEntry, sessionEntry } from "../access/index.ts";
import { draftOf, isRecorded } from "./audit-record.ts";

const ANN = { name: "ann", credential: { type: "api-key", id: "abcdefgh2345" } } as const;
const NOBODY = { name: ANONYMOUS, credential: { type: "none" } } as const;
const SOURCE = { occurredAt: 1, requestId: "r", address: undefined, userAgent: null };
const KEY = `ent_abcdefgh2345_${"S".repeat(43)}`;
const JWT = `eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4ifQ.${"x".repeat(600)}`;

function entry(given: Partial<AuditEntry> = {}): AuditEntry {
  const outcome = { decision: { allowed: true, reason: "role" }, status: 201 };
  return { ...repositoryEntry(ANN, "push", "team-a/app", outcome), ...given };
}

describe("isRecorded", () => {
  it.each<[string, boolean, Partial<AuditEntry>, boolean]>([
    ["a push", false, {}, true],
    ["a pull", false, { verb: "pull" }, false],
    ["a pull, with reads", true, { verb: "pull" }, true],
    ["a list", false, { verb: "list" }, false],
    ["asking what one may do", false, { verb: "create", group: "authorization.k8s.io" }, false],
    ["looking up names", false, { verb: "connect", resource: "display" }, false],
    ["a refused pull", false, { verb: "pull", allowed: false }, true],
    ["a change of nobody, on an open server", false, { identity: NOBODY }, true],
    ["the challenge that a client begins with", true, { identity: NOBODY, verb: "pull", allowed: false }, false],
    ["a failed sign-in", false, failedSignInEntry(undefined, { type: "password" }, "wrong-password", 401), true],
    ["a sign-in", false, sessionEntry(ANN, "login", 200), true],
  ])("%s (reads: %s)", (_, reads, given, expected) => {
    expect(isRecorded(entry(given), { reads })).toBe(expected);
  });
});

describe("draftOf", () => {
  it("says who did what to which object, with which credential, from where", () => {
    const source = { occurredAt: 7, requestId: "r1", address: "192.0.2.1", userAgent: "docker/29" };
    expect(draftOf(entry(), source)).toEqual({
      occurredAt: 7,
      requestId: "r1",
      identity: "ann",
      credentialType: "api-key",
      credentialId: "abcdefgh2345",
      address: "192.0.2.1",
      userAgent: "docker/29",
      verb: "push",
      group: "content.entrepot.dev",
      resource: "repositories",
      subresource: "",
      namespace: "team-a",
      name: "team-a/app",
      allowed: true,
      reason: "role",
      status: 201,
    });
  });

  it("puts a repository without a namespace in the default one", () => {
    const outcome = { decision: { allowed: false, reason: "no role" }, status: 403 };
    expect(repositoryEntry(ANN, "pull", "app", outcome)).toMatchObject({ namespace: "default", name: "app" });
  });

  it("cuts what is long and takes out control characters", () => {
    const draft = draftOf(entry({ name: "n".repeat(600) }), {
      ...SOURCE,
      userAgent: `a\r\nb\u0000\u001b[31m\u202e${"c".repeat(300)}\ud800`,
    });
    expect(draft.name).toHaveLength(512);
    expect(draft.userAgent).toHaveLength(200);
    expect(draft.userAgent).toMatch(/^ab\[31mccc/);
  });

  it("has no half characters", () => {
    expect(draftOf(entry(), { ...SOURCE, userAgent: `${"a".repeat(199)}😀` }).userAgent).toBe(
      `${"a".repeat(199)}\ufffd`,
    );
  });

  it.each([
    ["an API key in the user agent", {}, `curl/8 ${KEY}`],
    ["an API key that the cut would halve", {}, `${"a".repeat(170)}${KEY}`],
    ["an API key with a control character in it", {}, `${KEY.slice(0, 30)}\u0007${KEY.slice(30)}`],
    ["a token in the user agent", {}, `curl/8 ${JWT}`],
    ["a token that the cut would halve", {}, `${"a".repeat(150)}${JWT}`],
    ["an API key as a name", { name: `team-a/${KEY}` }, null],
    ["a token as a namespace", { namespace: JWT }, null],
    ["a credential in a reason", { reason: `no: Basic ${"U".repeat(43)}` }, null],
    ["a bearer in a user agent", {}, `x Authorization: Bearer ${"S".repeat(43)}`],
  ])("never has %s", (_, given: Partial<AuditEntry>, userAgent) => {
    const text = JSON.stringify(draftOf(entry(given), { ...SOURCE, userAgent }));
    expect(text).toContain("(redacted)");
    expect(text).not.toMatch(/S{5}|U{5}|x{5}|eyJhbGci/);
  });

  it("does not keep what was typed as the name of an account that is not there", () => {
    const failed = failedSignInEntry(undefined, { type: "password" }, "wrong-password", 401);
    expect(draftOf(failed, SOURCE)).toMatchObject({ identity: ANONYMOUS, name: "(unknown)", resource: "sessions" });
  });
});
