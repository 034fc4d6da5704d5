import { describe, expect, it } from "vitest";
import { elementTexts, escapeXml } from "./xml.ts";

describe("elementTexts", () => {
  it.each([
    ["<A><Key>one</Key><Key>two</Key></A>", "Key", ["one", "two"]],
    ["<A><Key></Key></A>", "Key", [""]],
    ["<A><KeyCount>2</KeyCount><Key>one</Key></A>", "Key", ["one"]],
    ["<A><Key>cut off", "Key", []],
    ["", "Key", []],
    ["<A/>", "Key", []],
    ["<A><Key>a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;</Key></A>", "Key", [`a & b <c> "d" 'e'`]],
    ["<A><Key>&amp;lt;</Key></A>", "Key", ["&lt;"]],
    ["<A><Key>it&apos;s</Key></A>", "Key", ["it's"]],
    ["<A><Key>&#34;go&#34;&#x2F;</Key></A>", "Key", [`"go"/`]],
  ])("of %j", (xml, name, texts) => {
    expect(elementTexts(xml, name)).toEqual(texts);
  });

  it.each(["plain", "a&b", `<"tag">`, "&lt;", ""])("gives escaped text back: %j", (text) => {
    expect(elementTexts(`<T>${escapeXml(text)}</T>`, "T")).toEqual([text]);
  });
});
