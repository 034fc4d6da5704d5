import { expect, it } from "vitest";
import { copyNow, target, testPorts } from "../../src/mirror/copy/copy.fixture.ts";
import { MemoryRegistry, patterned } from "../../src/mirror/memory-registry.fixture.ts";

/** The engine of copies runs in Node and in workerd, whose streams are others. */

const LARGE = { largeBlob: 1_000_000, partSize: 500_000 };

function setUp() {
  const source = new MemoryRegistry({ name: "hub" });
  const [first, second] = [new MemoryRegistry({ name: "first" }), new MemoryRegistry({ name: "second" })];
  source.pieceSize = 65_536;
  const layer = source.addBlob("app", patterned(3_000_000));
  source.addImage("app", { layers: [layer, "small", ""], tag: "v1" });
  return { source, first, second, layer };
}

it("feeds two targets by one reading, in one request and in parts", async () => {
  const { source, first, second, layer } = setUp();
  const wide = new MemoryRegistry({ name: "wide", capabilities: { chunks: false } });
  source.cut.set(layer.digest, { after: 1_234_567, times: 1 });
  const result = await copyNow(source, [target(first), target(second), target(wide)], LARGE);
  expect(result.targets.map(({ outcome }) => outcome)).toEqual(["copied", "copied", "copied"]);
  expect(first.count("append")).toBe(6);
  expect(wide.count("putBlob", layer.digest)).toBe(1);
  expect(source.count("blob", layer.digest)).toBe(2);
});

it("lets nothing appear that is not what its digest says", async () => {
  const { source, first, layer } = setUp();
  source.corrupt.set(layer.digest, 9);
  await expect(copyNow(source, first, LARGE)).rejects.toMatchObject({ failure: "corrupt" });
  expect(first.stored.get("mirror/app")?.blobs.has(layer.digest)).toBe(false);
});

it("stops and goes on", async () => {
  const { source, first, second, layer } = setUp();
  const stop = new AbortController();
  let appends = 0;
  first.before = ({ operation }) => {
    if (operation === "append" && ++appends === 4) stop.abort(new Error("stopped"));
  };
  const ports = testPorts();
  const both = () => [target(first), target(second)];
  await expect(copyNow(source, both(), LARGE, { ...ports, signal: stop.signal })).rejects.toThrow("stopped");
  await new Promise((resolve) => setTimeout(resolve, 20));
  source.calls.length = 0;
  await copyNow(source, both(), LARGE, ports);
  const from = source.calls.find(({ reference }) => reference === layer.digest)?.bytes;
  expect(from).toBeGreaterThanOrEqual(1_500_000);
});
