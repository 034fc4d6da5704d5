import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { type CountingProxy, type SeenRequest, startCountingProxy } from "../support/counting-proxy.ts";
import { type Descriptor, ImageFactory, inParallel } from "../support/image-factory.ts";
import { startRegistry, type TestRegistry } from "../support/registries.ts";
import { byCommand, byTask, type Mirroring } from "./mirroring.ts";
import { watchTags } from "./tag-watch.ts";

const MIB = 1024 * 1024;
const MINUTE = 60_000;
const SMALL = { tags: 200, largeBytes: 80 * MIB };
/** `SYNC_BIG=small` is for those who change this test. */
const WHOLE = process.env["SYNC_BIG"] === "small" ? SMALL : { tags: 2000, largeBytes: 500 * MIB };
const LARGE = 10;
const REPOSITORY = "library/big";
/** When it is killed: shares of all bytes. */
const KILLS = [0.25, 0.6];

describe.each([
  { what: "a SyncTask of a server", make: byTask, ...WHOLE },
  { what: "the command", make: byCommand, ...SMALL },
])("$tags tags and 10 large layers, by $what", ({ make, tags, largeBytes }) => {
  const all = LARGE * largeBytes;
  const layers: Descriptor[] = [];
  let source: TestRegistry;
  let from: CountingProxy;
  let mirroring: Mirroring;
  let here: ImageFactory;

  beforeAll(async () => {
    source = await startRegistry("docker-registry");
    from = await startCountingProxy(source.url);
    mirroring = await make(from.url, REPOSITORY);
    here = new ImageFactory(source.url, REPOSITORY);
    await here.manyTags("v", tags - LARGE);
    for (let number = 0; number < LARGE; number += 1) {
      const layer = await here.largeLayer(`large ${number}`, largeBytes);
      layers.push(layer);
      // Among the others, in the order of their names.
      await here.image({ seed: `large ${number}`, layers: [layer], tag: `v${number * 10}-large` });
    }
  }, 5 * MINUTE);

  afterAll(async () => {
    await Promise.all([mirroring, from, source].map((each) => each.stop()));
  });

  it(
    "arrive although it is killed twice",
    async () => {
      const watch = watchTags(() => mirroring.url(), REPOSITORY);
      await mirroring.begin();
      for (const share of KILLS) {
        await come(share * all);
        await mirroring.kill();
      }
      await mirroring.done();
      await watch.stop();
      expect(watch.early).toEqual([]);
      expect(watch.looked).toBeGreaterThan(tags / 2);
      expect(readAgainFromTheStart(from.seen)).toEqual([]);
      // The rest of what was read is parts that were under way when it was killed.
      expect(from.bytes().received).toBeLessThan(1.25 * all);
      await expectSame();
    },
    6 * MINUTE,
  );

  /** Resolves when so many bytes were read from the source. */
  const come = async (bytes: number): Promise<void> => {
    for (let round = 1; from.bytes().received < bytes; round += 1) {
      if (round % 50 === 0) expect(await mirroring.isRunning(), "it ended before it was killed").toBe(true);
      await sleep(20);
    }
  };

  const expectSame = async (): Promise<void> => {
    const there = new ImageFactory(mirroring.url(), REPOSITORY);
    const expected = await here.tags();
    expect(expected).toHaveLength(tags);
    expect([...(await there.tags())].sort()).toEqual([...expected].sort());
    const different: string[] = [];
    await inParallel(8, expected, async (tag) => {
      if ((await there.digest(tag)) !== (await here.digest(tag))) different.push(tag);
      different.push(...(await there.broken(tag)));
    });
    expect(different).toEqual([]);
  };

  /** Large layers that were read from their first byte although a reading before had come further than a quarter. */
  const readAgainFromTheStart = (seen: readonly SeenRequest[]): readonly string[] =>
    layers.flatMap(({ digest, size }) => {
      let furthest = 0;
      const reads = seen.filter(({ kind, path }) => kind === "GET blob" && path.endsWith(digest));
      const again = reads.filter(({ start, received }) => {
        const fromStart = start === 0 && furthest > size / 4;
        furthest = Math.max(furthest, start + received);
        return fromStart;
      });
      return again.map(() => `${digest}, which had come to ${furthest} of ${size}`);
    });
});
