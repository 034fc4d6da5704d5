import { describe, expect, it } from "vitest";
import { currentVersion, present, withCurrentVersion } from "./current-version.ts";
import { LAST_APPLIED, type ResourceObject } from "../resources/index.ts";
import { takeValue } from "./write-only.ts";

const object = (spec: unknown, annotations?: Record<string, string>) => ({
  apiVersion: "secret.entrepot.dev/v1",
  kind: "SecureValue",
  metadata: { name: "x", ...(annotations === undefined ? {} : { annotations }) },
  spec,
});

describe("taking the value", () => {
  it.each(["text", 5, false, { nested: "text" }, ["text"], ""])("%j leaves nothing of it", (value) => {
    const taken = takeValue(object({ value, description: "d" }));
    expect(taken.value).toBe(value);
    expect(taken.object.spec).toEqual({ description: "d" });
  });

  it.each([undefined, null, "text", [], { description: "d" }, { value: null }])("%j has none", (spec) => {
    expect(takeValue(object(spec)).value).toBeUndefined();
  });

  it("leaves nothing of it in the note of kubectl apply", () => {
    const note = JSON.stringify({
      ...object({ value: "s3cret", Value: "s3cret", decrypters: ["a"] }),
      extra: "s3cret",
    });
    const taken = takeValue(object({ value: "s3cret" }, { [LAST_APPLIED]: note, other: "kept" }));
    expect(JSON.stringify(taken.object)).not.toContain("s3cret");
    const { annotations } = taken.object.metadata;
    expect(annotations?.["other"]).toBe("kept");
    expect(JSON.parse(annotations?.[LAST_APPLIED] ?? "")).toEqual(object({ decrypters: ["a"] }));
  });

  it.each(['{"spec":{"value":"s3cret"', "s3cret", '["s3cret"]', '"s3cret"', '{"spec":"s3cret"}'])(
    "cleans a note that cannot be read: %s",
    (note) => {
      const taken = takeValue(object({ value: "s3cret" }, { [LAST_APPLIED]: note }));
      expect(JSON.stringify(taken.object)).not.toContain("s3cret");
    },
  );
});

describe("the version in use", () => {
  const id = "0192f0c1-2d3e-7abc-8def-0123456789ab";
  const stored = (current: Parameters<typeof withCurrentVersion>[1], spec: object = {}) =>
    withCurrentVersion(object(spec, { "secret.entrepot.dev/current": "99", a: "b" }), current) as ResourceObject;

  it("is what the platform wrote", () => {
    expect(currentVersion(stored({ version: 3, id }))).toEqual({ version: 3, id });
    expect(currentVersion(stored({ version: 3, id: undefined }))).toEqual({ version: 3, id: undefined });
    expect(currentVersion(stored(undefined))).toBeUndefined();
    expect(stored(undefined).metadata.annotations).toEqual({ a: "b" });
  });

  it.each(["", "x", "-1", "1/", "1/2", `1/${id}x`, "1e3"])("is not %j", (text) => {
    expect(
      currentVersion(object({}, { "secret.entrepot.dev/current": text }) as unknown as ResourceObject),
    ).toBeUndefined();
  });

  it("makes the status", () => {
    expect(present(stored({ version: 3, id })).status).toEqual({ version: 3, keeper: "system", externalID: id });
    const remote = stored({ version: 1, id: undefined }, { keeper: "vault", ref: "a#b", value: "leak" });
    expect(present(remote)).toMatchObject({
      spec: { keeper: "vault", ref: "a#b" },
      status: { keeper: "vault", externalID: "a#b" },
    });
    expect(JSON.stringify(present(remote))).not.toContain("leak");
  });
});
