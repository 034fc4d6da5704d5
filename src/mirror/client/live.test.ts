import { digestBytes } from "../../oci/index.ts";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { streamOf, testBudget } from "./network.fixture.ts";
import { createRemoteRegistry } from "./remote-registry.ts";

const BINARY = "docker-registry";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

const sha256 = (bytes: Uint8Array) => digestBytes("sha256", bytes);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe.skipIf(spawnSync(BINARY, ["--version"]).status !== 0)("against the distribution registry", () => {
  let folder: string;
  let server: ChildProcess;
  let origin: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "entrepot-mirror-"));
    origin = `127.0.0.1:${await freePort()}`;
    const settings = path.join(folder, "config.yml");
    await writeFile(
      settings,
      `version: 0.1\nlog: {level: error}\nhttp: {addr: "${origin}"}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\n`,
    );
    server = spawn(BINARY, ["serve", settings], { stdio: "ignore" });
    for (let tries = 0; tries < 1000; tries += 1) {
      if (
        await fetch(`http://${origin}/v2/`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return;
      await sleep(50);
    }
    throw new Error("the registry does not start");
  });

  afterAll(async () => {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const connect = () =>
    createRemoteRegistry({
      name: "live",
      url: origin,
      insecure: true,
      allowPrivate: true,
      fetch: (input, init) => fetch(input, init),
      budget: testBudget().budget,
      clock: Date.now,
      signal: new AbortController().signal,
    });

  it("writes and reads an image, in one piece and in parts", async () => {
    const registry = connect();
    await registry.check();
    const repository = registry.repository("team/app", "push");
    const config = new TextEncoder().encode(JSON.stringify({ architecture: "amd64", os: "linux" }));
    const layer = new Uint8Array(100_000).map((_, index) => index % 251);
    const descriptor = (mediaType: string, bytes: Uint8Array) => ({
      mediaType,
      digest: sha256(bytes),
      size: bytes.byteLength,
    });
    const configBlob = descriptor("application/vnd.oci.image.config.v1+json", config);
    const layerBlob = descriptor("application/vnd.oci.image.layer.v1.tar", layer);

    expect(await repository.hasBlob(configBlob.digest)).toBe(false);
    await repository.putBlob(configBlob, streamOf(config));
    expect(await repository.hasBlob(configBlob.digest)).toBe(true);
    await repository.putBlob(descriptor("application/octet-stream", new Uint8Array()), streamOf(new Uint8Array()));

    const first = await repository.upload();
    await first.append(streamOf(layer.slice(0, 60_000), 4096), 60_000);
    expect(first.state.offset).toBe(60_000);
    const second = await connect().repository("team/app", "push").upload({ location: first.state.location, offset: 1 });
    expect(second.state.offset).toBe(60_000);
    await second.append(streamOf(layer.slice(60_000), 4096), 40_000);
    await second.close(layerBlob.digest);

    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: configBlob, layers: [layerBlob] }),
    );
    const content = { mediaType: MANIFEST, digest: sha256(bytes), bytes };
    expect(await repository.putManifest("v1", content)).toEqual({ subject: false });
    expect(await repository.head("v1")).toEqual({
      mediaType: MANIFEST,
      digest: content.digest,
      size: bytes.byteLength,
    });
    expect(await repository.manifest(content.digest)).toEqual(content);
    expect(await repository.head("v2")).toBeUndefined();
    expect(await repository.manifest("v2")).toBeUndefined();
    expect(await Array.fromAsync(repository.tags())).toEqual([["v1"]]);

    const part = await repository.blob(layerBlob.digest, 99_000, new AbortController().signal);
    expect(part?.start).toBe(99_000);
    expect(new Uint8Array(await new Response(part?.stream).arrayBuffer())).toEqual(layer.slice(99_000));
    const beyond = await repository.blob(layerBlob.digest, 200_000, new AbortController().signal);
    expect(beyond?.start).toBe(0);
    await beyond?.stream.cancel();
    expect(await repository.blob(sha256(bytes.slice(1)), 0, new AbortController().signal)).toBeUndefined();

    expect(await repository.referrers(content.digest)).toEqual([]);
    expect(registry.capabilities().referrers).toBe(false);
    const other = registry.repository("other", "push");
    expect(await other.mount(layerBlob.digest, "team/app")).toBe(true);
    expect(await other.mount(sha256(bytes.slice(1)), "team/app")).toBe(false);
    expect(await registry.projects()).toEqual(["other", "team"]);
    expect(await Array.fromAsync(registry.repositories("team"))).toEqual([["team/app"]]);
    await expect(repository.deleteTag("v1")).rejects.toMatchObject({ failure: "unsupported" });
  });

  it("says why an upload fails", async () => {
    const repository = connect().repository("team/bad", "push");
    const bytes = new Uint8Array(1000).fill(1);
    const blob = { mediaType: "application/octet-stream", digest: sha256(new Uint8Array(3)), size: 1000 };
    await expect(repository.putBlob(blob, streamOf(bytes))).rejects.toMatchObject({ failure: "corrupt" });
    await expect(repository.putBlob({ ...blob, size: 2000 }, streamOf(bytes))).rejects.toMatchObject({
      failure: "transient",
    });
    await expect(repository.putBlob({ ...blob, size: 500 }, streamOf(bytes))).rejects.toMatchObject({
      failure: "corrupt",
    });
    const missing = { schemaVersion: 2, mediaType: MANIFEST, config: blob, layers: [] };
    const manifest = new TextEncoder().encode(JSON.stringify(missing));
    await expect(
      repository.putManifest("v1", { mediaType: MANIFEST, digest: sha256(manifest), bytes: manifest }),
    ).rejects.toMatchObject({ failure: "missing" });
  });
});
