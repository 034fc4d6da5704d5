import { describe, expect, it } from "vitest";
import { MemoryRegistry, patterned } from "../memory-registry.fixture.ts";
import type { TargetBlob } from "../ports.ts";
import { RegistryError } from "../registry.ts";
import type { CopyRules } from "./copy-contract.ts";
import { copyNow, target, testPorts } from "./copy.fixture.ts";

const SIZE = 100_000;
/** Bytes of the config that each image has. */
const CONFIG = 37;
const LARGE: Partial<CopyRules> = { largeBlob: 50_000, partSize: 10_000 };

function setUp(capabilities = {}, size = SIZE) {
  const source = new MemoryRegistry({ name: "hub" });
  const to = new MemoryRegistry({ name: "local", capabilities });
  const layer = source.addBlob("app", patterned(size));
  source.addImage("app", { layers: [layer], tag: "v1" });
  const arrived = () => to.stored.get("mirror/app")?.blobs.get(layer.digest)?.byteLength;
  /** Where the layer was read from, in order. */
  const reads = () =>
    source.calls
      .filter(({ operation, reference }) => operation === "blob" && reference === layer.digest)
      .map(({ bytes }) => bytes);
  return { source, to, layer, arrived, reads, key: `${to.origin}|mirror/app|${layer.digest}` };
}

describe("what is wrong", () => {
  it.each([
    ["in one request", {}],
    ["in parts", LARGE],
  ])("content, %s: nothing appears, and one more reading helps", async (_, rules) => {
    const { source, to, layer, arrived } = setUp();
    source.corrupt.set(layer.digest, 1);
    await copyNow(source, to, rules);
    expect(arrived()).toBe(SIZE);
    expect(source.count("blob", layer.digest)).toBe(2);
    expect(to.uploads.size).toBe(0);
  });

  it.each([
    ["in one request", {}],
    ["in parts", LARGE],
  ])("content for good, %s: fails, and leaves nothing behind", async (_, rules) => {
    const { source, to, layer, arrived } = setUp();
    source.corrupt.set(layer.digest, 99);
    const ports = testPorts();
    await expect(copyNow(source, to, rules, ports)).rejects.toMatchObject({ failure: "corrupt" });
    expect(source.count("blob", layer.digest)).toBe(2);
    expect(arrived()).toBeUndefined();
    expect(to.tagsOf("mirror/app")).toEqual({});
    expect(to.uploads.size).toBe(0);
    expect(ports.positions.size).toBe(0);
  });

  it.each([
    ["shorter", -1],
    ["longer", 1],
  ])("a blob that is %s than its descriptor says", async (_, difference) => {
    const { source, to } = setUp();
    const blob = source.addBlob("app", patterned(1000, 7));
    source.addImage("app", { layers: [{ ...blob, size: blob.size - difference }], tag: "v1" });
    await expect(copyNow(source, to)).rejects.toMatchObject({ failure: "corrupt" });
  });

  it("a blob that the source lacks: failed at once, other tags untouched", async () => {
    const { source, to, layer } = setUp();
    source.stored.get("app")?.blobs.delete(layer.digest);
    await expect(copyNow(source, to)).rejects.toMatchObject({ failure: "missing" });
    expect(source.count("blob", layer.digest)).toBe(1);
  });
});

describe("connections to the source that break", () => {
  it("go on where they broke, without the target noticing", async () => {
    const { source, to, layer, arrived, reads } = setUp();
    source.cut.set(layer.digest, { after: 30_000, times: 99 });
    await copyNow(source, to);
    expect(arrived()).toBe(SIZE);
    expect(reads()).toEqual([0, 30_000, 60_000, 90_000]);
    expect(to.count("putBlob", layer.digest)).toBe(1);
  });

  it("are read from the start where the source ignores ranges, and only the rest is sent", async () => {
    const { source, to, layer, arrived } = setUp();
    source.ranges = false;
    source.cut.set(layer.digest, { after: 60_000, times: 1 });
    const result = await copyNow(source, to, LARGE);
    expect(arrived()).toBe(SIZE);
    expect(to.calls.filter(({ operation }) => operation === "append")).toHaveLength(10);
    expect(result.bytes).toBe(SIZE + CONFIG);
  });

  it("are given up after some tries without a new byte", async () => {
    const { source, to, layer } = setUp();
    source.cut.set(layer.digest, { after: 0, times: 99 });
    const ports = testPorts();
    await expect(
      copyNow(source, to, { retry: { attempts: 3, initial: 10, maximum: 15 } }, ports),
    ).rejects.toMatchObject({
      failure: "transient",
    });
    expect(source.count("blob", layer.digest)).toBe(3);
    expect(ports.waits).toEqual([10, 15]);
  });

  it("wait as long as the registry asks", async () => {
    const { source, to, arrived } = setUp();
    source.limitNext("blob", 700);
    const ports = testPorts();
    await copyNow(source, to, {}, ports);
    expect(arrived()).toBe(SIZE);
    expect(ports.waits).toEqual([700]);
  });

  it("are left to a later time when the registry asks for more than the longest wait", async () => {
    const { source, to } = setUp();
    source.limitNext("blob", 3_600_000, 99);
    const ports = testPorts();
    await expect(copyNow(source, to, {}, ports)).rejects.toMatchObject({ retryAfter: 3_600_000 });
    expect(ports.waits).toEqual([]);
  });

  it("are not tried again when the budget says not now", async () => {
    const { source, to } = setUp();
    source.failNext("blob", () => new RegistryError("delayed", "later", { retryAfter: 10 }), 99);
    await expect(copyNow(source, to)).rejects.toMatchObject({ failure: "delayed" });
  });
});

