import { describe, expect, it } from "vitest";
import { parseContentRange, parseRange, uploadRange } from "./byte-range.ts";

describe("parseRange", () => {
  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=0-9", 0, 10],
    ["bytes=0-", 0, 10],
    ["bytes=3-5", 3, 3],
    ["bytes=9-", 9, 1],
    ["bytes=9-100", 9, 1],
    ["bytes=-1", 9, 1],
    ["bytes=-10", 0, 10],
    ["bytes=-100", 0, 10],
    ["bytes= 2-3", 2, 2],
  ])("%s of 10 bytes", (header, offset, length) => {
    expect(parseRange(header, 10)).toEqual({ kind: "part", range: { offset, length } });
  });

  it.each([
    null,
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=1-b",
    "bytes=1",
    "bytes=0-1,3-4",
    "bytes=1-2-3",
    "bytes=--1",
    "bytes=+1-2",
    "bytes=0x1-2",
    "bytes=1.0-2",
    "items=0-1",
    "bytes=1000000000000000000000-",
  ])("%j asks for nothing this server honours", (header) => {
    expect(parseRange(header, 10)).toEqual({ kind: "whole" });
  });

  it.each(["bytes=10-", "bytes=10-20", "bytes=5-3", "bytes=-0", "bytes=999999999999999-"])(
    "%s of 10 bytes cannot be met",
    (header) => {
      expect(parseRange(header, 10)).toEqual({ kind: "unsatisfiable" });
    },
  );

  it.each(["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"])("%s of nothing cannot be met", (header) => {
    expect(parseRange(header, 0)).toEqual({ kind: "unsatisfiable" });
  });
});

describe("parseContentRange", () => {
  it.each([
    ["0-9", 0, 9],
    ["10-10", 10, 10],
    ["bytes 0-9/10", 0, 9],
    ["bytes 5-9/*", 5, 9],
    ["0-9/10", 0, 9],
    ["bytes=0-4", 0, 4],
  ])("%s", (header, first, last) => {
    expect(parseContentRange(header)).toEqual({ first, last });
  });

  it.each(["", "-", "0-", "-9", "a-b", "bytes */10", "bytes=0-", "bits=0-9", "0-9-10", "1", "0 - 9", "9-0", "1e1-20"])(
    "refuses %j",
    (header) => {
      expect(parseContentRange(header)).toBeUndefined();
    },
  );
});

describe("uploadRange", () => {
  it.each([
    [0, "0-0"],
    [1, "0-0"],
    [2, "0-1"],
    [8_388_608, "0-8388607"],
  ])("of %i bytes", (size, header) => {
    expect(uploadRange(size)).toBe(header);
  });
});
