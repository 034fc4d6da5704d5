import type { ByteRange } from "../content/index.ts";

export type RangeRequest =
  /** Send everything: no range was asked for, or none that this server honours. */
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

const WHOLE: RangeRequest = { kind: "whole" };
const UNSATISFIABLE: RangeRequest = { kind: "unsatisfiable" };

/**
 * Parses the `Range` header of a request for `size` bytes. Several ranges and units other than bytes are ignored, as
 * RFC 9110 section 14.2 allows; a range that cannot be met is `unsatisfiable`, and so is one that ends before it begins.
 */
export function parseRange(header: string | null, size: number): RangeRequest {
  if (header === null || !header.startsWith("bytes=") || header.includes(",")) return WHOLE;
  const [first = "", last, ...rest] = header.slice("bytes=".length).trim().split("-");
  if (last === undefined || rest.length > 0 || !isDigits(first) || !isDigits(last) || (first === "" && last === ""))
    return WHOLE;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? UNSATISFIABLE : { kind: "part", range: { offset: size - length, length } };
  }
  const offset = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (offset >= size || end < offset) return UNSATISFIABLE;
  return { kind: "part", range: { offset, length: end - offset + 1 } };
}

/** Where a chunk of an upload belongs; the last byte is included. */
export interface ChunkRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Parses the `Content-Range` of a chunk, `<first>-<last>`; the form of RFC 9110, `bytes <first>-<last>/<size>`, is
 * taken as well, and so is that of a `Range`, `bytes=<first>-<last>`, which some clients send. `undefined` if it is none.
 */
export function parseContentRange(header: string): ChunkRange | undefined {
  const text = header.startsWith("bytes ") || header.startsWith("bytes=") ? header.slice("bytes ".length) : header;
  const [range = ""] = text.split("/");
  const [first = "", last = "", ...rest] = range.trim().split("-");
  if (rest.length > 0 || first === "" || last === "" || !isDigits(first) || !isDigits(last)) return undefined;
  const chunk = { first: Number(first), last: Number(last) };
  return chunk.last < chunk.first ? undefined : chunk;
}

/** The `Range` header of an upload that holds `size` bytes. An empty one says `0-0`, as Docker's registry does. */
export function uploadRange(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}

function isDigits(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length <= 15;
}
