import path from "node:path";
import { peakDuring } from "./isolate-memory.ts";
import { type Payload, payload } from "./payload.ts";
import { pushBlob } from "./registry-client.ts";
import { freePort, newFolder, type Service, startBaseline, startNode, stopAll } from "./service.ts";
import { below, renderRows, type Row, valueRow } from "./table.ts";
import { exchange } from "./wire.ts";

/** Pushes at the same time, and bytes of each: a part of 8 MiB, and most of another. */
const PUSHES = 20;
const BLOCKS = 15;
const REST_BYTES = 16_500_000 - BLOCKS * 1024 * 1024;
/** The garbage of one round is met by the next. */
const ROUNDS = 3;
/** What all pushes of an isolate may have together; Cloudflare ends one that has more than 128 MB. */
const LIMIT_MB = 100;

type Push = (service: Service, name: string, body: Payload) => Promise<unknown>;

const toRegistry: Push = ({ url }, name, body) => pushBlob(url, `bench/${name}`, body, "chunked");
const toBucket: Push = ({ url }, name, body) =>
  exchange({ method: "PUT", url: `${url}/r2-multipart/${name}`, body, coding: "chunked" });

/**
 * The most memory of the registry's own isolate while many push in chunks to R2, closing included, beside that of a bare
 * Worker which hands the same bytes to the bucket.
 */
export async function uploadMemory(): Promise<Row[]> {
  const ours = await peak(startInspectedRegistry, "entrepot", toRegistry);
  const bare = await peak(startBaseline, "baseline", toBucket);
  return [
    {
      ...valueRow(`r2: isolate at ${PUSHES} pushes of 16.5 MB at once`, ours, "MB", below(LIMIT_MB, "MB")),
      baseline: `R2 multipart: ${Math.round(bare)} MB`,
      ratio: (bare / ours).toFixed(2),
    },
  ];
}

/** In MB. */
async function peak(start: (inspector: number) => Promise<Service>, worker: string, push: Push): Promise<number> {
  const inspector = await freePort();
  const service = await start(inspector);
  try {
    let most = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const bodies = Array.from({ length: PUSHES }, () => payload(BLOCKS, REST_BYTES));
      const pushes = () => Promise.all(bodies.map((body, number) => push(service, `memory-${round}-${number}`, body)));
      most = Math.max(most, await peakDuring(inspector, worker, pushes));
    }
    return (most * 1024 ** 2) / 1e6;
  } finally {
    await service.stop();
  }
}

async function startInspectedRegistry(inspector: number): Promise<Service> {
  const folder = newFolder();
  const script = path.join(import.meta.dirname, "inspected-registry.ts");
  return startNode([script, String(inspector), "--port", "0", "--data", folder], folder, { STORAGE: "r2" });
}

if (import.meta.main) {
  try {
    console.log(renderRows(await uploadMemory()));
  } finally {
    await stopAll();
  }
}
