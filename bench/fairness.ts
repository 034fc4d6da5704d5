import { setTimeout as sleep } from "node:timers/promises";
import { loadavg } from "node:os";
import { stringify } from "yaml";
import { seconds } from "./measure.ts";
import { KIND, newObject, objectsUrl, post } from "./resource-client.ts";
import type { Service } from "./service.ts";
import { below, type Row, valueRow } from "./table.ts";

/** What one request may bring, and how many objects there are in all. */
const DOCUMENTS = 400;
const OBJECTS = 10_000;
const SECRETS = 1000;
const ROTATIONS = 20;
const TASKS = 300;
/** How long nothing is done, in milliseconds. */
const IDLE_MS = 3000;
/** How long a server may keep somebody waiting for who is at work on something else, in milliseconds. */
const WORST_MS = 300;
const NAMESPACE = "bulk";

/** The longest wait of another client for `/readyz`, while the server is at work on many objects. */
export async function fairness(registry: Service): Promise<Row[]> {
  const idle = await waitsDuring(registry, sleep(IDLE_MS));
  const rows: Row[] = [];
  for (const [name, work] of JOBS) {
    const { worst, median } = await waitsDuring(registry, work(registry));
    const [load = 0] = loadavg();
    rows.push({
      ...valueRow(`worst /readyz during ${name}`, worst, "ms", below(WORST_MS, "ms")),
      baseline: `median ${Math.round(median)} ms; idle: ${Math.round(idle.worst)} ms; load ${load.toFixed(1)}`,
    });
  }
  return rows;
}

/** Each goes on from what those before it left. */
const JOBS: readonly (readonly [name: string, work: (registry: Service) => Promise<void>])[] = [
  [`bulk apply of ${OBJECTS}`, (registry) => applyAll(registry, parcels(), (object) => JSON.stringify(object))],
  [`bulk apply of ${DOCUMENTS} in YAML`, (registry) => applyAll(registry, parcels().slice(0, DOCUMENTS), yamlOf)],
  ["the installation of an App of 50 kinds and 150 objects", installApp],
  [`a clock that finds ${TASKS} tasks to look at`, lookAtTasks],
  [`${ROTATIONS} rotations of the key of ${SECRETS} secrets`, rotateKeys],
  [`deletion of a collection of ${OBJECTS}`, deleteAll],
  ["deletion of a definition with as many", deleteDefinition],
];

/** In milliseconds. */
async function waitsDuring({ url }: Service, work: Promise<unknown>) {
  const done = new AbortController();
  const ended = work.finally(() => done.abort());
  const waits: number[] = [];
  while (!done.signal.aborted) {
    waits.push(1000 * (await seconds(async () => (await fetch(`${url}/readyz`)).arrayBuffer())));
    await sleep(10);
  }
  await ended;
  const sorted = waits.toSorted((left, right) => left - right);
  return { worst: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}

/** Objects as one document of a bulk apply has them. */
type Manifest = Readonly<Record<string, unknown>>;

function parcels(): Manifest[] {
  return Array.from({ length: OBJECTS }, (_, index) => inNamespace(newObject(`o${String(index).padStart(5, "0")}`)));
}

function inNamespace({ metadata, ...object }: { readonly metadata: object }): Manifest {
  return { ...object, metadata: { ...metadata, namespace: NAMESPACE } };
}

/** A document as people write it. */
function yamlOf(object: Manifest): string {
  return `---\n${stringify(object)}`;
}

async function applyAll({ url }: Service, objects: readonly Manifest[], textOf: (object: Manifest) => string) {
  for (let from = 0; from < objects.length; from += DOCUMENTS) {
    const body = objects
      .slice(from, from + DOCUMENTS)
      .map(textOf)
      .join("\n");
    const response = await fetch(`${url}/api/v1/apply`, { method: "POST", body });
    if (response.status !== 200) throw new Error(`apply: ${response.status} ${(await response.text()).slice(0, 500)}`);
    await response.arrayBuffer();
  }
}

async function installApp({ url }: Service): Promise<void> {
  const definitions = Array.from({ length: 50 }, (_, index) => ({
    ...KIND.spec,
    group: "app.example.org",
    names: { kind: `Thing${index}`, plural: `thing${index}s` },
  }));
  const objects = Array.from({ length: 150 }, (_, index) => inNamespace(newObject(`a${index}`)));
  await post(`${url}/apis/platform.entrepot.dev/v1/apps`, {
    apiVersion: "platform.entrepot.dev/v1",
    kind: "App",
    metadata: { name: "bench" },
    spec: { title: "Bench", definitions, objects },
  });
}

/** Tasks whose registries are not there: each begins a run, which then fails. They are disabled when they have run. */
async function lookAtTasks(registry: Service): Promise<void> {
  const tasks = (enabled: boolean): Manifest[] =>
    Array.from({ length: TASKS }, (_, index) => ({
      apiVersion: "sync.entrepot.dev/v1",
      kind: "SyncTask",
      metadata: { name: `t${index}`, namespace: NAMESPACE },
      spec: {
        enabled,
        source: { registry: "none", repository: "team/app" },
        targets: [{ registry: "neither" }],
        schedule: { cron: "* * * * *" },
      },
    }));
  await applyAll(registry, tasks(true), (object) => JSON.stringify(object));
  await sleep(60_000 - (Date.now() % 60_000) + 15_000);
  await applyAll(registry, tasks(false), (object) => JSON.stringify(object));
}

async function rotateKeys(registry: Service): Promise<void> {
  const secrets = Array.from({ length: SECRETS }, (_, index) => ({
    apiVersion: "secret.entrepot.dev/v1",
    kind: "SecureValue",
    metadata: { name: `s${index}`, namespace: NAMESPACE },
    spec: { value: `value ${index}` },
  }));
  await applyAll(registry, secrets, (object) => JSON.stringify(object));
  const rotate = `${registry.url}/apis/secret.entrepot.dev/v1/namespaces/${NAMESPACE}/keepers/system/rotate`;
  for (let count = 0; count < ROTATIONS; count += 1) await post(rotate, {});
}

async function deleteAll(registry: Service): Promise<void> {
  const url = objectsUrl(registry, NAMESPACE);
  await (await fetch(url, { method: "DELETE" })).arrayBuffer();
  for (let left = Infinity; left > 0;) {
    await sleep(200);
    const page = (await (await fetch(`${url}?limit=1`)).json()) as { readonly items: readonly unknown[] };
    left = page.items.length;
  }
}

async function deleteDefinition({ url }: Service): Promise<void> {
  const definition = `${url}/apis/platform.entrepot.dev/v1/resourcedefinitions/${KIND.metadata.name}`;
  await (await fetch(definition, { method: "DELETE" })).arrayBuffer();
  while ((await fetch(definition)).status !== 404) await sleep(200);
}
