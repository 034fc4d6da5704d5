import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startCountingProxy } from "../support/counting-proxy.ts";
import { type Fault, type FaultMatch, type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { type Descriptor, ImageFactory } from "../support/image-factory.ts";
import { startRegistry, type TestRegistry } from "../support/registries.ts";
import { copying, FAST_RETRIES, type SyncCommand, syncCommand } from "./sync-command.ts";

const MIB = 1024 * 1024;
/** Sent in parts. */
const LARGE = 40 * MIB;

/** The image that something happens to. */
interface Victim {
  readonly image: Descriptor;
  readonly layer: Descriptor;
}

interface Case {
  readonly what: string;
  readonly at: "source" | "target";
  readonly layerBytes?: number;
  readonly match: (victim: Victim) => FaultMatch;
  readonly fault: Fault | (() => Fault);
  readonly outcome: "copied" | "failed" | "conflict";
  /** Found in what is said of the image. */
  readonly error?: RegExp;
  /** At least so many milliseconds. */
  readonly waits?: number;
  /** How often the fault happens: not at all again where trying again is of no use. */
  readonly happens?: number;
}

const head = (): FaultMatch => ({ kind: "HEAD manifest", path: /victim$/ });
const manifest = ({ image }: Victim): FaultMatch => ({ kind: "GET manifest", path: image.digest });
const layer = ({ layer }: Victim): FaultMatch => ({ kind: "GET blob", path: layer.digest });
const once =
  (match: (victim: Victim) => FaultMatch): Case["match"] =>
  (victim) => ({ ...match(victim), times: 1 });
const error = (code: string): string => JSON.stringify({ errors: [{ code, message: code }] });

const CASES: readonly Case[] = [
  {
    what: "429 with Retry-After in seconds",
    at: "source",
    match: once(head),
    fault: { status: 429, headers: { "retry-after": "2" } },
    outcome: "copied",
    waits: 2000,
    happens: 1,
  },
  {
    what: "429 with Retry-After as a date",
    at: "source",
    match: once(manifest),
    // A date is in whole seconds.
    fault: () => ({ status: 429, headers: { "retry-after": new Date(Date.now() + 8000).toUTCString() } }),
    outcome: "copied",
    waits: 3000,
    happens: 1,
  },
  { what: "429 without more", at: "source", match: once(manifest), fault: { status: 429 }, outcome: "copied" },
  {
    what: "503 twice",
    at: "source",
    match: (v) => ({ ...manifest(v), times: 2 }),
    fault: { status: 503 },
    outcome: "copied",
  },
  {
    what: "503 for ever",
    at: "source",
    match: manifest,
    fault: { status: 503 },
    outcome: "failed",
    error: /503/,
    happens: FAST_RETRIES.attempts,
  },
  {
    what: "403",
    at: "source",
    match: manifest,
    fault: { status: 403, body: error("DENIED") },
    outcome: "failed",
    error: /DENIED/,
    happens: 1,
  },
  {
    what: "a layer that breaks off",
    at: "source",
    layerBytes: 3 * MIB,
    match: once(layer),
    fault: { cutAfter: 2 * MIB },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "a layer that breaks off again and again, a little later each time",
    at: "source",
    layerBytes: 6 * MIB,
    match: (v) => ({ ...layer(v), times: 5 }),
    fault: { cutAfter: MIB },
    outcome: "copied",
    happens: 5,
  },
  {
    what: "a large layer that breaks off",
    at: "source",
    layerBytes: LARGE,
    match: once(layer),
    fault: { cutAfter: LARGE / 2 },
    outcome: "copied",
  },
  {
    what: "a layer of other bytes once",
    at: "source",
    match: once(layer),
    fault: { corrupt: true },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "a layer of other bytes always",
    at: "source",
    match: layer,
    fault: { corrupt: true },
    outcome: "failed",
    error: /content|digest/,
  },
  {
    what: "a large layer of other bytes always",
    at: "source",
    layerBytes: LARGE,
    match: layer,
    fault: { corrupt: true },
    outcome: "failed",
    error: /content|digest/,
  },
  {
    what: "a manifest of other bytes always",
    at: "source",
    match: manifest,
    fault: { corrupt: true },
    outcome: "failed",
    error: /digest|content|bytes/,
  },
  {
    what: "a layer that is gone",
    at: "source",
    match: layer,
    fault: { status: 404, body: error("BLOB_UNKNOWN") },
    outcome: "failed",
    error: /does not have the blob/,
  },
  { what: "a second until the answer", at: "source", match: once(manifest), fault: { delay: 1000 }, outcome: "copied" },
  {
    what: "a slow layer",
    at: "source",
    layerBytes: 2 * MIB,
    match: layer,
    fault: { rate: MIB },
    outcome: "copied",
    waits: 1500,
  },
  {
    what: "no Docker-Content-Digest",
    at: "source",
    match: () => ({ kind: "HEAD manifest" }),
    fault: { without: ["docker-content-digest"] },
    outcome: "copied",
  },
  {
    what: "503 for the beginning of an upload",
    at: "target",
    match: () => ({ kind: "POST upload", times: 1 }),
    fault: { status: 503 },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "an upload that breaks off",
    at: "target",
    layerBytes: 3 * MIB,
    match: () => ({ kind: "PUT upload", times: 1 }),
    fault: { cutUploadAfter: 200 },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "a part of an upload that breaks off",
    at: "target",
    layerBytes: LARGE,
    match: () => ({ kind: "PATCH upload", after: 1, times: 1 }),
    fault: { cutUploadAfter: 5 * MIB },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "uploads in parts refused",
    at: "target",
    layerBytes: LARGE,
    match: () => ({ kind: "PATCH upload" }),
    fault: { status: 405 },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "an upload that the target lost",
    at: "target",
    layerBytes: LARGE,
    match: () => ({ kind: "PATCH upload", after: 1, times: 1 }),
    fault: { status: 404, body: error("BLOB_UPLOAD_UNKNOWN") },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "a layer that is too large",
    at: "target",
    match: ({ layer }) => ({ kind: "PUT upload", path: encodeURIComponent(layer.digest) }),
    fault: { status: 413 },
    outcome: "failed",
    error: /413/,
    happens: 1,
  },
  {
    what: "MANIFEST_BLOB_UNKNOWN for a manifest whose layer was collected",
    at: "target",
    match: ({ layer }) => ({ kind: "HEAD blob", path: layer.digest, times: 1 }),
    // Says that it has the layer, which is gone when the manifest comes.
    fault: { status: 200, headers: { "content-length": "0" } },
    outcome: "copied",
    happens: 1,
  },
  {
    what: "a tag that may not be changed",
    at: "target",
    match: () => ({ kind: "PUT manifest", path: /victim$/ }),
    fault: { status: 409, body: error("TAG_INVALID") },
    outcome: "conflict",
    error: /TAG_INVALID/,
    happens: 1,
  },
];

describe("entrepot sync with registries that fail", () => {
  let source: TestRegistry;
  let target: TestRegistry;
  let from: FaultyRegistry;
  let to: FaultyRegistry;
  let command: SyncCommand;
  let names = 0;

  beforeAll(async () => {
    [source, target] = await Promise.all([startRegistry("docker-registry"), startRegistry("distribution")]);
    [from, to] = await Promise.all([startFaultyRegistry(source.url), startFaultyRegistry(target.url)]);
    command = syncCommand();
  });
  afterEach(() => {
    from.heal();
    to.heal();
  });
  afterAll(async () => {
    command.remove();
    await Promise.all([from, to, source, target].map((each) => each.stop()));
  });

  /** A repository with the tags `victim`, which things happen to, and `bystander`. */
  const prepare = async (layerBytes = 5000) => {
    names += 1;
    const repository = `faults/${names}`;
    const [here, there] = [new ImageFactory(source.url, repository), new ImageFactory(target.url, repository)];
    const layer = await here.largeLayer(repository, layerBytes);
    const image = await here.image({ seed: repository, layers: [layer], tag: "victim" });
    await here.image({ seed: `${repository} bystander`, tag: "bystander" });
    return { repository, here, there, victim: { image, layer } };
  };

  it.each(CASES)("$what at the $at: $outcome", async (test) => {
    const { repository, there, victim } = await prepare(test.layerBytes);
    const faulty = test.at === "source" ? from : to;
    const before = faulty.happened();
    faulty.fail(test.match(victim), typeof test.fault === "function" ? test.fault() : test.fault);
    const started = Date.now();
    const run = await command.run(copying(from.url, to.url, repository, { concurrency: 1 }));
    const outcomes = Object.fromEntries(run.items.map(({ tag, outcome }) => [tag, outcome]));
    expect(outcomes, run.said).toEqual({ victim: test.outcome, bystander: "copied" });
    expect(run.code).toBe(test.outcome === "copied" ? 0 : 1);
    expect(run.summary.state).toBe(test.outcome === "copied" ? "succeeded" : "partial");
    expect(faulty.happened() - before, run.said).toBeGreaterThan(0);
    if (test.happens !== undefined) expect(faulty.happened() - before, run.said).toBe(test.happens);
    if (test.waits !== undefined) expect(Date.now() - started).toBeGreaterThanOrEqual(test.waits);
    if (test.error !== undefined) expect(run.items.find(({ tag }) => tag === "victim")?.error).toMatch(test.error);
    expect(await there.broken("bystander")).toEqual([]);
    if (test.outcome === "copied") {
      expect(await there.digest("victim")).toBe(victim.image.digest);
      expect(await there.broken("victim")).toEqual([]);
    } else expect(await there.digest("victim")).toBeUndefined();
  });

  it("reads a layer from where it broke off", async () => {
    const { repository, victim } = await prepare(10 * MIB);
    from.fail(once(layer)(victim), { cutAfter: 6 * MIB });
    from.reset();
    const run = await command.run(copying(from.url, to.url, repository));
    expect(run.code, run.said).toBe(0);
    const reads = from.seen.filter(({ path }) => path.endsWith(victim.layer.digest));
    expect(reads.map(({ start }) => start > 0)).toEqual([false, true]);
    expect(reads.reduce((total, { received }) => total + received, 0)).toBeLessThan(11 * MIB);
  });

  it("reads a layer from its start where ranges are unknown", async () => {
    const { repository, there, victim } = await prepare(4 * MIB);
    from.fail(once(layer)(victim), { cutAfter: 3 * MIB });
    from.fail(layer(victim), { noRange: true });
    const run = await command.run(copying(from.url, to.url, repository));
    expect(run.code, run.said).toBe(0);
    expect(await there.broken("victim")).toEqual([]);
  });

  it("publishes what the tag stood for when it moves meanwhile, and what it stands for now in the next run", async () => {
    const { repository, here, there, victim } = await prepare();
    from.fail(once(manifest)(victim), {
      first: async () => void (await here.image({ seed: "moved meanwhile", tag: "victim" })),
    });
    const first = await command.run(copying(from.url, to.url, repository));
    expect(first.code, first.said).toBe(0);
    expect(await there.digest("victim")).toBe(victim.image.digest);
    expect(await there.broken("victim")).toEqual([]);
    const second = await command.run(copying(from.url, to.url, repository));
    expect(second.summary.counts, second.said).toMatchObject({ copied: 1, unchanged: 1 });
    expect(await there.digest("victim")).toBe(await here.digest("victim"));
  });

  it("takes what a tag moved to when what it stood for is gone", async () => {
    const { repository, here, there, victim } = await prepare();
    from.fail(once(manifest)(victim), {
      first: async () => {
        await here.image({ seed: "moved and removed", tag: "victim" });
        await here.remove(victim.image.digest);
      },
    });
    const run = await command.run(copying(from.url, to.url, repository));
    expect(run.code, run.said).toBe(0);
    expect(await there.digest("victim")).toBe(await here.digest("victim"));
    expect(await there.broken("victim")).toEqual([]);
  });

  it("copies from one and into another registry with tokens that end before they said", async () => {
    const tokens = { username: "robot$mirror", password: "p:ä", lifetime: 150 };
    const { repository, there } = await prepare(LARGE);
    const [guarded, guardedTarget] = await Promise.all([
      startFaultyRegistry(source.url, tokens),
      startFaultyRegistry(target.url, tokens),
    ]);
    try {
      const credentials = { insecure: true, username: tokens.username, password: tokens.password };
      const config = (password: string) => ({
        ...copying("", "", repository, { concurrency: 1 }),
        registries: {
          source: { ...credentials, url: guarded.url, password },
          target: { ...credentials, url: guardedTarget.url },
        },
      });
      const denied = await command.run(config("wrong"));
      expect(denied.code, denied.said).toBe(1);
      expect(denied.said).not.toContain(tokens.password);
      const run = await command.run(config(tokens.password));
      expect(run.code, run.said).toBe(0);
      expect(await there.broken("victim")).toEqual([]);
      expect(guardedTarget.count("token")).toBeGreaterThan(1);
      expect(run.said).not.toContain(tokens.password);
    } finally {
      await Promise.all([guarded.stop(), guardedTarget.stop()]);
    }
  });

  it("follows a redirect of a layer to another address, without its credential", async () => {
    const tokens = { username: "user", password: "secret", lifetime: 60_000 };
    const { repository, there, victim } = await prepare(MIB);
    const shown: (string | undefined)[] = [];
    const storage = await startCountingProxy(source.url, async ({ headers }) => {
      shown.push(headers.authorization);
      return undefined;
    });
    const guarded = await startFaultyRegistry(source.url, tokens);
    try {
      guarded.fail(layer(victim), { redirect: storage.url });
      const run = await command.run({
        ...copying("", "", repository),
        registries: {
          source: { url: guarded.url, insecure: true, username: tokens.username, password: tokens.password },
          target: { url: to.url, insecure: true },
        },
      });
      expect(run.code, run.said).toBe(0);
      expect(shown).toEqual([undefined]);
      expect(await there.broken("victim")).toEqual([]);
    } finally {
      await Promise.all([guarded.stop(), storage.stop()]);
    }
  });

  it.each([
    ["a registry that nobody runs", { registries: { source: { url: "http://127.0.0.1:1", insecure: true } } }, 1],
    ["a configuration without rules", { sync_rules: [] }, 2],
    ["an unset variable", { registries: { source: { url: "http://${NO_SUCH_VARIABLE}" } } }, 2],
  ])("ends with the right code for %s", async (_what, change, code) => {
    const config = copying(from.url, to.url, "faults/none") as { registries: object };
    const registries = "registries" in change ? { ...config.registries, ...change.registries } : config.registries;
    const run = await command.run({ ...config, ...change, registries });
    expect(run.code, run.said).toBe(code);
  });
});
