import { expect, test } from "vitest";
import { startServer } from "../support/server.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

/** What belonged to something that is gone goes by a message of the maintenance queue. */
test("the queues of a self-host deliver one message after the other", { timeout: 120_000 }, async () => {
  const server = await startServer();
  try {
    const create = async (metadata: object): Promise<string> => {
      const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata });
      const headers = { "content-type": "application/json" };
      const response = await fetch(server.url + CONFIG_MAPS, { method: "POST", headers, body });
      expect(response.status).toBe(201);
      return ((await response.json()) as { readonly metadata: { readonly uid: string } }).metadata.uid;
    };
    for (const name of ["first", "second", "third"]) {
      const uid = await create({ name });
      await create({ name: `of-${name}`, ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name, uid }] });
      const deleted = await fetch(`${server.url}${CONFIG_MAPS}/${name}`, { method: "DELETE" });
      expect(deleted.status).toBe(200);
      await deleted.arrayBuffer();
      await expect.poll(() => statusOf(`${server.url}${CONFIG_MAPS}/of-${name}`), { timeout: 30_000 }).toBe(404);
    }
  } finally {
    await server.stop();
  }
});

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}
