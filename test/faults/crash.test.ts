import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { query, Registry, type Repository } from "../conformance/registry-client.ts";
import { type Server, startServer } from "../support/server.ts";
import { halfRequest } from "./half-request.ts";
import { blobStatus, expectSound, image, pushBlob, pushImage, sha256, someBytes, tagsOf } from "./images.ts";
import { openUpload, patch, received, recover } from "./uploads.ts";

const MIB = 1024 * 1024;
/** Each round kills the server a little later than the one before. */
const DELAYS_MS = [0, 15, 60];

/** Kills the server as a power cut would, at different moments of each kind of request, and sees what is left. */
describe.each(["filesystem", "r2"])("a crash, with STORAGE=%s", (storage) => {
  const data = mkdtempSync(path.join(tmpdir(), "entrepot-crash-"));
  const registry = new Registry();
  let server: Server;

  const start = async () => {
    server = await startServer({ data, env: { STORAGE: storage } });
    registry.connect(server.url);
  };
  const crash = async () => {
    await server.kill();
    await start();
  };
  beforeAll(start);
  afterAll(async () => {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  });

  it.each(DELAYS_MS)("%i ms into a PATCH", async (delay) => {
    const repository = registry.named(`crash/patch-${delay}`);
    const bytes = someBytes(20 * MIB, `${storage} patch ${delay}`);
    const upload = await openUpload(repository);
    expect((await patch(repository, upload, bytes.subarray(0, MIB), 0)).status).toBe(202);
    await halfRequest(server.url + upload, "PATCH", bytes.byteLength - MIB, bytes.subarray(MIB, 12 * MIB));
    await sleep(delay);
    await crash();
    const size = await received(repository, upload);
    // What was acknowledged is there.
    expect(size).toBeGreaterThanOrEqual(MIB);
    expect(await recover(repository, upload, bytes)).toBe("resumed");
  });

  it.each([1000, 5 * MIB, 8 * MIB, 9 * MIB])("between the PATCHes of %i bytes and the PUT", async (size) => {
    const repository = registry.named(`crash/between-${size}`);
    const bytes = someBytes(2 * size, `${storage} between ${size}`);
    const upload = await openUpload(repository);
    expect((await patch(repository, upload, bytes.subarray(0, size), 0)).status).toBe(202);
    await crash();
    expect(await received(repository, upload)).toBe(size);
    expect((await patch(repository, upload, bytes.subarray(size), size)).status).toBe(202);
    await crash();
    expect(await received(repository, upload)).toBe(2 * size);
    expect(await recover(repository, upload, bytes)).toBe("resumed");
  });

  it("between the PATCH and a PUT of the wrong digest", async () => {
    const repository = registry.named("crash/wrong");
    const bytes = someBytes(9 * MIB, `${storage} wrong`);
    const upload = await openUpload(repository);
    expect((await patch(repository, upload, bytes, 0)).status).toBe(202);
    await crash();
    const digest = sha256(someBytes(9 * MIB, "something else"));
    const closed = await repository.send("PUT", upload, query("digest", digest));
    expect(closed.status).toBe(400);
    expect([await blobStatus(repository, digest), await blobStatus(repository, sha256(bytes))]).toEqual([404, 404]);
  });

  it.each(DELAYS_MS)("%i ms into a PUT that brings the bytes", async (delay) => {
    const repository = registry.named(`crash/put-${delay}`);
    const bytes = someBytes(10 * MIB, `${storage} put ${delay}`);
    const digest = sha256(bytes);
    const fresh = await openUpload(repository);
    const used = await openUpload(repository);
    expect((await patch(repository, used, bytes.subarray(0, 1000), 0)).status).toBe(202);
    const half = bytes.subarray(0, 5 * MIB);
    await halfRequest(`${server.url}${fresh}&digest=${digest}`, "PUT", bytes.byteLength, half);
    await halfRequest(`${server.url}${used}&digest=${digest}`, "PUT", bytes.byteLength - 1000, half);
    await sleep(delay);
    await crash();
    expect(await blobStatus(repository, digest)).toBe(404);
    await recover(repository, fresh, bytes);
    await recover(repository, used, bytes);
  });

  it.each(DELAYS_MS)("%i ms after the last byte of many uploads", async (delay) => {
    const repository = registry.named(`crash/close-${delay}`);
    const blobs = Array.from({ length: 6 }, (_, index) => someBytes(2 * MIB, `${storage} close ${delay} ${index}`));
    const uploads = await Promise.all(
      blobs.map(async (bytes) => {
        const upload = await openUpload(repository);
        await patch(repository, upload, bytes.subarray(0, MIB), 0);
        await patch(repository, upload, bytes.subarray(MIB), MIB);
        return { bytes, upload };
      }),
    );
    const closing = uploads.map(({ bytes, upload }) => closed(repository, upload, bytes));
    await sleep(delay);
    await crash();
    const acknowledged = await Promise.all(closing);
    for (const [index, { bytes, upload }] of uploads.entries()) {
      if (acknowledged[index]) expect(await blobStatus(repository, sha256(bytes))).toBe(200);
      else if ((await blobStatus(repository, sha256(bytes))) === 404) {
        const again = await repository.send("PUT", upload, query("digest", sha256(bytes)));
        // Closed after all, or a proper error; a client then starts anew.
        expect([201, 404], new TextDecoder().decode(again.bytes)).toContain(again.status);
        if (again.status === 404) await recover(repository, await openUpload(repository), bytes);
        expect(await blobStatus(repository, sha256(bytes))).toBe(200);
      }
    }
  });

  it.each(DELAYS_MS)("%i ms into many pushes of manifests", async (delay) => {
    const repository = registry.named(`crash/manifests-${delay}`);
    const config = await pushBlob(repository, someBytes(500, `${storage} config ${delay}`));
    const layer = await pushBlob(repository, someBytes(MIB, `${storage} layer ${delay}`));
    const pushes = Array.from({ length: 30 }, async (_, index) => {
      const made = image(config, [layer], `${delay} ${index}`);
      const answer = await pushImage(repository, made, `v${index % 20}`).catch(() => undefined);
      return answer?.status === 201 ? made.digest : undefined;
    });
    await sleep(delay);
    await crash();
    await expectSound(repository);
    for (const digest of await Promise.all(pushes)) {
      if (digest === undefined) continue;
      expect((await repository.send("GET", `manifests/${digest}`)).status).toBe(200);
    }
    // The registry works on.
    expect((await pushImage(repository, image(config, [layer], "after"), "after")).status).toBe(201);
    expect(await tagsOf(repository)).toContain("after");
  });

  it.each(DELAYS_MS)("%i ms into many deletes", async (delay) => {
    const repository = registry.named(`crash/deletes-${delay}`);
    const config = await pushBlob(repository, someBytes(500, `${storage} config of deletes ${delay}`));
    const layers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => pushBlob(repository, someBytes(900, `${storage} ${delay} ${index}`))),
    );
    const images = layers.map((layer) => image(config, [layer], `delete ${delay}`));
    for (const [index, made] of images.entries()) await pushImage(repository, made, `v${index}`);
    const deletes = images.map(async ({ digest }, index) => {
      const manifest = await repository.send("DELETE", `manifests/${digest}`).catch(() => undefined);
      const blob = await repository.send("DELETE", `blobs/${layers[index] ?? ""}`).catch(() => undefined);
      return [manifest?.status, blob?.status];
    });
    await sleep(delay);
    await crash();
    await expectSound(repository);
    const left = await tagsOf(repository);
    for (const [index, [manifest, blob]] of (await Promise.all(deletes)).entries()) {
      if (manifest === 202) expect(left).not.toContain(`v${index}`);
      if (blob === 202) expect(await blobStatus(repository, layers[index] ?? "")).toBe(404);
    }
  });
});

async function closed(repository: Repository, upload: string, bytes: Uint8Array): Promise<boolean> {
  const answer = await repository.send("PUT", upload, query("digest", sha256(bytes))).catch(() => undefined);
  return answer?.status === 201;
}
