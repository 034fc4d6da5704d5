import { forEach, interleave, seconds } from "./measure.ts";
import { LAYER_BLOCKS, payload } from "./payload.ts";
import { download, pushBlob, type PushStyle } from "./registry-client.ts";
import type { Peer, Service } from "./service.ts";
import { above, atLeast, type Row, type Target, timeRow } from "./table.ts";
import { exchange } from "./wire.ts";

/** The servers of a section. */
export interface Contenders {
  readonly registry: Service;
  readonly baseline: Service;
  readonly peers: readonly Peer[];
}

const REPOSITORY = "bench/transfers";

/** Pushes and pulls of layers on the default storage, against workerd's disk service and other registries. */
export async function filesystemTransfers(contenders: Contenders, rounds: number): Promise<Row[]> {
  const { registry, baseline, peers } = contenders;
  const rows: Row[] = [];
  const add = (name: string, times: Readonly<Record<string, number>>, engine: string, target: Target): void => {
    const ours = times["ours"] ?? Number.NaN;
    rows.push(timeRow(name, ours, [engine, times["disk"] ?? Number.NaN], atLeast(0.9)));
    for (const peer of peers) {
      rows.push(timeRow(name, ours, [peer.name, times[`by ${peer.name}`] ?? Number.NaN], target));
    }
  };
  for (const style of ["chunked", "monolithic"] as const) {
    const times = await interleave<string>(rounds, {
      ours: () => timePush(registry, style),
      disk: () => timePut(baseline, "disk-put-hashed", style),
      ...forEach(
        peers,
        "by",
        ({ service }) =>
          () =>
            timePush(service, style),
      ),
    });
    add(`filesystem: push ${describe(style)}`, times, "disk PUT, hashed", atLeast(0.9));
  }
  const layer = payload(LAYER_BLOCKS);
  for (const { url } of [registry, ...peers.map(({ service }) => service)]) {
    await pushBlob(url, REPOSITORY, layer, "chunked");
  }
  await exchange({ method: "PUT", url: `${baseline.url}/disk-put-hashed/layer`, body: layer, coding: "length" });
  const pull = (url: string) => () => seconds(() => download(url, layer.size));
  const path = `/v2/${REPOSITORY}/blobs/${layer.digest}`;
  const times = await interleave<string>(rounds, {
    ours: pull(registry.url + path),
    disk: pull(`${baseline.url}/disk-get/layer`),
    ...forEach(peers, "by", ({ service }) => pull(service.url + path)),
  });
  add("filesystem: pull", times, "disk GET", above(1));
  return rows;
}

/** The same with `STORAGE=r2`, against the bare calls of the simulated bucket. */
export async function r2Transfers(contenders: Omit<Contenders, "peers">, rounds: number): Promise<Row[]> {
  const { registry, baseline } = contenders;
  const times = await interleave(rounds, {
    chunked: () => timePush(registry, "chunked"),
    multipart: () => timePut(baseline, "r2-multipart", "chunked"),
    whole: () => timePush(registry, "monolithic"),
    put: () => timePut(baseline, "r2-put", "monolithic"),
    verified: () => timePut(baseline, "r2-put-verified", "monolithic"),
  });
  const whole = `r2: push ${describe("monolithic")}`;
  return [
    timeRow(`r2: push ${describe("chunked")}`, times.chunked, ["R2 multipart", times.multipart], atLeast(0.85)),
    timeRow(whole, times.whole, ["R2 put", times.put], atLeast(0.9)),
    timeRow(whole, times.whole, ["R2 put with sha256", times.verified], atLeast(0.9)),
    ...(await r2Pulls(contenders, rounds)),
  ];
}

/** Each kind of object against its own kind: the simulator reads those made of parts far more slowly. */
async function r2Pulls({ registry, baseline }: Omit<Contenders, "peers">, rounds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const style of ["monolithic", "chunked"] as const) {
    const layer = payload(LAYER_BLOCKS);
    await pushBlob(registry.url, REPOSITORY, layer, style);
    const route = style === "chunked" ? "r2-multipart" : "r2-put";
    await exchange({ method: "PUT", url: `${baseline.url}/${route}/layer`, body: layer, coding: "length" });
    const path = `/v2/${REPOSITORY}/blobs/${layer.digest}`;
    const { pull, get } = await interleave(style === "chunked" ? Math.min(rounds, 3) : rounds, {
      pull: () => seconds(() => download(registry.url + path, layer.size)),
      get: () => seconds(() => download(`${baseline.url}/r2-get/layer`, layer.size)),
    });
    const kind = style === "chunked" ? "R2 get of parts" : "R2 get";
    rows.push(timeRow(`r2: pull of a layer pushed ${describe(style)}`, pull, [kind, get], atLeast(0.9)));
  }
  return rows;
}

function describe(style: PushStyle): string {
  return style === "chunked" ? "in chunked coding (POST, PATCH, PUT)" : "of known length (POST, PUT)";
}

async function timePush(service: Service, style: PushStyle): Promise<number> {
  const layer = payload(LAYER_BLOCKS);
  return seconds(() => pushBlob(service.url, REPOSITORY, layer, style));
}

async function timePut(service: Service, route: string, style: PushStyle): Promise<number> {
  const body = payload(LAYER_BLOCKS);
  const coding = style === "chunked" ? "chunked" : "length";
  const headers = { "x-sha256": body.digest.slice("sha256:".length) };
  // A key of its own, as every push has: to replace an object costs the removal of the old one.
  const key = headers["x-sha256"];
  return seconds(() => exchange({ method: "PUT", url: `${service.url}/${route}/${key}`, headers, body, coding }));
}
