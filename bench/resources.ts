import { fairness } from "./fairness.ts";
import { interleave, seconds } from "./measure.ts";
import { requestRate } from "./request-rate.ts";
import { fill, KIND, listAll, newObject, objectsUrl, post, Watchers } from "./resource-client.ts";
import type { Service } from "./service.ts";
import { atLeast, rateRow, type Row, timeRow } from "./table.ts";

/** Objects in the list, and in a page of it. */
const OBJECTS = 10_000;
const PAGE = 500;
const WATCHERS = 50;
/** Writes in one round; a single one is too short to tell. */
const WRITES = 25;
const CONNECTIONS = 16;

/**
 * The resource API, over HTTP, against a bare Worker that does one D1 statement per request on the same engine. The
 * kind is one that is defined at run time, with a schema of its own.
 */
export async function resources(
  { registry, baseline }: { readonly registry: Service; readonly baseline: Service },
  rounds: number,
  secondsPerRound: number,
): Promise<Row[]> {
  await post(`${registry.url}/apis/platform.entrepot.dev/v1/resourcedefinitions`, KIND);
  const object = await fill(registry, OBJECTS);
  await post(`${baseline.url}/d1-fill/${OBJECTS}`, object);
  return [
    ...(await createAndGet(registry, baseline, object, rounds, secondsPerRound)),
    ...(await lists(registry, baseline, rounds)),
    ...(await fanOut(registry, baseline, object, rounds)),
    ...(await fairness(registry)),
  ];
}

async function createAndGet(
  registry: Service,
  baseline: Service,
  object: unknown,
  rounds: number,
  secondsPerRound: number,
): Promise<Row[]> {
  const many = (write: () => Promise<unknown>) => async (): Promise<number> => {
    const total = await seconds(async () => {
      for (let count = 0; count < WRITES; count += 1) await write();
    });
    return total / WRITES;
  };
  const times = await interleave(rounds, {
    create: many(() => post(objectsUrl(registry, "made"), newObject())),
    insert: many(() => post(`${baseline.url}/d1-insert/${crypto.randomUUID()}`, object)),
  });
  const rate = (url: string) => (): Promise<number> =>
    requestRate({ method: "GET", url, connections: CONNECTIONS, seconds: secondsPerRound });
  const rates = await interleave(rounds, {
    get: rate(`${objectsUrl(registry, "list")}/o00042`),
    select: rate(`${baseline.url}/d1-get/o00042`),
  });
  return [
    timeRow("resource: create", times.create, ["D1 INSERT", times.insert], atLeast(0.5)),
    rateRow("resource: get", rates.get, ["D1 SELECT by key", rates.select], atLeast(0.4)),
  ];
}

async function lists(registry: Service, baseline: Service, rounds: number): Promise<Row[]> {
  const { list, select } = await interleave(rounds, {
    list: () => seconds(() => expectAll(listAll(`${objectsUrl(registry, "list")}?limit=${PAGE}`))),
    select: () => seconds(() => expectAll(selectAll(baseline))),
  });
  const name = `resource: list of ${OBJECTS}, pages of ${PAGE}`;
  return [timeRow(name, list, [`D1 SELECT of ${PAGE} rows, ${OBJECTS / PAGE} times`, select], atLeast(0.25))];
}

async function selectAll(baseline: Service): Promise<number> {
  let [after, count] = ["", 0];
  for (;;) {
    const response = await fetch(`${baseline.url}/d1-page/${after}?limit=${PAGE}`);
    const rows = (await response.json()) as readonly { readonly name: string }[];
    count += rows.length;
    after = rows.at(-1)?.name ?? "";
    if (rows.length < PAGE || count >= OBJECTS) return count;
  }
}

async function expectAll(counting: Promise<number>): Promise<void> {
  const count = await counting;
  if (count !== OBJECTS) throw new Error(`${count} objects instead of ${OBJECTS}`);
}

/** From the write's beginning until the last watcher has its event. */
async function fanOut(registry: Service, baseline: Service, object: unknown, rounds: number): Promise<Row[]> {
  const watchers = await Watchers.open(objectsUrl(registry, "watched"), WATCHERS);
  try {
    const { watch, insert } = await interleave(rounds * 3, {
      watch: () =>
        seconds(async () => {
          const made = newObject();
          const seen = watchers.allSee(made.metadata.name);
          await post(objectsUrl(registry, "watched"), made);
          await seen;
        }),
      insert: () => seconds(() => post(`${baseline.url}/d1-insert/${crypto.randomUUID()}`, object)),
    });
    return [timeRow(`resource: create seen by ${WATCHERS} watchers`, watch, ["D1 INSERT", insert], atLeast(0.1))];
  } finally {
    await watchers.close();
  }
}
