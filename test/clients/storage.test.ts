import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientHome, createClientHome } from "../support/client-home.ts";
import { digestOf, type Layout, writeLayout } from "../support/oci-layout.ts";
import { type S3Service, s3Settings, startS3Service } from "../support/s3-service.ts";
import { type Server, startServer } from "../support/server.ts";
import { pullLayout, pushLayout } from "../support/skopeo.ts";
import { pseudoRandom } from "../support/tar.ts";

/** Larger than one part of a multipart upload, and than a part and a half. */
const LAYER_BYTES = 13_000_000;

const REPOSITORY = "team/app";

describe.each(["filesystem", "r2", "s3"] as const)("an image on %s", (storage) => {
  let s3: S3Service | undefined;
  let server: Server | undefined;
  let settings: Record<string, string>;
  let data: string;
  let home: ClientHome;
  let layout: Layout;
  beforeAll(async () => {
    if (storage === "s3") s3 = await startS3Service();
    settings = s3 === undefined ? { STORAGE: storage } : s3Settings(s3);
    data = mkdtempSync(path.join(tmpdir(), "entrepot-data-"));
    home = createClientHome();
    layout = writeLayout(home.path("source"), { seed: storage, layerBytes: LAYER_BYTES });
    server = await startServer({ data, env: settings });
    await pushLayout(home, layout, image());
  });
  afterAll(async () => {
    await server?.stop();
    await s3?.stop();
    rmSync(data, { recursive: true, force: true });
    home.remove();
  });

  const image = (): string => `${server?.host}/${REPOSITORY}:v1`;

  test("comes back without a changed byte", async () => {
    const pulled = await pullLayout(home, image(), "first");
    expect(pulled).toEqual({ digest: layout.index.digest, digests: layout.digests });
  });

  test(storage === "s3" ? "is pulled from S3 itself" : "is pulled from the registry", async () => {
    const digest = layout.layers[0]?.[0]?.digest ?? "";
    const response = await fetch(`${server?.url}/v2/${REPOSITORY}/blobs/${digest}`, { redirect: "manual" });
    if (s3 === undefined) {
      expect(response.status).toBe(200);
      expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(digest);
      return;
    }
    expect(response.status).toBe(307);
    const location = response.headers.get("location") ?? "";
    expect(location.startsWith(`${s3.endpoint}/${s3.bucket}/`)).toBe(true);
    expect(digestOf(new Uint8Array(await (await fetch(location)).arrayBuffer()))).toBe(digest);
  });

  test("goes together with files that arrive in one PUT each", async () => {
    // skopeo sends a layer as one PATCH; this is how oras, helm and containerd push.
    const artifact = `${server?.host}/${REPOSITORY}/files:v1`;
    const bytes = pseudoRandom(storage, LAYER_BYTES);
    writeFileSync(home.path("file.bin"), bytes);
    await home.run("oras", ["push", "--plain-http", artifact, "file.bin"], { timeout: 60_000 });
    await home.run("oras", ["pull", "--plain-http", artifact, "--output", "pulled"], { timeout: 60_000 });
    expect(digestOf(readFileSync(home.path("pulled/file.bin")))).toBe(digestOf(bytes));
  });

  test("is there after a restart, and takes more tags", async () => {
    expect(await server?.stop()).toBe(0);
    server = await startServer({ data, env: settings });
    const pulled = await pullLayout(home, image(), "second");
    expect(pulled).toEqual({ digest: layout.index.digest, digests: layout.digests });
    await pushLayout(home, layout, `${server.host}/${REPOSITORY}:v2`);
    const listed: unknown = await (await fetch(`${server.url}/v2/${REPOSITORY}/tags/list`)).json();
    expect(listed).toEqual({ name: REPOSITORY, tags: ["v1", "v2"] });
  });
});
