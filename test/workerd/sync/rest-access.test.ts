import { beforeAll, describe, expect, it } from "vitest";
import { type Identity, systemIdentity } from "../../../src/access/index.ts";
import type { AuthorizationAttributes } from "../../../src/resources/index.ts";
import { syncApi, type SyncRestServices } from "../../../src/sync/index.ts";
import { ask, type Loose, services } from "./rest-fixture.ts";

const NAMESPACES = ["seen", "hidden"];
const numbers: Record<string, number> = {};

interface World {
  readonly credential?: Identity["credential"]["type"];
  readonly allows: (asked: AuthorizationAttributes) => boolean;
}

function world({ credential = "password", allows }: World) {
  const identity: Identity = { ...systemIdentity("ann"), groups: [], credential: { type: credential } };
  const recorded: string[] = [];
  const connected: unknown[] = [];
  const made: SyncRestServices = {
    ...services().syncRest,
    gate: { authenticate: async () => ({ ok: true, value: identity }), challenge: () => "Basic" },
    authorizer: (asked) => ({ decision: allows(asked) ? "allow" : "no-opinion" }),
    audit: {
      record: (_request, { verb, resource, namespace, allowed, status }) =>
        void recorded.push(`${verb} ${resource} ${namespace} ${allowed} ${status}`),
    },
    live: {
      async connect(options) {
        connected.push(options);
        return new Response("connected");
      },
    },
  };
  return {
    recorded,
    connected,
    send: async (method: string, path: string, body?: unknown, given: Record<string, string> = {}) => {
      const headers = body === undefined ? given : { "content-type": "application/json", ...given };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await syncApi(made, new Request(`https://registry/api/v1${path}`, init));
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      return { status: response.status, body: (isJson ? await response.json() : await response.text()) as Loose };
    },
  };
}

beforeAll(async () => {
  for (const namespace of NAMESPACES) {
    await ask("POST", "/apply", JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }));
    const given = { name: "hub", url: "https://registry.example.com" };
    const { body } = await ask("POST", `/registries?namespace=${namespace}`, given);
    numbers[namespace] = body.id;
  }
});

const onlySeen = ({ namespace }: AuthorizationAttributes) => namespace === "seen" || namespace === "default";

describe("what one may not see", () => {
  it("is not in lists of everything", async () => {
    const { body } = await world({ allows: onlySeen }).send("GET", "/registries?namespace=*");
    const places = new Set(body.map(({ namespace }: { namespace: string }) => namespace));
    expect(places).toEqual(new Set(["default", "seen"]));
    expect((await world({ allows: onlySeen }).send("GET", "/registries?namespace=hidden")).status).toBe(403);
  });

  it.each(["GET", "PUT", "DELETE"])("is not there: %s", async (method) => {
    const { send } = world({ allows: onlySeen });
    const content = method === "PUT" ? {} : undefined;
    const hidden = await send(method, `/registries/${numbers["hidden"]}`, content);
    const absent = await send(method, "/registries/999999", content);
    expect(hidden.status).toBe(404);
    expect(JSON.stringify(hidden.body).replace(/\d+/g, "")).toBe(JSON.stringify(absent.body).replace(/\d+/g, ""));
  });

  it("has its namespace in no answer", async () => {
    const { send } = world({ allows: ({ namespace }) => namespace === "seen" });
    const hidden = await send("GET", `/registries/${numbers["hidden"]}`);
    expect(hidden).toEqual(await send("GET", "/registries/999999"));
    expect(hidden.status).toBe(403);
  });

  it("may be seen and not changed", async () => {
    const { send, recorded } = world({ allows: ({ verb }) => verb === "get" });
    expect((await send("GET", `/registries/${numbers["seen"]}`)).status).toBe(200);
    expect((await send("DELETE", `/registries/${numbers["seen"]}`)).status).toBe(403);
    expect(recorded).toEqual(["get registries seen true 200", "delete registries seen false 403"]);
  });
});

describe("secrets", () => {
  it("are written by those who may write SecureValues", async () => {
    const { send } = world({ allows: ({ resource }) => resource === "registries" });
    const given = { name: "with-secret", url: "https://registry.example.com", username: "a", password: "b" };
    const { status, body } = await send("POST", "/registries?namespace=seen", given);
    expect(status).toBe(403);
    expect(body.details).toContain("securevalues");
  });
});

describe("the live channel", () => {
  const upgrade = { upgrade: "websocket" };

  it("is of the namespaces that one may list", async () => {
    const { send, connected } = world({ allows: onlySeen });
    await send("GET", "/ws?namespace=seen&since=4", undefined, upgrade);
    await send("GET", "/ws?namespace=*", undefined, { ...upgrade, "x-entrepot-namespaces": '["hidden"]' });
    expect(connected).toEqual([
      { namespaces: ["seen"], since: 4 },
      { namespaces: expect.arrayContaining(["default", "seen"]) },
    ]);
    expect(JSON.stringify(connected)).not.toContain("hidden");
    expect((await send("GET", "/ws?namespace=hidden", undefined, upgrade)).status).toBe(403);
  });

  it.each([
    ["session", "https://evil.example.com", 403],
    ["session", "null", 403],
    ["access-assertion", "https://evil.example.com", 403],
    ["session", "https://registry", 200],
    // Who sends a credential by hand is no browser that was tricked.
    ["password", "https://console.example.com", 200],
  ] as const)("is not for pages of others: %s from %s", async (credential, origin, status) => {
    const { send } = world({ credential, allows: () => true });
    expect((await send("GET", "/ws", undefined, { ...upgrade, origin })).status).toBe(status);
  });
});
