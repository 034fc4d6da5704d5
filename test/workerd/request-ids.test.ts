import { createExecutionContext } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve } from "../../src/app.ts";
import type { Env } from "../../src/platform/index.ts";
import { bindings } from "./bindings.ts";

/** A deployment whose database is out of reach for good. */
const broken = {
  ...bindings,
  ADMIN_PASSWORD: "correct horse battery",
  DB: {
    prepare() {
      throw new Error("no database");
    },
    batch: () => Promise.reject(new Error("no database")),
  },
} as unknown as Env;

afterEach(() => vi.restoreAllMocks());

describe("the id in an answer's header is the id in the log", () => {
  it.each([
    "/v2/",
    "/v2/team-a/app/manifests/v1",
    "/apis/iam.entrepot.dev/v1/users",
    "/api/v1/usage",
    "/api/v1/audit",
    "/api/v1/tasks",
    "/auth/session",
    "/auth/token",
  ])("of %s", async (path) => {
    const lines: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
    const headers = { authorization: `Basic ${btoa("admin:correct horse battery")}` };
    const response = await serve(
      new Request(`https://registry.example${path}`, { headers }),
      broken,
      createExecutionContext(),
    );
    const id = response.headers.get("x-request-id");
    expect(response.status).toBe(500);
    expect(await response.text()).toContain(id);
    const failures = lines.map((line) => JSON.parse(line) as { readonly event: string; readonly id?: string });
    expect(failures.filter(({ event }) => event === "request.failed").map((failure) => failure.id)).toEqual([id]);
  });
});
