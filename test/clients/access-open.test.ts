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
  expect((await registry.send("POST", "/api/v1/namespaces", namespace("forged"), page)).status).toBe(401);
  expect((await registry.send("POST", "/api/v1/tasks", jsonBody({}), page)).status).toBe(401);
  expect((await registry.send("POST", `/v2/forged/app/blobs/uploads/?digest=${digest}`, page)).status).toBe(401);
  expect(text(await registry.send("GET", "/api/v1/namespaces"))).not.toContain("forged");
});

test("an open server is not to be had by a name that others can have lead to it", async () => {
  const { host } = at.server;
  const [, port = ""] = host.split(":");
  for (const [name, status] of [
    [`localhost:${port}`, 200],
    [`evil.example:${port}`, 503],
    ["registry.example.com", 503],
  ] as const) {
    for (const target of ["/v2/", "/api/v1/namespaces"]) {
      expect(rawStatus(await sendRaw(host, rawRequest(name, `GET ${target}`))), `${name}${target}`).toBe(status);
    }
  }
});
