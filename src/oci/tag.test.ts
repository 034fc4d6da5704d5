import { describe, expect, it } from "vitest";
import { parseTag } from "./tag.ts";

describe("parseTag", () => {
  it.each(["latest", "v1.2.3", "1", "_", "_a", "A-B_c.d", "a".repeat(128), "a..b", "a--"])("takes %j", (text) => {
    expect(parseTag(text)).toBe(text);
  });

  it.each(["", ".a", "-a", "a b", "a/b", "a:b", "a+b", "a\n", "ä", "a".repeat(129), "a%20b", "\u0000"])(
    "refuses %j",
    (text) => {
      expect(parseTag(text)).toBeUndefined();
    },
  );
});
