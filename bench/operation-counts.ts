import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Payload, payload } from "./payload.ts";
import { download, imageManifest, pushBlob, type PushStyle, putManifest } from "./registry-client.ts";
import { newFolder, type Service, startNode } from "./service.ts";
import { atMost, renderTable, type Row, valueRow } from "./table.ts";

/** MiB of the two layers: two full parts of R2 and a tail, and less than one part. */
const LAYER_BLOCKS = [20, 5] as const;
/** Longer than `READ_STALENESS_MS`. */
const STALE_MS = 1100;

type Counts = Readonly<Record<string, number>>;

/** What was called for one thing done. */
interface Counted {
  readonly what: string;
  readonly counts: Counts;
}

/** Calls of bindings per push and pull of an image of two layers. */
export interface OperationCounts {
  readonly rows: readonly Row[];
  /** One table per storage. */
  readonly tables: string;
}

/** Counts on both storages. */
export async function operationCounts(): Promise<OperationCounts> {
  const rows: Row[] = [];
  const tables: string[] = [];
  for (const storage of ["r2", "filesystem"]) {
    const counted = await countAll(storage);
    tables.push(`STORAGE=${storage}\n\n${renderCounts(counted)}`);
    const manifest = counted.find(({ what }) => what === CACHED_MANIFEST);
    rows.push(
      // Where the tag leads, and whether rights have changed, which all requests of a second ask once.
      valueRow(`${storage}: D1 calls to pull a cached manifest`, manifest?.counts["D1 calls"] ?? 0, "", atMost(2)),
    );
  }
  return { rows, tables: tables.join("\n\n") };
}

const CACHED_MANIFEST = "GET of the manifest by tag, bytes in memory, lookup expired";

async function countAll(storage: string): Promise<Counted[]> {
  const data = newFolder();
  const start = (): Promise<Service> =>
    startNode([path.join(import.meta.dirname, "counting.ts"), data, storage], data, {});
  let service = await start();
  const results: Counted[] = [];
  const note = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await takeCounts(service);
    await work();
    results.push({ what, counts: await takeCounts(service) });
  };
  try {
    // Makes the key that signs uploads; it is read once per isolate.
    await pushBlob(service.url, "bench/first", payload(0), "chunked");
    const image = [payload(0), ...LAYER_BLOCKS.map(payload)];
    const [, layer] = image;
    await note("push of an image, known length (POST, PUT)", () => pushImage(service, image, "monolithic"));
    const other = [payload(0), ...LAYER_BLOCKS.map(payload)];
    await note("push of an image, docker (HEAD, POST, PATCH, PUT)", () => pushImage(service, other, "chunked"));
    await service.halt();
    service = await start();
    await note("pull of the image, cold", () => pullImage(service, other));
    await note("pull of the image, again at once", () => pullImage(service, other));
    await sleep(STALE_MS);
    await note("pull of the image, again after a second", () => pullImage(service, other));
    await sleep(STALE_MS);
    await note(CACHED_MANIFEST, () => expectOk(`${service.url}/v2/${REPOSITORY}/manifests/latest`, "GET"));
    await note("the same at once", () => expectOk(`${service.url}/v2/${REPOSITORY}/manifests/latest`, "GET"));
    await sleep(STALE_MS);
    await note("HEAD of a layer", () => expectOk(blobUrl(service, layer), "HEAD"));
    return results;
  } finally {
    await service.stop();
  }
}

const REPOSITORY = "bench/operations";

async function pushImage(service: Service, blobs: readonly Payload[], style: PushStyle): Promise<void> {
  for (const blob of blobs) {
    if (style === "chunked") await fetch(blobUrl(service, blob), { method: "HEAD" });
    await pushBlob(service.url, REPOSITORY, blob, style);
  }
  await putManifest(service.url, REPOSITORY, "latest", imageManifest(blobs));
}

/** As docker and containerd do: ask for the tag's digest, then everything by digest. */
async function pullImage(service: Service, blobs: readonly Payload[]): Promise<void> {
  const manifests = `${service.url}/v2/${REPOSITORY}/manifests`;
  const digest = (await expectOk(`${manifests}/latest`, "HEAD")).headers.get("docker-content-digest") ?? "";
  await (await expectOk(`${manifests}/${digest}`, "GET")).arrayBuffer();
  for (const blob of blobs) await download(blobUrl(service, blob), blob.size);
}

function blobUrl(service: Service, blob: Payload | undefined): string {
  return `${service.url}/v2/${REPOSITORY}/blobs/${blob?.digest}`;
}

async function expectOk(url: string, method: "GET" | "HEAD"): Promise<Response> {
  const response = await fetch(url, { method });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`);
  return response;
}

async function takeCounts(service: Service): Promise<Counts> {
  const response = await fetch(`${service.url}/bench/counts`, { method: "POST" });
  return (await response.json()) as Counts;
}

function renderCounts(counted: readonly Counted[]): string {
  const names = [...new Set(counted.flatMap(({ counts }) => Object.keys(counts)))].sort();
  return renderTable(
    ["operation", ...names],
    counted.map(({ what, counts }) => [what, ...names.map((name) => String(counts[name] ?? 0))]),
  );
}
