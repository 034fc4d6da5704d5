import { describe, expect, it } from "vitest";
import { nextLink, parsePage } from "./pagination.ts";

describe("parsePage", () => {
  it.each([
    ["", { limit: 100, after: "" }],
    ["n=", { limit: 100, after: "" }],
    ["n=0", { limit: 0, after: "" }],
    ["n=1", { limit: 1, after: "" }],
    ["n=1000", { limit: 1000, after: "" }],
    ["n=1001", { limit: 1000, after: "" }],
    ["n=999999999999999", { limit: 1000, after: "" }],
    ["n=99999999999999999999", undefined],
    ["last=a%2Fb", { limit: 100, after: "a/b" }],
    ["n=5&last=b", { limit: 5, after: "b" }],
    ["n=-1", undefined],
    ["n=1.5", undefined],
    ["n=many", undefined],
    ["n=NaN", undefined],
    ["n=Infinity", undefined],
    ["n=1,2", undefined],
    ["n=%20", undefined],
    ["n=0x10", undefined],
  ])("%j", (query, page) => {
    expect(parsePage(new URLSearchParams(query), 100, 1000)).toEqual(page);
  });
});

describe("nextLink", () => {
  it("is a link that leads to the page after the last name", () => {
    const link = nextLink("/v2/a/tags/list", { n: "2", last: "v1&v2 <x>" });
    const [, target = ""] = /^<([^>]*)>; rel="next"$/.exec(link) ?? [];
    const url = new URL(target, "http://registry");
    expect(url.pathname).toBe("/v2/a/tags/list");
    expect(parsePage(url.searchParams, 100, 1000)).toEqual({ limit: 2, after: "v1&v2 <x>" });
  });
});
