import type { OutboundFailure } from "../platform/index.ts";
import { StatusError } from "../resources/index.ts";
import type { SourceAnswer } from "./adapter.ts";

/** The answer if it is a good one. @throws {StatusError} NotFound, ServiceUnavailable */
export function expectOk(answer: SourceAnswer): SourceAnswer {
  const { status } = answer;
  if (status >= 200 && status < 300) return answer;
  if (status === 404) throw new StatusError("NotFound", "the data source has nothing there");
  if (status === 401 || status === 403) {
    throw new StatusError("ServiceUnavailable", `the data source refused its credentials (${status})`);
  }
  throw new StatusError("ServiceUnavailable", `the data source answered ${status}`);
}

/** What a caller is told of a call that gave no answer. */
export function outboundError({ reason }: OutboundFailure): StatusError {
  switch (reason) {
    case "bad-address":
      return new StatusError("BadRequest", "the path leads outside of the data source");
    case "private-address":
      return new StatusError(
        "Forbidden",
        "the data source is at a private address, or redirects to one; OUTBOUND_PRIVATE decides whether those may be called, and no public one may redirect there",
      );
    case "timeout":
      return new StatusError("Timeout", "the data source did not answer in time");
    case "unreachable":
      return new StatusError("ServiceUnavailable", "the data source cannot be reached");
    case "bad-redirect":
      return new StatusError("ServiceUnavailable", "the data source redirects too often, or to outside of its address");
  }
}

/** A property of a parsed JSON value, or `undefined`. */
export function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** A list in a parsed JSON value, or an empty one. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
