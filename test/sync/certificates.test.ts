import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Server, startServer } from "../support/server.ts";

const answer = z.object({ message: z.string() });

/** What a server says of a registry with an address and `insecure: true`. */
async function tested(server: Server, url: string): Promise<string> {
  const base = `${server.url}/apis/sync.entrepot.dev/v1/namespaces/default/registries`;
  const post = (address: string, body: object) =>
    fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const object = { kind: "Registry", apiVersion: "sync.entrepot.dev/v1", metadata: { name: "other" } };
  expect((await post(base, { ...object, spec: { url, insecure: true } })).status).toBe(201);
  return answer.parse(await (await post(`${base}/other/test`, {})).json()).message;
}

describe("a server and a registry whose certificate nobody signed", () => {
  const started: Server[] = [];
  let secure: Server;

  beforeAll(async () => {
    secure = await startServer({ args: ["--tls"] });
    started.push(secure);
  });
  afterAll(async () => {
    await Promise.all(started.map((server) => server.stop()));
  });

  it("trusts it by NODE_EXTRA_CA_CERTS", async () => {
    const env = { NODE_EXTRA_CA_CERTS: path.join(secure.data, "tls", "cert.pem") };
    const server = await startServer({ env });
    started.push(server);
    expect(await tested(server, secure.url)).toBe("the registry answered");
  });

  it("does not otherwise, and says what to do", async () => {
    const server = await startServer();
    started.push(server);
    expect(await tested(server, secure.url)).toContain("NODE_EXTRA_CA_CERTS=<file> names certificates to trust");
  });
});
