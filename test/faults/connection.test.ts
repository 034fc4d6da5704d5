import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry, type Repository } from "../conformance/registry-client.ts";
import { type Server, startServer } from "../support/server.ts";
import { halfRequest } from "./half-request.ts";
import { blobStatus, sha256, someBytes } from "./images.ts";
import { openUpload, patch, received, recover } from "./uploads.ts";

const MIB = 1024 * 1024;

/** Waits until the upload has at least `size` bytes. */
async function arrival(repository: Repository, upload: string, size: number): Promise<number> {
  let now = 0;
  for (let turn = 0; turn < 1000; turn += 1) {
    now = (await received(repository, upload)) ?? -1;
    if (now >= size) break;
    await sleep(50);
  }
  return now;
}

describe.each(["filesystem", "r2"])("a connection that breaks, with STORAGE=%s", (storage) => {
  const registry = new Registry();
  let server: Server;

  beforeAll(async () => {
    server = await startServer({ env: { STORAGE: storage } });
    registry.connect(server.url);
  });
  afterAll(async () => {
    await server.stop();
  });

  it.each([3000, 3 * MIB, 11 * MIB])(
    "after %i bytes of a PATCH loses less than a MiB of what arrived",
    async (sent) => {
      const repository = registry.named(`broken/patch-${sent}`);
      const bytes = someBytes(20 * MIB, `${storage} broken ${sent}`);
      const upload = await openUpload(repository);
      const half = await halfRequest(server.url + upload, "PATCH", bytes.byteLength, bytes.subarray(0, sent));
      // Time for them to arrive; otherwise this would be about what is in the sockets.
      await sleep(300);
      half.destroy();
      // The runtime hands on pieces of a MiB; one that was not full is lost with its connection.
      const kept = await arrival(repository, upload, Math.max(0, sent - MIB + 1));
      expect(kept).toBeGreaterThan(sent - MIB);
      expect(kept).toBeLessThanOrEqual(sent);
      expect(await recover(repository, upload, bytes)).toBe("resumed");
    },
  );

  it("again and again still ends in the right blob", async () => {
    const repository = registry.named("broken/often");
    const bytes = someBytes(12 * MIB, `${storage} often`);
    const upload = await openUpload(repository);
    for (let round = 0; round < 4; round += 1) {
      const start = (await received(repository, upload)) ?? 0;
      const chunk = bytes.subarray(start, start + 2 * MIB + round);
      const half = await halfRequest(server.url + upload, "PATCH", bytes.byteLength - start, chunk);
      await sleep(100);
      half.destroy();
      // The registry notices in its own time; until then the session is taken.
      expect(await arrival(repository, upload, start + MIB)).toBeGreaterThanOrEqual(start + MIB);
    }
    expect(await recover(repository, upload, bytes)).toBe("resumed");
  });

  it("in a PUT that brings all the bytes leaves no blob", async () => {
    const repository = registry.named("broken/put");
    const bytes = someBytes(10 * MIB, `${storage} broken put`);
    const upload = await openUpload(repository);
    const target = `${server.url}${upload}&digest=${sha256(bytes)}`;
    const half = await halfRequest(target, "PUT", bytes.byteLength, bytes.subarray(0, 5 * MIB));
    await sleep(200);
    half.destroy();
    await sleep(200);
    expect(await blobStatus(repository, sha256(bytes))).toBe(404);
    await recover(repository, upload, bytes);
  });

  it("does not keep others from their uploads", async () => {
    const repository = registry.named("broken/others");
    const stuck = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const bytes = someBytes(9 * MIB, `${storage} stuck ${index}`);
        const upload = await openUpload(repository);
        return halfRequest(server.url + upload, "PATCH", bytes.byteLength, bytes.subarray(0, 1000 + index));
      }),
    );
    const bytes = someBytes(9 * MIB, `${storage} not stuck`);
    const upload = await openUpload(repository);
    const free = patch(repository, upload, bytes, 0).then(({ status }) => status);
    expect(await Promise.race([free, sleep(20_000, "stuck behind idle clients")])).toBe(202);
    for (const half of stuck) half.destroy();
    await recover(repository, upload, bytes);
  });
});
