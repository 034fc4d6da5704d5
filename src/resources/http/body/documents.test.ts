import { describe, expect, it } from "vitest";
import { parseDocuments } from "./documents.ts";

let rests = 0;
const parse = (text: string) => parseDocuments(text, async () => void (rests += 1));

describe("parseDocuments", () => {
  it("splits YAML, skips what is empty, and knows the lines", async () => {
    const text = '# first\n---\na: 1\n---\n---\n# only a note\n---\n\nb:\n  - c\n...\n---\n{"d": 1}\n';
    expect(await parse(text)).toEqual({
      documents: [
        { object: { a: 1 }, line: 3 },
        { object: { b: ["c"] }, line: 9 },
        { object: { d: 1 }, line: 13 },
      ],
      errors: [],
    });
  });

  it("splits JSON, with tabs as they may be", async () => {
    const text = '{\n\t"a":\t1\n}\n{"b": [2]}';
    expect(await parse(text)).toEqual({
      documents: [
        { object: { a: 1 }, line: 1 },
        { object: { b: [2] }, line: 4 },
      ],
      errors: [],
    });
  });

  it("says where faults are in the whole text, and reads the rest", async () => {
    const text = 'a: 1\n---\nb: 1\nb: 2\n---\n- c\n---\nd: {__proto__: 1}\n---\ne: 1\n---\nf: "x\n';
    const { documents, errors } = await parse(text);
    expect(documents).toEqual([
      { object: { a: 1 }, line: 1 },
      { object: { e: 1 }, line: 10 },
    ]);
    expect(errors.map(({ line, column }) => [line, column])).toEqual([
      [4, 1],
      [6, 1],
      [8, 5],
      [expect.any(Number), expect.any(Number)],
    ]);
    expect(errors[0]?.message).toBe('the key "b" is there twice');
    expect(errors.at(-1)?.line).toBeGreaterThanOrEqual(12);
  });

  it("finds duplicates in JSON", async () => {
    expect(await parse('{"a": {\n  "b": 1,\n  "b": 2}}')).toEqual({
      documents: [],
      errors: [{ message: '"a.b" is there twice', line: 3, column: 3 }],
    });
    expect((await parse('{"a": {"constructor": 1}}')).errors).toMatchObject([{ line: 1, column: 8 }]);
  });

  it("counts lines that end as they do on Windows", async () => {
    const { documents, errors } = await parse("a: 1\r\n---\r\nb: 1\r\nc: [\r\n---\r\nd: 1\r\n");
    expect(documents[0]).toEqual({ object: { a: 1 }, line: 1 });
    expect(errors.length).toBeGreaterThan(0);
  });

  it("takes a thousand documents", async () => {
    const text = "---\na: 1\n".repeat(400);
    expect((await parse(text)).documents).toHaveLength(400);
    const more = await parse(`${text}---\na: 1\n`);
    expect(more.documents).toHaveLength(400);
    expect(more.errors).toEqual([{ message: "more than 400 documents", line: 802, column: 1 }]);
  });

  it("is empty for nothing", async () => {
    expect(await parse("")).toEqual({ documents: [], errors: [] });
    expect(await parse("---\n---\n# x\n")).toEqual({ documents: [], errors: [] });
  });

  it.each([
    [
      "YAML",
      "---\nmetadata: { name: a, labels: { b: c } }\nspec:\n  list: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n".repeat(400),
      4,
    ],
    ["JSON", `{"a": "${"x".repeat(4000)}"}`.repeat(400), 4],
  ])("rests while it reads much %s", async (_what, text, least) => {
    rests = 0;
    expect((await parse(text)).documents).toHaveLength(400);
    expect(rests).toBeGreaterThanOrEqual(least);
    rests = 0;
    await parse(text.slice(0, text.length / 400));
    expect(rests).toBe(0);
  });
});
