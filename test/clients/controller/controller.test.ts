import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import { CONTROLLER } from "./install.ts";

/** How long something may take, in milliseconds; the longest, a change of leaders, takes the ten seconds of a lease. */
const SEEN_MS = 120_000;
const TEST_MS = 4 * SEEN_MS;

const GROUP = "greenhouse.example.org";
const PLANTS = `/apis/${GROUP}/v1/namespaces/team/plants`;
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/team/leases";
const CORE = "/api/v1/namespaces/team";

/** As controller-gen writes a CustomResourceDefinition, flat. */
const DEFINITION = {
  apiVersion: "platform.entrepot.dev/v1",
  kind: "ResourceDefinition",
  metadata: { name: `plants.${GROUP}`, annotations: { "controller-gen.kubebuilder.io/version": "v0.19.0" } },
  spec: {
    group: GROUP,
    names: { kind: "Plant", plural: "plants", singular: "plant" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              apiVersion: { type: "string" },
              kind: { type: "string" },
              metadata: { type: "object" },
              spec: {
                type: "object",
                required: ["water"],
                properties: { water: { type: "integer", format: "int32" } },
              },
              status: {
                type: "object",
                properties: { observedGeneration: { type: "integer", format: "int64" }, gardener: { type: "string" } },
              },
            },
          },
        },
        subresources: { status: {} },
      },
    ],
  },
};

interface Answer {
  readonly code: number;
  readonly body: {
    readonly items?: readonly Record<string, unknown>[];
    readonly spec?: Record<string, unknown>;
    readonly status?: Record<string, unknown>;
    readonly data?: Record<string, string>;
  };
}

const at = useServer();
const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

async function send(method: string, to: string, body?: object): Promise<Answer> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const init = { method, headers: { "content-type": type } };
  const url = `${at.server.url}${to}`;
  const response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  return { code: response.status, body: (await response.json()) as Answer["body"] };
}

const plant = (name: string, water: number) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "Plant",
  metadata: { name },
  spec: { water },
});

/** Starts a replica; its lines are those of both outputs, so that a failure shows. */
function start(id: string) {
  const child = spawn(CONTROLLER, [`--id=${id}`], {
    env: { ...process.env, KUBECONFIG: path.join(at.home.folder, "kubeconfig") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => lines.push(line));
  }
  return { lines, kill: () => child.kill("SIGKILL") };
}

beforeAll(async () => {
  const file = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "here", cluster: { server: at.server.url } }],
    contexts: [{ name: "here", context: { cluster: "here", user: "me" } }],
    users: [{ name: "me", user: {} }],
    "current-context": "here",
  };
  writeFileSync(path.join(at.home.folder, "kubeconfig"), JSON.stringify(file));
  const defined = await send("POST", "/apis/platform.entrepot.dev/v1/resourcedefinitions", DEFINITION);
  expect(defined.code).toBe(201);
});

function eventually(check: () => Promise<void> | void): Promise<void> {
  return vi.waitFor(check, { timeout: SEEN_MS, interval: 250 });
}

/** Who has tended a plant, in its latest generation. */
async function gardenerOf(name: string): Promise<unknown> {
  return (await send("GET", `${PLANTS}/${name}`)).body.status?.["gardener"];
}

test(
  "a controller elects a leader, records events, keeps a ConfigMap, and another replica takes over",
  async () => {
    const one = start("one");
    await eventually(() => expect(one.lines.join("\n")).toContain("acquired lease"));
    const two = start("two");
    await eventually(() => expect(two.lines.join("\n")).toContain("to acquire leader lease"));

    expect((await send("POST", PLANTS, plant("fern", 3))).code).toBe(201);
    await eventually(async () => expect(await gardenerOf("fern")).toBe("one"));
    expect((await send("GET", `${CORE}/configmaps/fern`)).body.data).toEqual({ water: "3" });
    const about = encodeURIComponent("involvedObject.kind=Plant,involvedObject.name=fern");
    await eventually(async () => {
      const { items = [] } = (await send("GET", `${CORE}/events?fieldSelector=${about}`)).body;
      expect(items.map(({ reason, message }) => `${String(reason)}: ${String(message)}`).toSorted()).toEqual([
        "Noted: noted 3 by one",
        "Watered: given 3 by one",
      ]);
    });
    const described = await at.home.run("kubectl", [
      "--server",
      at.server.url,
      "-n",
      "team",
      "describe",
      "plant",
      "fern",
    ]);
    expect(described.stdout).toContain("given 3 by one");

    const kept = { metadata: { labels: { a: "1" } }, data: { water: "9" } };
    expect((await send("PATCH", `${CORE}/configmaps/fern`, kept)).code).toBe(200);
    await eventually(async () =>
      expect((await send("GET", `${CORE}/configmaps/fern`)).body.data).toEqual({ water: "3" }),
    );

    one.kill();
    expect((await send("POST", PLANTS, plant("moss", 1))).code).toBe(201);
    await eventually(async () => expect(await gardenerOf("moss")).toBe("two"));
    expect(two.lines.join("\n")).toContain("acquired lease");
    const lease = await send("GET", `${LEASES}/gardener.${GROUP}`);
    expect(lease.body.spec?.["leaseTransitions"]).toBe(1);
    const past = await send("GET", `${LEASES}?labelSelector=${encodeURIComponent("entrepot.dev/get-history=true")}`);
    expect(past.body.items).toHaveLength(1);

    expect((await send("DELETE", `${PLANTS}/fern`)).code).toBe(200);
    await eventually(async () => expect((await send("GET", `${CORE}/configmaps/fern`)).code).toBe(404));
  },
  TEST_MS,
);
