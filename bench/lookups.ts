import { interleave } from "./measure.ts";
import { payload } from "./payload.ts";
import { imageManifest, pushBlob, putManifest } from "./registry-client.ts";
import { requestRate } from "./request-rate.ts";
import type { Service } from "./service.ts";
import { above, atLeast, rateRow, type Row, timeRow } from "./table.ts";
import type { Contenders } from "./transfers.ts";

const REPOSITORY = "bench/lookups";
const CONNECTIONS = 16;

/** Small requests per second, against the bare Worker's `ok` and docker-registry. */
export async function lookups(contenders: Contenders, rounds: number, seconds: number): Promise<Row[]> {
  const { registry, baseline, docker } = contenders;
  const config = payload(0);
  for (const each of [registry, docker]) if (each !== undefined) await pushImage(each, config);
  const rate = (service: Service | undefined, method: "GET" | "HEAD", path: string) => async (): Promise<number> =>
    service === undefined
      ? Number.NaN
      : requestRate({ method, url: service.url + path, connections: CONNECTIONS, seconds });
  const manifest = `/v2/${REPOSITORY}/manifests/latest`;
  const blob = `/v2/${REPOSITORY}/blobs/${config.digest}`;
  const rates = await interleave(rounds, {
    ok: rate(baseline, "GET", "/ok"),
    headManifest: rate(registry, "HEAD", manifest),
    dockerHeadManifest: rate(docker, "HEAD", manifest),
    getManifest: rate(registry, "GET", manifest),
    dockerGetManifest: rate(docker, "GET", manifest),
    headBlob: rate(registry, "HEAD", blob),
    dockerHeadBlob: rate(docker, "HEAD", blob),
  });
  const rows: Row[] = [];
  for (const [name, ours, theirs] of [
    ["HEAD manifest by tag", rates.headManifest, rates.dockerHeadManifest],
    ["GET manifest by tag", rates.getManifest, rates.dockerGetManifest],
    ["HEAD blob", rates.headBlob, rates.dockerHeadBlob],
  ] as const) {
    rows.push(rateRow(name, ours, ["bare Worker's ok", rates.ok], atLeast(0.5)));
    if (docker !== undefined) rows.push(rateRow(name, ours, ["docker-registry", theirs], above(1)));
  }
  return rows;
}

const TAGS = 10_000;
/** Tags set by one request: as many as a URL of 16 KB can name, and to spare. */
const TAGS_PER_PUSH = 500;
const PAGE = 100;

/** The first page of a long list of tags against the last one: a cursor makes them cost the same. */
export async function tagPages(registry: Service, rounds: number, seconds: number): Promise<Row[]> {
  const repository = "bench/tags";
  const config = payload(0);
  await pushBlob(registry.url, repository, config, "monolithic");
  const manifest = imageManifest([config]);
  const digest = await putManifest(registry.url, repository, "t00000", manifest);
  for (let start = 0; start < TAGS; start += TAGS_PER_PUSH) {
    const tags = Array.from({ length: TAGS_PER_PUSH }, (_, index) => `tag=${tagName(start + index)}`);
    await putManifest(registry.url, repository, `${digest}?${tags.join("&")}`, manifest);
  }
  const list = `${registry.url}/v2/${repository}/tags/list?n=${PAGE}`;
  const time = (url: string) => async (): Promise<number> =>
    1 / (await requestRate({ method: "GET", url, connections: 1, seconds }));
  const times = await interleave(rounds, {
    first: time(list),
    last: time(`${list}&last=${tagName(TAGS - PAGE - 1)}`),
  });
  return [timeRow(`tags/list: last ${PAGE} of ${TAGS} tags`, times.last, [`first ${PAGE}`, times.first], atLeast(0.8))];
}

function tagName(number: number): string {
  return `t${String(number).padStart(5, "0")}`;
}

async function pushImage({ url }: Service, config: ReturnType<typeof payload>): Promise<void> {
  await pushBlob(url, REPOSITORY, config, "monolithic");
  await putManifest(url, REPOSITORY, "latest", imageManifest([config]));
}
