import { expect, test } from "vitest";
import { header, text } from "../conformance/registry-client.ts";
import { clientOf, jsonBody } from "../support/access-world.ts";
import { useServer } from "../support/client-fixture.ts";
import { rawRequest, rawStatus, sendRaw } from "../support/raw-http.ts";

const at = useServer();

test("an open server does nothing for pages of other sites", async () => {
  const registry = clientOf(at.server);
  const namespace = (name: string) => jsonBody({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const page = header("origin", "https://evil.example");
  const digest = `sha256:${"a".repeat(64)}`;
  expect((await registry.send("POST", "/api/v1/namespaces", namespace("made"))).status).toBe(201);
  expect((await registry.send("POST", "/api/v1/namespaces", namespace("forged"), page)).status).toBe(403);
  expect((await registry.send("POST", "/api/v1/tasks", jsonBody({}), page)).status).toBe(403);
  expect((await registry.send("POST", `/v2/forged/app/blobs/uploads/?digest=${digest}`, page)).status).toBe(403);
  expect(text(await registry.send("GET", "/api/v1/namespaces"))).not.toContain("forged");
});

test("an open server is not to be had by a name that others can have lead to it", async () => {
  const { host } = at.server;
  const [, port = ""] = host.split(":");
  for (const [name, status] of [
    [`localhost:${port}`, 200],
    [`evil.example:${port}`, 503],
    ["registry.example.com", 503],
    [`192.168.1.7:${port}`, 503],
    ["printer.local", 503],
    ["registry", 503],
    [`127.9.9.9:${port}`, 200],
    [`[::1]:${port}`, 200],
  ] as const) {
    for (const target of ["/v2/", "/api/v1/namespaces"]) {
      expect(rawStatus(await sendRaw(host, rawRequest(name, `GET ${target}`))), `${name}${target}`).toBe(status);
    }
  }
});

test("a request that does not tell whom it is for is refused, and is no fault of the server", async () => {
  const { host } = at.server;
  const requests = [
    ["two Host headers", "GET /v2/ HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"],
    ["no path", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
    ["no name", "GET /apis HTTP/1.1\r\nHost: lo cal<host>\r\nConnection: close\r\n\r\n"],
    ["no port", "GET / HTTP/1.1\r\nHost: localhost:99999\r\nConnection: close\r\n\r\n"],
  ] as const;
  for (const [what, request] of requests) expect(rawStatus(await sendRaw(host, request)), what).toBe(400);
  expect(at.server.output()).not.toContain("Error");
});
