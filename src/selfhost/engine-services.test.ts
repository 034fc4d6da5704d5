import { kVoid } from "miniflare";
import { expect, it } from "vitest";
import { type ConfigTree, trimmed } from "./engine-services.ts";

const TRIM = { worker: "w", pages: "p", cache: false };

/** As much of Miniflare's configuration as is changed or left out. */
const CONFIG: ConfigTree = {
  services: [
    {
      name: "core:user:w",
      worker: {
        modules: [{ name: "w.js", esModule: "export default {} // core:entry" }],
        bindings: [
          { name: "ASSETS", service: { name: "assets:rpc-proxy:p" } },
          { name: "QUEUE", queue: { name: "queue" } },
        ],
        globalOutbound: { name: "outbound:0" },
        cacheApiOutbound: { name: "cache:0" },
      },
    },
    { name: "outbound:0", worker: { bindings: [] } },
    { name: "cache:0", worker: { bindings: [] } },
    {
      name: "queue",
      worker: {
        bindings: [
          { name: "LOOPBACK", service: { name: "loopback" } },
          { name: "WORKER", service: { name: "core:user:w" } },
          { name: "PAGES", service: { name: "core:user:p" } },
        ],
        durableObjectStorage: {},
      },
    },
    { name: "core:user:p", worker: { bindings: [], cacheApiOutbound: { name: "cache:0" } } },
    { name: "assets:assets-service:p", worker: { bindings: [{ name: "MANIFEST", data: { 0: 7, 1: 255 } }] } },
    { name: "assets:rpc-proxy:p", worker: { bindings: [{ name: "USER", service: { name: "core:user:p" } }] } },
    { name: "loopback", external: { http: {} } },
    { name: "core:entry", worker: { bindings: [{ name: "USER", service: { name: "core:user:w" } }] } },
    { name: "internet", network: { allow: ["public"] } },
  ],
  sockets: [
    { name: "entry", service: { name: "core:entry" }, http: {} },
    { name: "direct:0:default", service: { name: "core:user:w" }, http: {} },
  ],
};

interface Service {
  readonly name: string;
  readonly worker: Readonly<Record<string, unknown>>;
}

function services(cache: boolean): Map<string, Service> {
  const list = trimmed(CONFIG, { ...TRIM, cache })["services"] as readonly Service[];
  return new Map(list.map((service) => [service.name, service]));
}

it("leaves out what only a developer needs, whatever the sources of modules say", () => {
  expect([...services(false).keys()].toSorted()).toEqual([
    "assets:assets-service:p",
    "core:user:w",
    "internet",
    "loopback",
    "queue",
  ]);
});

it("keeps the cache if it is used", () => {
  expect(services(true).has("cache:0")).toBe(true);
  expect(services(false).get("core:user:w")?.worker).not.toHaveProperty("cacheApiOutbound");
});

it("has the clock come in where Miniflare's own door was", () => {
  const { sockets } = trimmed(CONFIG, TRIM) as { readonly sockets: readonly unknown[] };
  expect(sockets).toEqual([
    { name: "entry", service: { name: "loopback", entrypoint: "Clock" }, http: {} },
    { name: "direct:0:default", service: { name: "core:user:w" }, http: {} },
  ]);
});

it("gives back what JSON loses", () => {
  expect(services(false).get("queue")?.worker["durableObjectStorage"]).toEqual({ inMemory: kVoid });
  expect(services(false).get("assets:assets-service:p")?.worker["bindings"]).toEqual([
    { name: "MANIFEST", data: Uint8Array.of(7, 255) },
  ]);
});
