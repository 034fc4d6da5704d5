import { describe, expect, it } from "vitest";
import { StatusError } from "../../status-error.ts";
import { type BodyOptions, decodeBody, type DecodedBody } from "./body.ts";

const LIMIT = 3 * 1024 * 1024;

function send(
  body: string | Uint8Array<ArrayBuffer>,
  type?: string,
  options: Partial<BodyOptions> = {},
): Promise<DecodedBody> {
  const headers = type === undefined ? {} : { "content-type": type };
  const request = new Request("http://x/", {
    method: "POST",
    headers,
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
  });
  return decodeBody(request, { limit: LIMIT, ...options });
}

async function refused(
  body: string | Uint8Array<ArrayBuffer>,
  type?: string,
  options?: Partial<BodyOptions>,
): Promise<string> {
  try {
    await send(body, type, options);
    return "none";
  } catch (error) {
    return error instanceof StatusError ? `${error.code} ${error.message}` : String(error);
  }
}

describe("decodeBody", () => {
  it.each([
    [undefined, "json"],
    ["application/json", "json"],
    ["application/json; charset=utf-8", "json"],
    ["Application/YAML", "yaml"],
    ["application/apply-patch+yaml", "apply-patch"],
    ["application/merge-patch+json", "merge-patch"],
    ["application/strategic-merge-patch+json", "strategic-merge-patch"],
  ])("reads %s", async (type, kindOfBody) => {
    expect(await send('{"a": {"b": [1, "\\u00e9", null]}}', type)).toEqual({
      object: { a: { b: [1, "é", null] } },
      duplicates: [],
      kindOfBody,
    });
  });

  it("reads YAML as YAML 1.2", async () => {
    const yaml = "# note\n---\na: yes\nb: 0o17\nc: &x [1]\nd: *x\n80: port\n";
    expect((await send(yaml, "application/yaml")).object).toEqual({ a: "yes", b: 15, c: [1], d: [1], 80: "port" });
    expect((await send("{a: b, c: [d]}", "application/apply-patch+yaml")).object).toEqual({ a: "b", c: ["d"] });
  });

  it("reads a list of operations, and nothing", async () => {
    expect((await send('[{"op":"remove","path":"/a"}]', "application/json-patch+json")).object).toHaveLength(1);
    expect((await send("")).object).toEqual({});
    expect((await decodeBody({ headers: new Headers(), body: null }, { limit: 1 })).object).toEqual({});
  });

  it("reports keys that are there twice; the last counts", async () => {
    const { object, duplicates } = await send('{"spec":{"x":1,"l":[{"y":1,"y":2}],"x":2}}');
    expect(object).toEqual({ spec: { x: 2, l: [{ y: 2 }] } });
    expect(duplicates).toEqual(["spec.l[0].y", "spec.x"]);
    expect((await send('{"a":1,"a":2}', "application/apply-patch+yaml")).duplicates).toEqual(["a"]);
  });

  it.each([
    ['{"a": 1,}', "application/json", "line 1, column 9: expected a key"],
    ['{\n  "a" 1}', "application/json", "line 2, column 7: expected"],
    ['{"a": tru}', "application/json", "line 1, column 7"],
    ['{"a": 01}', "application/json", "line 1, column 8"],
    ['{"a": "\t"}', "application/json", "control character"],
    ['{"a": "\\x"}', "application/json", "escape"],
    ['{"a": "', "application/json", "not closed"],
    ['{"a": 1e999}', "application/json", "too large"],
    ["{} {}", "application/json", "column 4: something follows"],
    ["   ", "application/json", "nothing in it"],
    ["[]", "application/json", "not an object"],
    ["{}", "application/json-patch+json", "not a list"],
    ["a: 1\nb: [\n", "application/yaml", "line "],
    ["a: 1\n b: 2\n", "application/yaml", "line "],
    ["a: 1\nb: 2\na: 3\n", "application/yaml", "line 3, column 1"],
    ["a: 1\n---\nb: 2\n", "application/yaml", "line 3, column 1: only one document"],
    ["a: .nan\n", "application/yaml", "line 1, column 4: a value that JSON does not have"],
    ["a: !!binary aGk=\n", "application/yaml", "line 1"],
    ["a: &x {b: 1}\nc:\n  <<: *x\n", "application/yaml", "line 3, column 3: merge keys"],
    ["a: *nope\n", "application/yaml", "line 1"],
    ["a: &a [*a]\n", "application/yaml", "levels"],
    ["# nothing\n", "application/yaml", "nothing in it"],
    ["? [a]\n: b\n", "application/yaml", "plain value"],
  ])("refuses %j as %s", async (body, type, message) => {
    const text = await refused(body, type);
    expect(text).toMatch(/^400 /);
    expect(text).toContain(message);
  });

  it.each(["__proto__", "constructor", "prototype"])("refuses the key %s", async (key) => {
    for (const type of ["application/json", "application/yaml", "application/apply-patch+yaml"]) {
      expect(await refused(`{"a": [{"${key}": {"x": 1}}]}`, type)).toMatch(/^400 .*line 1, column 9.*not allowed/);
    }
  });

  it("bounds nesting in every format", async () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    const json = "application/json";
    const yaml = "application/yaml";
    expect([await refused(nested(100), json), await refused(nested(101), json)]).toEqual([
      "none",
      expect.stringContaining("levels"),
    ]);
    expect([await refused(nested(100), yaml), await refused(nested(101), yaml)]).toEqual([
      "none",
      expect.stringContaining("levels"),
    ]);
    expect(await refused("[".repeat(1_000_000), yaml)).toMatch(/^400 /);
    expect(await refused(`a: ${"[".repeat(200_000)}`, yaml)).toMatch(/levels/);
    expect(await refused("- ".repeat(200_000), yaml)).toMatch(/levels/);
    const block = Array.from({ length: 100 }, (_, index) => `${" ".repeat(index)}a:\n`).join("");
    expect(await refused(block, yaml)).toBe("none");
    expect(await refused(`${block}${" ".repeat(100)}a:\n`, yaml)).toMatch(/levels/);
  });

  it("bounds what aliases repeat", async () => {
    const bomb = Array.from(
      { length: 9 },
      (_, index) => `a${index}: &a${index} [${index === 0 ? "x" : Array(9).fill(`*a${index - 1}`)}]`,
    );
    expect(await refused(bomb.join("\n"), "application/yaml")).toMatch(/^400 .*aliases repeat too much/);
  });

  it("bounds the YAML that takes longest to read", { timeout: 60_000 }, async () => {
    for (const text of ["&a ".repeat(20_000), "a: }".repeat(20_000), "#\n".repeat(300_000)]) {
      expect(await refused(text, "application/yaml")).toMatch(/^400 .*too much YAML/);
    }
  });

  it("bounds bodies and objects", async () => {
    expect(await refused(" ".repeat(LIMIT + 1))).toBe(`413 the request is too large: limit is ${LIMIT} bytes`);
    expect(await refused(`{"a":"${"x".repeat(1024 * 1024)}"}`)).toMatch(/^413 the object is too large/);
    expect(await refused(`{"a":"${"x".repeat(1024 * 1000)}"}${" ".repeat(1024 * 1024)}`)).toBe("none");
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    const decoding = decodeBody({ headers: new Headers(), body: endless }, { limit: LIMIT });
    await expect(decoding).rejects.toMatchObject({ reason: "RequestEntityTooLarge" });
  });

  it("names what it accepts", async () => {
    expect(await refused("{}", "text/plain")).toMatch(/^415 .*"text\/plain".*application\/json, application\/yaml/);
    expect(await refused("{}", "application/json", { accept: ["merge-patch", "apply-patch"] })).toMatch(
      /accepted media types include: application\/merge-patch\+json, application\/apply-patch\+yaml, application\/apply-patch\+json$/,
    );
    const encoded = { headers: new Headers({ "content-encoding": "gzip" }), body: null };
    await expect(decodeBody(encoded, { limit: 1 })).rejects.toMatchObject({ reason: "UnsupportedMediaType" });
  });

  it("refuses bytes that are no text", async () => {
    expect(await refused(new Uint8Array([0x7b, 0xff, 0x7d]))).toBe("400 the body is not UTF-8");
  });
});
