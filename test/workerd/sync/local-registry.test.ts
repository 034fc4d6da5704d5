import { describe, expect, it } from "vitest";
import { createContent, R2BlobStore } from "../../../src/content/index.ts";
import { patterned, sha256 } from "../../../src/mirror/memory-registry.fixture.ts";
import { InstanceStore, parseConfig } from "../../../src/platform/index.ts";
import { createLocalRegistry } from "../../../src/sync/local/index.ts";
import { bindings, retries } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

const signal = new AbortController().signal;
const content = createContent({
  config: parseConfig({}),
  database: bindings.DB,
  store: new R2BlobStore(bindings.BLOBS, retries),
  sessions: bindings.UPLOAD_SESSIONS,
  instance: new InstanceStore(bindings.DB, undefined),
  retries,
  edge: undefined,
  clock: Date.now,
  log: quietLog,
  background: (work) => void work.catch(() => {}),
});

/** This registry, for a task that may read `team-a` and write `team-b`. */
function registry(readOnly = false) {
  const mayUse = (verb: "pull" | "push", namespace: string) => namespace === (verb === "pull" ? "team-a" : "team-b");
  return createLocalRegistry({ content, name: "local", readOnly, mayUse });
}

const streamOf = (bytes: Uint8Array) => new Blob([new Uint8Array(bytes)]).stream();
const blobOf = (bytes: Uint8Array) => ({ mediaType: "any", digest: sha256(bytes), size: bytes.byteLength });

describe("what a task may do in this registry", () => {
  it.each([
    ["team-c/app", "push", "denied"],
    ["team-a/app", "push", "denied"],
    ["team-b/app", "pull", "denied"],
    ["app", "push", "denied"],
    ["team-b-2/app", "push", "denied"],
    ["team-b/../team-c", "push", "refused"],
    ["Team-B/app", "push", "refused"],
  ] as const)("is checked: %s for %s is %s", async (name, access, failure) => {
    const repository = registry().repository(name, access);
    await expect(repository.head("v1")).rejects.toMatchObject({ failure });
    const bytes = patterned(10);
    await expect(repository.putBlob(blobOf(bytes), streamOf(bytes))).rejects.toMatchObject({ failure });
  });

  it("does not include writing to a registry that is read-only", async () => {
    await expect(registry(true).repository("team-b/app", "push").deleteTag("v1")).rejects.toMatchObject({
      failure: "denied",
    });
  });

  it("does not include taking blobs over from elsewhere", async () => {
    const bytes = patterned(100, 7);
    const other = createLocalRegistry({ content, name: "local", readOnly: false, mayUse: () => true });
    await other.repository("team-c/secret", "push").putBlob(blobOf(bytes), streamOf(bytes));
    await other.repository("team-a/open", "push").putBlob(blobOf(bytes), streamOf(bytes));
    const target = registry().repository("team-b/app", "push");
    expect(await target.mount(sha256(bytes), "team-c/secret")).toBe(false);
    expect(await target.hasBlob(sha256(bytes))).toBe(false);
    expect(await target.mount(sha256(bytes), "team-a/open")).toBe(true);
    expect(await target.hasBlob(sha256(bytes))).toBe(true);
  });
});

describe("content of this registry", () => {
  it("is refused if the bytes are others than said", async () => {
    const target = registry().repository("team-b/app", "push");
    const bytes = patterned(100, 2);
    const wrong = { ...blobOf(bytes), digest: sha256(patterned(100, 3)) };
    await expect(target.putBlob(wrong, streamOf(bytes))).rejects.toMatchObject({ failure: "corrupt" });
    const nothing = new Uint8Array();
    const manifest = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: sha256(nothing),
      bytes: nothing,
    };
    await expect(target.putManifest("v1", manifest)).rejects.toMatchObject({ failure: "refused" });
  });

  it("is uploaded in parts, which another process goes on with", async () => {
    const target = registry().repository("team-b/parts", "push");
    const bytes = patterned(3000, 4);
    const first = await target.upload();
    await first.append(streamOf(bytes.subarray(0, 1000)), 1000);
    const second = await registry().repository("team-b/parts", "push").upload(first.state);
    expect(second.state).toEqual({ location: first.state.location, offset: 1000 });
    await second.append(streamOf(bytes.subarray(1000)), 2000);
    await second.close(sha256(bytes));
    expect(await target.hasBlob(sha256(bytes))).toBe(true);
    // An upload of another repository is none.
    const stolen = await registry().repository("team-b/other", "push").upload(first.state);
    expect(stolen.state.offset).toBe(0);
  });

  it("is read from any byte on", async () => {
    const bytes = patterned(300_000, 5);
    const all = createLocalRegistry({ content, name: "local", readOnly: false, mayUse: () => true });
    const repository = all.repository("team-a/read", "push");
    await repository.putBlob(blobOf(bytes), streamOf(bytes));
    const read = await repository.blob(sha256(bytes), 299_990, signal);
    expect(read?.start).toBe(299_990);
    expect(new Uint8Array(await new Response(read?.stream).arrayBuffer())).toEqual(bytes.slice(299_990));
    expect(await repository.blob(sha256(patterned(1)), 0, signal)).toBeUndefined();
  });
});