describe("large layers", () => {
  it("are sent in parts, and the position is noted after each", async () => {
    const { source, to, arrived, key } = setUp();
    const offsets: number[] = [];
    const ports = testPorts();
    const checkpoints = {
      ...ports.checkpoints,
      save: async (blob: TargetBlob, at: { location: string; offset: number }) => {
        expect(`${blob.origin}|${blob.repository}|${blob.digest}`).toBe(key);
        offsets.push(at.offset);
        await ports.checkpoints.save(blob, at);
      },
    };
    await copyNow(source, to, LARGE, { ...ports, checkpoints });
    expect(arrived()).toBe(SIZE);
    expect(offsets).toEqual(Array.from({ length: 11 }, (_, part) => part * 10_000));
    expect(ports.positions.size).toBe(0);
    expect(to.count("putBlob")).toBe(1);
  });

  it("go in one request where the target takes no parts", async () => {
    const { source, to, layer, arrived } = setUp({ chunks: false });
    await copyNow(source, to, LARGE);
    expect(to.count("putBlob", layer.digest)).toBe(1);
    expect(arrived()).toBe(SIZE);
  });

  it.each([
    ["with what had arrived", true, 35_840],
    ["without it", false, 30_000],
  ])("go on after the target's connection broke, %s", async (_, keepPartial, from) => {
    const { source, to, arrived, reads } = setUp();
    to.keepPartial = keepPartial;
    let appends = 0;
    to.before = ({ operation }) => {
      if (operation === "append" && ++appends === 4) to.cutUpload.set("append", { after: 5000, times: 1 });
    };
    await copyNow(source, to, LARGE);
    expect(arrived()).toBe(SIZE);
    expect(reads()).toEqual([0, from]);
  });

  it.each([25, 50, 75, 90])("that another process had at %i %% are not read from their start", async (percent) => {
    const { source, to, arrived, reads } = setUp();
    const stop = new AbortController();
    let appends = 0;
    to.before = ({ operation }) => {
      if (operation === "append") appends++;
      if (appends * 10 > percent) stop.abort(new Error("killed"));
    };
    const ports = testPorts();
    await expect(copyNow(source, to, LARGE, { ...ports, signal: stop.signal })).rejects.toThrow("killed");
    to.before = undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
    source.calls.length = 0;
    const events = ports.events.length;
    await copyNow(source, to, LARGE, ports);
    expect(arrived()).toBe(SIZE);
    for (const from of reads()) expect(from).toBeGreaterThanOrEqual((percent * SIZE) / 100 - 10_000);
    expect(ports.positions.size).toBe(0);
    expect(JSON.stringify(ports.events.slice(events))).toContain("verified by the target only");
  });

  it("begin anew when the target forgot the upload", async () => {
    const { source, to, arrived, reads, key } = setUp();
    const ports = testPorts();
    ports.positions.set(key, { location: "https://local.test/gone", offset: 70_000 });
    await copyNow(source, to, LARGE, ports);
    expect(arrived()).toBe(SIZE);
    expect(reads()).toEqual([0]);
  });

  it("are closed again when only that failed, and not sent again", async () => {
    const { source, to, arrived, reads } = setUp();
    to.failNext("close", () => new RegistryError("transient", "502", { status: 502 }));
    const ports = testPorts();
    await copyNow(source, to, LARGE, ports);
    expect(arrived()).toBe(SIZE);
    expect(reads()).toEqual([0]);
    expect(to.count("append")).toBe(10);
    const said = ports.events.flatMap((event) => (event.type === "log" ? [event.message] : []));
    expect(said.join()).toMatch(/sending sha256:\w+ to local\/mirror\/app again: 502/);
  });

  it("begin anew when what was uploaded turns out wrong", async () => {
    const { source, to, arrived, reads, key } = setUp();
    const ports = testPorts();
    to.uploads.set("https://local.test/other", patterned(40_000, 9));
    ports.positions.set(key, { location: "https://local.test/other", offset: 40_000 });
    await copyNow(source, to, LARGE, ports);
    expect(arrived()).toBe(SIZE);
    expect(reads()).toEqual([40_000, 0]);
    expect(ports.positions.size).toBe(0);
  });

  it("begin anew when the target loses the upload in the middle", async () => {
    const { source, to, arrived } = setUp();
    to.failNext("append", () => new RegistryError("missing", "BLOB_UPLOAD_UNKNOWN", { status: 404 }));
    await copyNow(source, to, LARGE);
    expect(arrived()).toBe(SIZE);
  });

  it("begin anew when more was uploaded than there is", async () => {
    const { source, to, arrived, key } = setUp();
    const ports = testPorts();
    to.uploads.set("https://local.test/other", patterned(SIZE + 1));
    ports.positions.set(key, { location: "https://local.test/other", offset: 1 });
    await copyNow(source, to, LARGE, ports);
    expect(arrived()).toBe(SIZE);
  });

  it("are read once for targets at different positions", async () => {
    const { source, to, key, layer, reads } = setUp();
    const second = new MemoryRegistry({ name: "second" });
    const ports = testPorts();
    to.uploads.set("https://local.test/half", patterned(SIZE).slice(0, 50_000));
    ports.positions.set(key, { location: "https://local.test/half", offset: 50_000 });
    const result = await copyNow(source, [target(to), target(second)], LARGE, ports);
    expect(result.targets.map(({ bytes }) => bytes - CONFIG)).toEqual([50_000, SIZE]);
    expect(reads()).toEqual([0]);
    expect(to.stored.get("mirror/app")?.blobs.has(layer.digest)).toBe(true);
  });

  it("that one of two targets loses go on for that one alone", async () => {
    const { source, to, reads, arrived } = setUp();
    const second = new MemoryRegistry({ name: "second" });
    second.cutUpload.set("append", { after: 5000, times: 1 });
    second.keepPartial = false;
    const result = await copyNow(source, [target(to), target(second)], LARGE);
    expect(result.targets.map(({ outcome }) => outcome)).toEqual(["copied", "copied"]);
    expect(arrived()).toBe(SIZE);
    expect(reads()).toEqual([0, 0]);
    expect(to.count("append")).toBe(10);
  });
});

