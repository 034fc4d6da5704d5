import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { forEach, interleave, seconds } from "./measure.ts";
import { LAYER_BLOCKS, type Payload, payload } from "./payload.ts";
import { pushBlob } from "./registry-client.ts";
import { newFolder, type Peer, PEER_NAMES, type Service, startPeer, startRegistry, type TlsFiles } from "./service.ts";
import { atLeast, type Row, timeRow } from "./table.ts";

const REPOSITORY = "bench/tls";

/** Pulls at once. */
const PULLS = 32;

/** Pulls of a layer of 22 MB by TLS, many at once, against other registries with the same certificate. */
export async function tlsTransfers(rounds: number): Promise<Row[]> {
  const layer = payload(Math.ceil(LAYER_BLOCKS / 4));
  const folder = newFolder();
  const plain = await startRegistry("filesystem", { folder });
  await pushBlob(plain.url, REPOSITORY, layer, "chunked");
  await plain.halt();
  const registry = await startRegistry("filesystem", { folder, args: ["--tls"] });
  const certificate = path.join(folder, "tls", "cert.pem");
  const peers = await startPeersByTls({ certificate, key: path.join(folder, "tls", "key.pem") }, layer);
  const pulls = (service: Service) => async (): Promise<number> =>
    seconds(async () =>
      Promise.all(
        Array.from({ length: PULLS }, async () =>
          pull(`${service.url}/v2/${REPOSITORY}/blobs/${layer.digest}`, certificate),
        ),
      ),
    );
  const times = await interleave<string>(rounds, {
    ours: pulls(registry),
    ...forEach(peers, "by", ({ service }) => pulls(service)),
  });
  await registry.stop();
  for (const { service } of peers) await service.stop();
  const of = (key: string): number => times[key] ?? Number.NaN;
  return peers.map(({ name }) =>
    timeRow(`filesystem: ${PULLS} pulls by TLS`, of("ours"), [name, of(`by ${name}`)], atLeast(0.9)),
  );
}

/** They get the layer before they speak TLS. */
async function startPeersByTls(tls: TlsFiles, layer: Payload): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of PEER_NAMES) {
    const folder = newFolder();
    const plain = await startPeer(name, { folder });
    if (plain === undefined) continue;
    await pushBlob(plain.url, REPOSITORY, layer, "chunked");
    await plain.halt();
    const service = await startPeer(name, { folder, tls });
    if (service !== undefined) peers.push({ name, service });
  }
  return peers;
}

/** By a process of its own: decrypting in one would measure the client. */
async function pull(url: string, certificate: string): Promise<void> {
  const options = ["--silent", "--show-error", "--fail", "--output", "/dev/null", "--cacert", certificate];
  const [code] = (await once(spawn("curl", [...options, url], { stdio: "inherit" }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`curl ${url}: ${code}`);
}
