import { describe, expect, it } from "vitest";
import { checkUserName } from "./user.ts";

describe("the name of a user", () => {
  it.each(["alice", "a", "alice.b", "alice_b", "alice@example.com", "alice+ci@example.com", "0", "x".repeat(80)])(
    "may be %s",
    (name) => {
      expect(checkUserName(name)).toEqual([]);
    },
  );

  it.each([
    "",
    "admin",
    "Alice",
    "system:masters",
    "system:serviceaccount:a:b",
    "team:ops",
    "a/b",
    "a b",
    "a%2fb",
    "..",
    "@a",
    "a.",
    "é",
    "a\n",
    "x".repeat(81),
  ])("is not %j", (name) => {
    expect(checkUserName(name)).toHaveLength(1);
  });
});
