import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { outboundNetwork } from "../../src/selfhost/network.ts";

// What a name resolves to only the runtime knows: `localhost` stands here for any name that leads to loopback.

const SCRIPT = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const url = decodeURIComponent(pathname.slice(1));
    try {
      const answer = await env.OUTBOUND_NETWORK.fetch(url);
      return new Response(await answer.text());
    } catch (error) {
      return new Response("refused: " + error.message, { status: 502 });
    }
  },
};`;

let neighbour: Server;
let calls = 0;
const runtimes: Miniflare[] = [];

beforeAll(async () => {
  neighbour = createServer((_request, response) => {
    calls += 1;
    response.end("a neighbour");
  });
  await new Promise<void>((resolve) => neighbour.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  await Promise.all(runtimes.map((runtime) => runtime.dispose()));
  neighbour.close();
});

/** A Worker that calls what it is told to, by the network of a self-host with this setting. */
async function runtime(OUTBOUND_PRIVATE: "allow" | "deny") {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: SCRIPT,
      compatibilityDate: "2026-01-01",
      serviceBindings: { OUTBOUND_NETWORK: outboundNetwork({ OUTBOUND_PRIVATE }) },
    }),
  );
  runtimes.push(miniflare);
  const { port } = neighbour.address() as AddressInfo;
  return async (host: string): Promise<string> => {
    const target = encodeURIComponent(`http://${host}:${port}/`);
    return (await miniflare.dispatchFetch(`http://worker/${target}`)).text();
  };
}

it("OUTBOUND_PRIVATE=deny holds for names that resolve to loopback", { timeout: 120_000 }, async () => {
  const ask = await runtime("deny");
  const before = calls;
  expect(await ask("localhost")).toMatch(/^refused/);
  expect(await ask("127.0.0.1")).toMatch(/^refused/);
  expect(calls).toBe(before);
});

it("OUTBOUND_PRIVATE=allow reaches the machine's own network", { timeout: 120_000 }, async () => {
  const ask = await runtime("allow");
  expect(await ask("localhost")).toBe("a neighbour");
});
