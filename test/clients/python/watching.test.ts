import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import path from "node:path";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { useServer } from "../../support/client-fixture.ts";
import { PYTHON_CLIENTS, pythonOf } from "./install.ts";

/** How long a change may take to be seen, in milliseconds; it takes a few hundredths of this. */
const SEEN_MS = 30_000;

/** Longer than the server stays silent, in milliseconds. */
const PAUSE_MS = 12_000;

const DEFINITION = {
  apiVersion: "platform.entrepot.dev/v1",
  kind: "ResourceDefinition",
  metadata: { name: "widgets.example.org" },
  spec: {
    group: "example.org",
    names: { kind: "Widget", plural: "widgets" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object" } } } },
      },
    ],
  },
};

const at = useServer();
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function create(to: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${at.server.url}${to}`, { method: "POST", headers, body: JSON.stringify(body) });
  expect(response.status).toBe(201);
}

const WIDGETS = "/apis/example.org/v1/namespaces/team/widgets";

beforeAll(async () => {
  await create("/apis/platform.entrepot.dev/v1/resourcedefinitions", DEFINITION);
});

/** Starts a program of this folder; its lines are those of both outputs, so that a failure shows. */
function start(python: string, program: string, ...args: readonly string[]) {
  const child = spawn(python, [path.join(import.meta.dirname, program), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  ends.push(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => lines.push(line));
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { lines, ended };
}

test.each(PYTHON_CLIENTS)("$name watches, through a time in which nothing happens", async (client) => {
  const names = [`${client.name}-first`, `${client.name}-second`];
  const program = client.name === "kr8s" ? "watch_kr8s.py" : "watch_kubernetes.py";
  const { lines, ended } = start(pythonOf(client), program, at.server.url, client.name, "2");
  for (const [index, name] of names.entries()) {
    // Until it lists what there is, whether it watches cannot be seen.
    if (index > 0) await setTimeout(PAUSE_MS);
    const metadata = { name, labels: { client: client.name } };
    await create(WIDGETS, { apiVersion: "example.org/v1", kind: "Widget", metadata, spec: {} });
    await vi.waitFor(() => expect(lines.at(-1)).toBe(`ADDED ${name}`), { timeout: SEEN_MS, interval: 100 });
  }
  expect(await ended).toBe(0);
  expect(lines.filter((line) => line.startsWith("ADDED"))).toEqual(names.map((name) => `ADDED ${name}`));
});
