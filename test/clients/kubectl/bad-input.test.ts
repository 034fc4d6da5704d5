import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import { BAD_OBJECTS, BAD_REQUESTS, type BadRequest } from "./bad-requests.ts";
import { task, TASK_DEFINITION, tasksPath } from "./tasks.ts";

interface Status {
  readonly details?: { readonly causes?: readonly { readonly reason: string; readonly field: string }[] };
  readonly message: string;
}

describe("bad input", () => {
  const at = useServer();
  let before: unknown;
  const send = (path: string, body: unknown, method = "POST", type = "application/json"): Promise<Response> => {
    const isWhole = typeof body === "string" || body instanceof Uint8Array;
    const content = method === "GET" || body === undefined ? {} : { body: isWhole ? body : JSON.stringify(body) };
    return fetch(at.server.url + path, { method, headers: { "content-type": type }, ...content } as RequestInit);
  };
  const stored = async (): Promise<unknown> => {
    const response = await send("/apis/work.example.org/v1/tasks", undefined, "GET");
    return ((await response.json()) as { items: unknown }).items;
  };
  beforeAll(async () => {
    expect((await send("/api/v1/apply", TASK_DEFINITION)).status).toBe(200);
    expect((await send(tasksPath(), task("there"))).status).toBe(201);
    before = await stored();
  });
  afterAll(async () => {
    // The server has lived through all of it, and kept nothing.
    expect(await stored()).toEqual(before);
    expect(at.server.output()).not.toContain("request.failed");
  });

  const refuses = async ({ method, path = "", type, body, ...expected }: BadRequest): Promise<void> => {
    const earlier = await stored();
    const target = path.startsWith("/api") ? path : tasksPath() + path;
    const response = await send(target, body, method, type);
    const status = (await response.json()) as Status;
    expect([response.status, status]).toEqual([
      expected.code,
      expect.objectContaining({
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        code: expected.code,
        reason: expected.reason,
        message: expect.stringContaining(expected.says) as string,
      }),
    ]);
    if (expected.details !== undefined) expect(status.details).toMatchObject(expected.details);
    const causes = status.details?.causes?.map(({ reason, field }) => [reason, field]);
    expect(causes).toEqual(expected.causes);
    expect(await stored()).toEqual(earlier);
    expect(status.message.length).toBeLessThan(2_000);
  };

  test.each(BAD_OBJECTS)("an object with $what is refused", refuses, 30_000);
  test.each(BAD_REQUESTS)("$what is refused", refuses, 30_000);

  test("a field unheard of is warned of, or passed over, and never kept", async () => {
    const object = task("odd", { spec: { more: 1 }, metadata: { generateName: "unused-" } });
    const post = async (validation: string): Promise<[string | null, unknown]> => {
      const response = await send(`${tasksPath()}?dryRun=All${validation}`, object);
      expect(response.status).toBe(201);
      return [response.headers.get("warning"), ((await response.json()) as { spec: unknown }).spec];
    };
    const kept = { source: "here", parallel: 1 };
    const warned = String.raw`299 - "unknown field \"spec.more\""`;
    expect(await post("&fieldValidation=Warn")).toEqual([warned, kept]);
    expect(await post("")).toEqual([warned, kept]);
    expect(await post("&fieldValidation=Ignore")).toEqual([null, kept]);
  });
});
