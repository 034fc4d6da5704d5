import { describe, expect, it } from "vitest";
import { errorResponse, failureResponse } from "./errors.ts";

interface ErrorBody {
  readonly errors: readonly { readonly message: string; readonly detail: unknown }[];
}

async function first(response: Response) {
  const body: ErrorBody = await response.json();
  return body.errors[0];
}

describe("an error's body is bounded, whatever the request was", () => {
  it("cuts a text that came with the request", async () => {
    const error = await first(errorResponse("TAG_INVALID", { detail: "t".repeat(16_000) }));
    expect(error?.detail).toBe(`${"t".repeat(500)}…`);
  });

  it("cuts a long message and the list of what is missing", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const missing = Array.from({ length: 10_000 }, () => digest as never);
    const error = await first(failureResponse({ reason: "manifest-references-unknown", missing }));
    expect(error?.message.length).toBeLessThan(2100);
    expect(error?.detail).toHaveLength(100);
  });

  it("leaves what is short as it is", async () => {
    const error = await first(errorResponse("DIGEST_INVALID", { detail: { expected: "a", actual: "b" } }));
    expect(error?.detail).toEqual({ expected: "a", actual: "b" });
  });
});