describe("mounts", () => {
  const mounting = (mounts: boolean) => {
    const registry = new MemoryRegistry({ name: "hub" });
    registry.mounts = mounts;
    registry.addImage("app", { layers: ["x"], tag: "v1" });
    return registry;
  };

  it.each([
    [true, { copied: 0, mounted: 2, skipped: 0 }],
    [false, { copied: 2, mounted: 0, skipped: 0 }],
  ])("within one registry (which will: %s)", async (mounts, blobs) => {
    const registry = mounting(mounts);
    expect((await copyNow(registry, registry)).blobs).toEqual(blobs);
  });

  it("that fail are no failure", async () => {
    const registry = mounting(true);
    registry.failNext("mount", () => new RegistryError("refused", "400", { status: 400 }), 9);
    expect((await copyNow(registry, registry)).blobs.copied).toBe(2);
  });
});

describe("the end", () => {
  it.each([
    ["in one request", {}],
    ["in parts", LARGE],
  ])("comes with the signal, though the target hangs, %s", async (_, rules) => {
    const { source, to } = setUp();
    const stop = new AbortController();
    to.before = ({ operation }) => {
      if (operation !== "putBlob" && operation !== "append") return;
      setTimeout(() => stop.abort(new Error("stopped")), 10);
      return new Promise<void>(() => {});
    };
    const begun = Date.now();
    await expect(copyNow(source, to, rules, testPorts({ signal: stop.signal }))).rejects.toThrow("stopped");
    expect(Date.now() - begun).toBeLessThan(20_000);
    expect(to.tagsOf("mirror/app")).toEqual({});
  });

  it("removes an upload that has nothing in it", async () => {
    const { source, to } = setUp();
    const stop = new AbortController();
    to.before = ({ operation }) => {
      if (operation === "append") stop.abort(new Error("stopped"));
    };
    to.keepPartial = false;
    const ports = testPorts({ signal: stop.signal });
    await expect(copyNow(source, to, LARGE, ports)).rejects.toThrow("stopped");
    await expect.poll(() => to.count("cancel")).toBe(1);
    expect(ports.positions.size).toBe(0);
  });

  it("comes between two parts when the time is up, and the rest goes on later", async () => {
    const { source, to, arrived, reads, key } = setUp();
    let now = 0;
    to.before = ({ operation }) => {
      if (operation === "append") now += 1000;
    };
    const ports = testPorts();
    const error = await copyNow(source, to, LARGE, { ...ports, clock: () => now, isLate: () => now >= 4000 }).catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ failure: "delayed", retryAfter: 0 });
    expect(ports.positions.get(key)?.offset).toBe(40_000);
    source.calls.length = 0;
    await copyNow(source, to, LARGE, ports);
    expect(reads()).toEqual([40_000]);
    expect(arrived()).toBe(SIZE);
  });

  it("comes between two blobs when the time is up", async () => {
    const { source, to } = setUp();
    let now = 0;
    to.before = ({ operation }) => {
      if (operation === "putBlob") now = 9000;
    };
    const ports = testPorts({ clock: () => now, isLate: () => now >= 4000 });
    await expect(copyNow(source, to, { blobs: 1 }, ports)).rejects.toMatchObject({ failure: "delayed" });
    expect(to.count("putBlob")).toBe(1);
    expect(to.count("putManifest")).toBe(0);
  });
});

