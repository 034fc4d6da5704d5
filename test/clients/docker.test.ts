import { expect, test, describe } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { DOCKER_TYPES, DockerClient } from "../support/docker-client.ts";
import { digestOf } from "../support/oci-layout.ts";
import { pseudoRandom } from "../support/tar.ts";

const MIB = 1024 * 1024;

/** Docker pushes five layers at once unless it is told otherwise. */
const CONCURRENT = 5;

/** Requests of a blob that was not there, with what they were answered. */
const PUSHED = [
  { request: "HEAD", status: 404 },
  { request: "POST", status: 202 },
  { request: "PATCH", status: 202 },
  { request: "PUT", status: 201 },
];

// What docker sends, request by request; the daemon itself is in daemons.test.ts.
describe("docker's requests", () => {
  const at = useServer();
  const client = (repository: string) => new DockerClient(at.server.url, repository);

  test("push an image, five layers at once, and pull it", async () => {
    const docker = client("library/app");
    const layers = Array.from({ length: CONCURRENT }, (_, number) => pseudoRandom(`layer ${number}`, 3 * MIB + number));
    const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux" }));
    const exchanges = await Promise.all(layers.map((layer) => docker.pushBlob(layer)));
    for (const exchange of exchanges) expect(exchange).toEqual(PUSHED);
    await docker.pushBlob(config);
    const digest = await docker.pushManifest("v1", config, layers);

    const manifest = await docker.pullManifest("v1");
    expect(digestOf(manifest)).toBe(digest);
    expect(JSON.parse(Buffer.from(manifest).toString())).toMatchObject({ mediaType: DOCKER_TYPES.manifest });
    const pulled = await Promise.all(layers.map((layer) => docker.pullBlob(digestOf(layer))));
    expect(pulled.map(digestOf)).toEqual(layers.map(digestOf));
  });

  test("do not push a layer that is there", async () => {
    const docker = client("library/again");
    const layer = pseudoRandom("again", MIB);
    expect(await docker.pushBlob(layer)).toEqual(PUSHED);
    expect(await docker.pushBlob(layer)).toEqual([{ request: "HEAD", status: 200 }]);
  });

  test("push the same layer twice at once", async () => {
    const docker = client("library/twice");
    const layer = pseudoRandom("twice", 2 * MIB);
    await Promise.all([docker.pushBlob(layer), docker.pushBlob(layer)]);
    expect(digestOf(await docker.pullBlob(digestOf(layer)))).toBe(digestOf(layer));
  });

  test("begin again after a connection broke", async () => {
    const docker = client("library/broken");
    const layer = pseudoRandom("broken", 6 * MIB);
    const location = await docker.breakOff(layer, 2 * MIB);
    // Docker gives the broken upload up, then starts from the beginning.
    expect((await fetch(location, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(location)).status).toBe(404);
    expect(await docker.pushBlob(layer)).toEqual(PUSHED);
    expect(digestOf(await docker.pullBlob(digestOf(layer)))).toBe(digestOf(layer));
  });

  test("begin again beside an upload that nobody gave up", async () => {
    const docker = client("library/left");
    const layer = pseudoRandom("left", 4 * MIB);
    await docker.breakOff(layer, MIB);
    expect(await docker.pushBlob(layer)).toEqual(PUSHED);
    expect(digestOf(await docker.pullBlob(digestOf(layer)))).toBe(digestOf(layer));
  });

  test("go on with a pull where it broke off", async () => {
    const docker = client("library/resumed");
    const layer = pseudoRandom("resumed", 3 * MIB);
    await docker.pushBlob(layer);
    const rest = await docker.pullBlob(digestOf(layer), MIB + 1);
    expect(digestOf(rest)).toBe(digestOf(layer.subarray(MIB + 1)));
  });

  test("mount a layer from another repository", async () => {
    const layer = pseudoRandom("mounted", MIB);
    await client("library/source").pushBlob(layer);
    const query = new URLSearchParams({ mount: digestOf(layer), from: "library/source" });
    const mounted = await fetch(`${at.server.url}/v2/library/target/blobs/uploads/?${query}`, { method: "POST" });
    expect(mounted.status).toBe(201);
    expect(await client("library/target").pushBlob(layer)).toEqual([{ request: "HEAD", status: 200 }]);
  });
});
