import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawRequest, rawStatus, sendRaw } from "../support/raw-http.ts";
import { type Server, startServer } from "../support/server.ts";

const MIB = 1024 * 1024;
/** Two windows of the watch of a body, and what a busy machine may need. */
const PATIENCE_MS = 60_000;

describe("a body", () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server.stop();
  });

  /** The status that half a request gets, whose other half never comes. */
  async function statusOfHalf(line: string, type: string, given: string): Promise<number> {
    const head = rawRequest(server.host, line, [`Content-Type: ${type}`, "Content-Length: 1000"]);
    return rawStatus(await sendRaw(server.host, head + given, PATIENCE_MS));
  }

  it.concurrent.each([
    ["POST /auth/login", "application/json", '{"username":'],
    ["POST /auth/token", "application/x-www-form-urlencoded", "grant_type=pass"],
    ["PUT /v2/team-a/app/manifests/v1", "application/json", "{"],
    ["POST /api/v1/apply", "application/yaml", "kind: "],
    ["POST /api/v1/namespaces", "application/json", "{"],
    ["POST /api/v1/sync/config", "application/yaml", "registries:"],
    ["POST /api/v1/tasks", "application/json", "{"],
  ])("that stops coming ends with 408: %s", async (line, type, given) => {
    expect(await statusOfHalf(line, type, given)).toBe(408);
  });

  it("that is longer than it may be is not read to its end", async () => {
    let sent = 0;
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { "content-type": "application/yaml", "transfer-encoding": "chunked" };
      const sending = request(`${server.url}/api/v1/apply`, { method: "POST", headers, agent: false });
      let answered = false;
      sending.once("response", (response) => {
        answered = true;
        resolve(response.statusCode ?? 0);
        sending.destroy();
      });
      sending.once("error", (error) => {
        if (!answered) reject(error);
      });
      const piece = Buffer.alloc(MIB, "# comment\n");
      const more = (): void => {
        if (answered || sending.destroyed) return;
        sent += piece.byteLength;
        sending.write(piece, more);
      };
      more();
    });
    expect(status).toBe(413);
    expect(sent).toBeLessThan(100 * MIB);
  });
});
