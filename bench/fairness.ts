import { setTimeout as sleep } from "node:timers/promises";
import { seconds } from "./measure.ts";
import { KIND, newObject, objectsUrl } from "./resource-client.ts";
import type { Service } from "./service.ts";
import { below, type Row, valueRow } from "./table.ts";

/** What one request may bring, and how many objects there are in all. */
const DOCUMENTS = 400;
const OBJECTS = 10_000;
/** How long nothing is done, in milliseconds. */
const IDLE_MS = 3000;
/** How long a server may keep somebody waiting for who is at work on something else, in milliseconds. */
const WORST_MS = 300;
const NAMESPACE = "bulk";

/** The longest wait of another client for `/readyz`, while the server is at work on 10,000 objects. */
export async function fairness(registry: Service): Promise<Row[]> {
  const idle = await worstDuring(registry, sleep(IDLE_MS));
  const row = (name: string, worst: number): Row => ({
    ...valueRow(`worst /readyz during ${name}`, worst, "ms", below(WORST_MS, "ms")),
    baseline: `idle: ${Math.round(idle)} ms`,
  });
  return [
    row(`bulk apply of ${OBJECTS}`, await worstDuring(registry, applyAll(registry))),
    row(`deletion of a collection of ${OBJECTS}`, await worstDuring(registry, deleteAll(registry))),
    row("deletion of a definition with as many", await worstDuring(registry, deleteDefinition(registry))),
  ];
}

/** In milliseconds. */
async function worstDuring({ url }: Service, work: Promise<unknown>): Promise<number> {
  const done = new AbortController();
  const ended = work.finally(() => done.abort());
  let worst = 0;
  while (!done.signal.aborted) {
    worst = Math.max(worst, await seconds(async () => (await fetch(`${url}/readyz`)).arrayBuffer()));
    await sleep(10);
  }
  await ended;
  return worst * 1000;
}

async function applyAll({ url }: Service): Promise<void> {
  for (let from = 0; from < OBJECTS; from += DOCUMENTS) {
    const documents = Array.from({ length: DOCUMENTS }, (_, index) => {
      const { metadata, ...object } = newObject(`o${String(from + index).padStart(5, "0")}`);
      return JSON.stringify({ ...object, metadata: { ...metadata, namespace: NAMESPACE } });
    });
    const response = await fetch(`${url}/api/v1/apply`, { method: "POST", body: documents.join("\n") });
    if (response.status !== 200) throw new Error(`apply: ${response.status} ${(await response.text()).slice(0, 500)}`);
    await response.arrayBuffer();
  }
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
