import { describe, expect, it } from "vitest";
import { checkAnnotations, checkLabels, checkMeta, checkName, checkNamespaceName, generatedName } from "./names.ts";

describe("checkName", () => {
  it.each(["a", "a1", "a-b.c-d", "0", "a".repeat(253)])("takes %s", (name) => expect(checkName(name)).toEqual([]));

  it.each(["A", "a_b", "-a", "a-", "a..b", ".a", "a/b", "a b", "é", "a\n"])("refuses %j", (name) => {
    const [cause] = checkName(name);
    expect(cause?.reason).toBe("FieldValueInvalid");
    expect(cause?.field).toBe("metadata.name");
    expect(cause?.message).toContain(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters",
    );
  });

  it("refuses what is too long or missing", () => {
    expect(checkName("a".repeat(254))[0]?.message).toContain("must be no more than 253 characters");
    expect(checkName("")[0]?.reason).toBe("FieldValueRequired");
  });
});

describe("checkNamespaceName", () => {
  it.each(["team-a", "a__b", "a_b", "a.b", "a---b", "a".repeat(63)])("takes %s", (name) => {
    expect(checkNamespaceName(name)).toEqual([]);
  });
  it.each(["", "A", "a___b", "a..b", "-a", "a-", "a/b", "a".repeat(64)])("refuses %j", (name) => {
    expect(checkNamespaceName(name)).toHaveLength(1);
  });
});

describe("generatedName", () => {
  it("adds five characters to at most 58", () => {
    expect(generatedName("task-", () => 0)).toBe("task-bbbbb");
    expect(generatedName("a".repeat(100), () => 0.999_999)).toBe(`${"a".repeat(58)}99999`);
  });
});

describe("metadata", () => {
  it("takes what Kubernetes takes", () => {
    const owner = { apiVersion: "v1", kind: "Task", name: "a", uid: "u" };
    const metadata = {
      generateName: "task-",
      labels: { a: "", "example.com/b": "c" },
      annotations: { "Example.com/Note": "any\ntext" },
      finalizers: ["example.com/hold", "orphan"],
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, uid: "v", controller: false },
      ],
    };
    expect(checkMeta(metadata)).toEqual([]);
    expect(checkMeta({})).toEqual([]);
  });

  it.each([
    [{ generateName: "-" }, "metadata.generateName"],
    [{ labels: { "a b": "c" } }, "metadata.labels"],
    [{ labels: { a: "-" } }, "metadata.labels"],
    [{ labels: { a: 1 } }, "metadata.labels.a"],
    [{ labels: [] }, "metadata.labels"],
    [{ annotations: { "": "x" } }, "metadata.annotations"],
    [{ finalizers: ["a b"] }, "metadata.finalizers[0]"],
    [{ finalizers: [1] }, "metadata.finalizers[0]"],
    [{ finalizers: "a" }, "metadata.finalizers"],
    [{ ownerReferences: [{ apiVersion: "v1", kind: "Task", name: "a" }] }, "metadata.ownerReferences[0].uid"],
    [{ ownerReferences: [7] }, "metadata.ownerReferences[0]"],
  ])("refuses %j", (metadata, field) => {
    expect(checkMeta(metadata).map((cause) => cause.field)).toEqual([field]);
  });

  it("refuses two controllers", () => {
    const owner = { apiVersion: "v1", kind: "Task", name: "a", uid: "u", controller: true };
    expect(checkMeta({ ownerReferences: [owner, { ...owner, uid: "v" }] })).toHaveLength(1);
  });

  it("bounds annotations as a whole", () => {
    const half = "é".repeat(64 * 1024);
    expect(checkAnnotations({ a: half })).toEqual([]);
    expect(checkAnnotations({ a: half, b: half })[0]?.reason).toBe("FieldValueTooLong");
    expect(checkLabels(undefined)).toEqual([]);
  });
});
