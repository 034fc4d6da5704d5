import { describe, expect, it } from "vitest";
import { draftOf } from "./audit-record.ts";
import { RefusalLimit } from "./refusal-limit.ts";
import { repositoryEntry } from "../access/index.ts";

function refusal(occurredAt: number, name = "ann") {
  const outcome = { decision: { allowed: false, reason: "no role" }, status: 403 };
  const entry = repositoryEntry({ name, credential: { type: "password" } }, "pull", "a/b", outcome);
  return draftOf(entry, { occurredAt, requestId: "r", address: undefined, userAgent: null });
}

describe("RefusalLimit", () => {
  it("admits so many in a minute, and tells of the rest when it is over", () => {
    const limit = new RefusalLimit();
    const admitted = Array.from({ length: 10 }, (_, index) => limit.admits(refusal(index), [["ann", 3]]));
    expect(admitted.filter(Boolean)).toHaveLength(3);
    expect(limit.notes(59_999)).toEqual([]);
    expect(limit.notes(60_000)).toEqual([{ ...refusal(9), reason: "suppressed:7" }]);
    expect(limit.notes(60_000)).toEqual([]);
    expect(limit.admits(refusal(60_000), [["ann", 3]])).toBe(true);
  });

  it("counts each subject for itself, and has nothing to tell of who kept within", () => {
    const limit = new RefusalLimit();
    expect(limit.admits(refusal(0), [["ann", 1]])).toBe(true);
    expect(limit.admits(refusal(0, "bob"), [["bob", 1]])).toBe(true);
    expect(limit.admits(refusal(0), [["ann", 1]])).toBe(false);
    expect(limit.notes(60_000).map(({ identity, reason }) => [identity, reason])).toEqual([["ann", "suppressed:1"]]);
  });

  it("has room for as many as the smallest of several limits", () => {
    const limit = new RefusalLimit();
    const admitted = Array.from({ length: 6 }, (_, index) =>
      limit.admits(refusal(0), [
        [`address ${index}`, 2],
        ["all", 4],
      ]),
    );
    expect(admitted).toEqual([true, true, true, true, false, false]);
    expect(limit.notes(60_000)).toMatchObject([{ reason: "suppressed:2" }]);
  });

  it("tells of subjects early rather than remember any number of them", () => {
    const limit = new RefusalLimit();
    limit.admits(refusal(0), [["first", 0]]);
    for (let index = 0; index < 10_000; index += 1) limit.admits(refusal(0), [[`n${index}`, 1]]);
    expect(limit.notes(0)).toMatchObject([{ reason: "suppressed:1" }]);
  });
});
