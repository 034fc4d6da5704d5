import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { Outbound } from "../../src/platform/index.ts";

const worker = (exports as unknown as { readonly default: Fetcher }).default;

/** Outbound calls with the runtime's own requests, responses and streams; the Worker itself is the network. */
const outbound = new Outbound({ fetch: (url, init) => worker.fetch(url, init), allowPrivate: true });

it("calls, streams and caps in the runtime that is deployed", async () => {
  const url = new URL("https://registry.localhost/healthz");
  const whole = await outbound.request({ url });
  expect(whole.ok && (await whole.value.json())).toEqual({ status: "ok" });
  const cut = await outbound.request({ url, maxBytes: 3 });
  await expect(cut.ok && cut.value.text()).rejects.toThrow(/longer than 3 bytes/);
});

it("sends bodies", async () => {
  const url = new URL("https://registry.localhost/v2/outbound/blobs/uploads/");
  const body = new Uint8Array([98, 121, 116, 101, 115]);
  const outcome = await outbound.request({ url, method: "POST", body });
  expect(outcome.ok && outcome.value.status).toBe(202);
});
