import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { ImageFactory } from "../support/image-factory.ts";
import { type RegistryKind, startRegistry, type TestRegistry } from "../support/registries.ts";
import { copying, crash, type SyncCommand, syncCommand } from "./sync-command.ts";

const MIB = 1024 * 1024;
const SIZE = 160 * MIB;
const PART = 16 * MIB;

describe("a large layer whose copy is killed in the middle", () => {
  let source: TestRegistry;
  let from: FaultyRegistry;
  const others: { stop(): Promise<void> }[] = [];
  let command: SyncCommand;

  beforeAll(async () => {
    source = await startRegistry("docker-registry");
    from = await startFaultyRegistry(source.url);
    command = syncCommand();
  });
  afterAll(async () => {
    command.remove();
    await Promise.all([from, source, ...others].map((each) => each.stop()));
  });

  it.each<{ kind: RegistryKind; keeps: boolean }>([
    { kind: "distribution", keeps: true },
    { kind: "entrepot", keeps: true },
    // Version 2 throws an upload away when one of its parts broke off: then there is nothing to go on with.
    { kind: "docker-registry", keeps: false },
  ])("goes on at $kind, where it left off: $keeps", async ({ kind, keeps }) => {
    const target = await startRegistry(kind);
    others.push(target);
    const repository = `resume/${kind}`;
    const [here, there] = [new ImageFactory(source.url, repository), new ImageFactory(target.url, repository)];
    const layer = await here.largeLayer(repository, SIZE);
    await here.image({ seed: repository, layers: [layer], tag: "v1" });
    const ofLayer = { kind: "GET blob", path: layer.digest } as const;
    from.heal();
    from.reset();
    from.fail(ofLayer, { rate: 60 * MIB });
    const config = copying(from.url, target.url, repository);
    const child = command.start(config);
    while (from.bytes().received < 5 * PART) await sleep(20);
    await crash(child);
    expect(await there.tags()).toEqual([]);
    await sleep(200);
    const before = from.seen.find(({ path }) => path.endsWith(layer.digest))?.received ?? 0;
    expect(before, "read before the kill").toBeGreaterThan(2 * PART);
    expect(before).toBeLessThan(SIZE);
    from.heal();
    from.reset();
    const run = await command.run(config);
    expect(run.code, run.said).toBe(0);
    expect(await there.broken("v1")).toEqual([]);
    const reads = from.seen.filter(({ path }) => path.endsWith(layer.digest));
    expect(reads).toHaveLength(1);
    const start = reads[0]?.start ?? 0;
    expect(start > 0).toBe(keeps);
    // What was read once more is a part at most, and what was on its way.
    if (keeps) expect(before - start).toBeLessThan(SIZE / 4 + PART);
  });
});