describe("progress and memory", () => {
  it("reports bytes now and then, and all of them", async () => {
    const { source, to, layer } = setUp({}, 1_000_000);
    const ports = testPorts({ clock: () => 0 });
    await copyNow(source, to, {}, ports);
    const reports = ports.events.flatMap((event) =>
      event.type === "bytes" && event.digest === layer.digest ? [event.bytes] : [],
    );
    expect(reports).toHaveLength(4);
    expect(reports.reduce((sum, bytes) => sum + bytes, 0)).toBe(1_000_000);
    const states = ports.events.flatMap((event) =>
      event.type === "blob" && event.digest === layer.digest ? [event.state] : [],
    );
    expect(states).toEqual(["copying", "copied"]);
  });

  it("works on a few blobs at once", async () => {
    const { source, to } = setUp();
    source.addImage("app", { layers: Array.from({ length: 12 }, (_, index) => `layer ${index}`), tag: "v1" });
    let now = 0;
    let most = 0;
    to.before = async ({ operation }) => {
      if (operation !== "putBlob") return;
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
    };
    await copyNow(source, to, { blobs: 2 });
    expect(most).toBe(2);
  });
});

describe("a registry whose storage is written directly", () => {
  function direct(wholeBlob = SIZE) {
    const source = new MemoryRegistry({ name: "hub" });
    const to = new MemoryRegistry({ name: "local", direct: { wholeBlob } });
    const layer = source.addBlob("app", patterned(SIZE));
    source.addImage("app", { layers: [layer], tag: "v1" });
    const arrived = () => to.stored.get("mirror/app")?.blobs.get(layer.digest)?.byteLength;
    return { source, to, layer, arrived, key: `${to.origin}|mirror/app|${layer.digest}` };
  }

  it("gets a large blob in one go, and nothing is kept about it", async () => {
    const { source, to, arrived } = direct();
    const ports = testPorts();
    await copyNow(source, to, LARGE, ports);
    expect([arrived(), to.count("upload"), to.count("putBlob")]).toEqual([SIZE, 0, 2]);
    expect(ports.positions.size).toBe(0);
  });

  it.each([
    ["that is larger than that", SIZE - 1, false],
    ["whose writing in one go did not come to its end", SIZE, true],
  ])("gets a blob in parts %s", async (_, wholeBlob, wasBegun) => {
    const { source, to, arrived, key } = direct(wholeBlob);
    const ports = testPorts();
    if (wasBegun) ports.positions.set(key, { location: "", offset: 0 });
    await copyNow(source, to, LARGE, ports);
    expect([arrived(), to.count("upload"), to.count("putBlob")]).toEqual([SIZE, 1, 1]);
    expect(ports.positions.size).toBe(0);
  });

  it("is stopped within a blob when the time is up, and the next try sends it in parts", async () => {
    const { source, to, layer, arrived, key } = direct();
    let late = false;
    const ports = testPorts({
      isLate: () => late,
      progress: (event) => {
        late ||= event.type === "bytes" && event.digest === layer.digest;
      },
      clock: (() => {
        let now = 0;
        return () => (now += 1000);
      })(),
    });
    await expect(copyNow(source, to, LARGE, ports)).rejects.toMatchObject({ failure: "delayed" });
    expect([arrived(), ports.positions.get(key)?.offset]).toEqual([undefined, 0]);
    late = false;
    const again = testPorts({ checkpoints: ports.checkpoints });
    await copyNow(source, to, LARGE, again);
    expect([arrived(), to.count("upload")]).toEqual([SIZE, 1]);
    expect(ports.positions.size).toBe(0);
  });

  it("is trusted to compare what comes with the digest: it is sent once more, then fails", async () => {
    const { source, to, layer, arrived } = direct();
    source.corrupt.set(layer.digest, 99);
    const ports = testPorts();
    await expect(copyNow(source, to, LARGE, ports)).rejects.toMatchObject({ failure: "corrupt" });
    expect([arrived(), source.count("blob", layer.digest), ports.positions.size]).toEqual([undefined, 2, 0]);
  });
});
