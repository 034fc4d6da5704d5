import { describe, expect, it } from "vitest";
import { KEY_PREFIX, newObjectKey, objectKeyTime } from "./object-key.ts";

const NOW = Date.UTC(2026, 10, 20);

describe("object keys", () => {
  it("are opaque, fan out by their last two digits, and tell when they were made", () => {
    const key = newObjectKey(NOW);
    expect(key).toMatch(/^blobs\/([0-9a-f]{2})\/[0-9a-f-]{34}\1$/);
    expect(key.startsWith(KEY_PREFIX)).toBe(true);
    expect(objectKeyTime(key)).toBe(NOW);
  });

  it("are never the same twice", () => {
    expect(new Set(Array.from({ length: 1000 }, () => newObjectKey(NOW))).size).toBe(1000);
  });

  it("tell their time with the number of a part, too", () => {
    expect(objectKeyTime(`${newObjectKey(NOW)}.12`)).toBe(NOW);
  });

  it.each(["", "blobs/", "blobs/aa/", "blobs/aa/readme.txt", "sha256:00", "blobs/aa/not-a-uuid-at-all"])(
    "of another form tell no time: %j",
    (key) => {
      expect(objectKeyTime(key)).toBeUndefined();
    },
  );
});
