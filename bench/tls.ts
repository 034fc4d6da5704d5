import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { interleave, seconds } from "./measure.ts";
import { LAYER_BLOCKS, payload } from "./payload.ts";
import { pushBlob } from "./registry-client.ts";
import { newFolder, type Service, startDockerRegistry, startRegistry } from "./service.ts";
import { atLeast, type Row, timeRow } from "./table.ts";

const REPOSITORY = "bench/tls";

/** Pulls at once. */
const PULLS = 32;

/** Pulls of a layer of 22 MB by TLS, many at once, against docker-registry with the same certificate. */
export async function tlsTransfers(rounds: number): Promise<Row[]> {
  const layer = payload(Math.ceil(LAYER_BLOCKS / 4));
  const push = async ({ url }: Service): Promise<void> => pushBlob(url, REPOSITORY, layer, "chunked");
  const [folder, dockerFolder] = [newFolder(), newFolder()];
  const plain = await startRegistry("filesystem", { folder });
  await push(plain);
  await plain.halt();
  const registry = await startRegistry("filesystem", { folder, args: ["--tls"] });
  const certificate = path.join(folder, "tls", "cert.pem");
  const plainDocker = await startDockerRegistry({ folder: dockerFolder });
  if (plainDocker === undefined) return [];
  await push(plainDocker);
  await plainDocker.halt();
  const tls = { certificate, key: path.join(folder, "tls", "key.pem") };
  const docker = await startDockerRegistry({ folder: dockerFolder, tls });
  if (docker === undefined) return [];
  const pulls = async ({ url }: Service): Promise<number> =>
    seconds(async () =>
      Promise.all(
        Array.from({ length: PULLS }, async () => pull(`${url}/v2/${REPOSITORY}/blobs/${layer.digest}`, certificate)),
      ),
    );
  const times = await interleave(rounds, { ours: () => pulls(registry), docker: () => pulls(docker) });
  await registry.stop();
  await docker.stop();
  return [timeRow(`filesystem: ${PULLS} pulls by TLS`, times.ours, ["docker-registry", times.docker], atLeast(0.9))];
}

/** By a process of its own: decrypting in one would measure the client. */
async function pull(url: string, certificate: string): Promise<void> {
  const options = ["--silent", "--show-error", "--fail", "--output", "/dev/null", "--cacert", certificate];
  const [code] = (await once(spawn("curl", [...options, url], { stdio: "inherit" }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`curl ${url}: ${code}`);
}
