import { forEach, interleave } from "./measure.ts";
import { payload } from "./payload.ts";
import { imageManifest, pushBlob, putManifest } from "./registry-client.ts";
import { requestRate } from "./request-rate.ts";
import type { Service } from "./service.ts";
import { above, atLeast, rateRow, type Row, timeRow } from "./table.ts";
import type { Contenders } from "./transfers.ts";

const REPOSITORY = "bench/lookups";
const MANY_REPOSITORY = "bench/many-tags";
const CONNECTIONS = 16;

/** Tags of the longer list: as many as other registries give at once. */
const MANY_TAGS = 1000;
const PUSHES_AT_ONCE = 8;

/** Small requests per second, against the bare Worker's `ok` and other registries. */
export async function lookups(contenders: Contenders, rounds: number, seconds: number): Promise<Row[]> {
  const { registry, baseline, peers } = contenders;
  const config = payload(0);
  for (const { url } of [registry, ...peers.map(({ service }) => service)]) await pushImages(url, config);
  const rate = (service: Service, method: "GET" | "HEAD", path: string) => async (): Promise<number> =>
    requestRate({ method, url: service.url + path, connections: CONNECTIONS, seconds });
  const rows: Row[] = [];
  for (const [name, method, path] of [
    ["HEAD manifest by tag", "HEAD", `/v2/${REPOSITORY}/manifests/latest`],
    ["GET manifest by tag", "GET", `/v2/${REPOSITORY}/manifests/latest`],
    ["HEAD blob", "HEAD", `/v2/${REPOSITORY}/blobs/${config.digest}`],
    ["GET blob of 64 bytes", "GET", `/v2/${REPOSITORY}/blobs/${config.digest}`],
    ["tags/list of 1 tag", "GET", `/v2/${REPOSITORY}/tags/list`],
    [`tags/list of ${MANY_TAGS} tags`, "GET", `/v2/${MANY_REPOSITORY}/tags/list`],
    ["catalog", "GET", "/v2/_catalog"],
  ] as const) {
    const rates = await interleave<string>(rounds, {
      ours: rate(registry, method, path),
      ok: rate(baseline, "GET", "/ok"),
      ...forEach(peers, "by", ({ service }) => rate(service, method, path)),
    });
    const of = (key: string): number => rates[key] ?? Number.NaN;
    rows.push(rateRow(name, of("ours"), ["bare Worker's ok", of("ok")], atLeast(0.5)));
    for (const peer of peers) rows.push(rateRow(name, of("ours"), [peer.name, of(`by ${peer.name}`)], above(1)));
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

/** A repository with one tag, and one with many. */
async function pushImages(registry: string, config: ReturnType<typeof payload>): Promise<void> {
  const manifest = imageManifest([config]);
  for (const repository of [REPOSITORY, MANY_REPOSITORY]) await pushBlob(registry, repository, config, "monolithic");
  await putManifest(registry, REPOSITORY, "latest", manifest);
  for (let start = 0; start < MANY_TAGS; start += PUSHES_AT_ONCE) {
    const numbers = Array.from({ length: PUSHES_AT_ONCE }, (_, index) => start + index);
    await Promise.all(numbers.map(async (number) => putManifest(registry, MANY_REPOSITORY, tagName(number), manifest)));
  }
}
