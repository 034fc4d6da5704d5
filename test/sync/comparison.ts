import { writeFileSync } from "node:fs";
import path from "node:path";
import { type CountingProxy, type RequestKind, startCountingProxy } from "../support/counting-proxy.ts";
import { attempt } from "../support/command.ts";
import { type Descriptor, ImageFactory, TEN_PLATFORMS } from "../support/image-factory.ts";
import { startRegistry, startSparseRegistry, type TestRegistry } from "../support/registries.ts";
import { copying, type SyncCommand, syncCommand } from "./sync-command.ts";

/** What one program asked of one registry. */
export interface Traffic {
  readonly requests: number;
  readonly kinds: Readonly<Partial<Record<RequestKind, number>>>;
  /** Of bodies, in both directions. */
  readonly bytes: number;
}

/** What the same work cost both programs, at one side. */
export interface Comparison {
  readonly scenario: string;
  readonly side: "source" | "target";
  readonly ours: Traffic;
  readonly regsync: Traffic;
}

/** What is to be done, once by each program, and whether both ended well with the same content. */
interface Scenario {
  readonly name: string;
  /** Changes the source before. */
  readonly change?: (here: ImageFactory, world: World) => Promise<void>;
  readonly rules: object;
  readonly options?: readonly string[];
  /** Lines of an entry of regsync's configuration. */
  readonly regsync: readonly string[];
}

/** Tags of one platform, beside one of ten with attestations. */
export const SINGLE_TAGS = 40;

const REPOSITORY = "library/app";
const NEITHER = { artifacts: { referrers: false, digestTags: false } };
const ARM64 = [{ os: "linux", architecture: "arm64", variant: "v8" }];

const PLAIN: readonly Scenario[] = [
  { name: "first copy", rules: NEITHER, regsync: [] },
  { name: "nothing changed", rules: NEITHER, regsync: [] },
  {
    name: "one tag moved",
    change: async (here) => void (await here.image({ seed: "moved", layers: [3000, 4000], tag: "v7" })),
    rules: NEITHER,
    regsync: [],
  },
  { name: "nothing changed again", rules: NEITHER, regsync: [] },
];

const ATTACHED_REGSYNC = ["referrers: true", "digestTags: true"];
const ATTACHED: readonly Scenario[] = [
  { name: "first copy with signatures", rules: {}, regsync: ATTACHED_REGSYNC },
  {
    name: "nothing changed, looking for signatures",
    rules: {},
    options: ["--referrers-every", "0s"],
    regsync: ATTACHED_REGSYNC,
  },
  {
    name: "signatures added",
    change: async (here, { index, images }) => {
      await here.referrer(index, "a later signature");
      await here.cosignTag(images[3] ?? index);
    },
    rules: {},
    options: ["--referrers-every", "0s"],
    regsync: ATTACHED_REGSYNC,
  },
];

// regsync leaves out attestations with the platforms, so these images have none.
const sparse: Scenario = {
  name: "one platform of ten, sparse",
  rules: { ...NEITHER, platforms: { mode: "sparse", select: ARM64 } },
  regsync: ["platforms: [linux/arm64/v8]"],
};
const rewrite: Scenario = {
  name: "one platform of ten, rewritten",
  rules: { ...NEITHER, platforms: { mode: "rewrite", select: ARM64 } },
  regsync: ["platforms: [linux/arm64/v8]"],
};

interface World {
  readonly source: TestRegistry;
  readonly here: ImageFactory;
  readonly index: Descriptor;
  readonly images: readonly Descriptor[];
  readonly proxies: Readonly<Record<"ourSource" | "ourTarget" | "theirSource" | "theirTarget", CountingProxy>>;
  readonly targets: { readonly ours: TestRegistry; readonly theirs: TestRegistry };
  readonly command: SyncCommand;
  stop(): Promise<void>;
}

/**
 * Has both programs do the same copies between registries of their own, and counts what they ask for.
 * @throws if one of them fails, or a target does not have what the source has
 */
export async function compareWithRegsync(): Promise<readonly Comparison[]> {
  const results: Comparison[] = [];
  const full = () => startRegistry("distribution");
  for (const [start, scenarios] of [
    [full, PLAIN],
    [full, ATTACHED],
    [startSparseRegistry, [sparse]],
    [startSparseRegistry, [rewrite]],
  ] as const) {
    const world = await makeWorld(start, {
      signed: scenarios === ATTACHED,
      attested: scenarios === PLAIN || scenarios === ATTACHED,
    });
    try {
      for (const scenario of scenarios) results.push(...(await compare(world, scenario)));
    } finally {
      await world.stop();
    }
  }
  return results;
}

async function makeWorld(
  startTarget: () => Promise<TestRegistry>,
  { signed, attested }: { readonly signed: boolean; readonly attested: boolean },
): Promise<World> {
  // With the referrers API, so that both can use it.
  const source = await startRegistry("entrepot");
  const [ours, theirs] = await Promise.all([startTarget(), startTarget()]);
  const [ourSource, theirSource, ourTarget, theirTarget] = await Promise.all([
    startCountingProxy(source.url),
    startCountingProxy(source.url),
    startCountingProxy(ours.url),
    startCountingProxy(theirs.url),
  ]);
  const here = new ImageFactory(source.url, REPOSITORY);
  // Of a platform that every scenario selects: ours leaves out others, and regsync does not look.
  await here.manyTags("v", SINGLE_TAGS, "linux/arm64/v8");
  const { index, images } = await here.platforms("multi", TEN_PLATFORMS, { attestations: attested });
  if (signed) {
    await here.referrer(index, "a signature");
    await here.cosignTag(images[0] ?? index);
  }
  const command = syncCommand();
  const everything = [ourSource, theirSource, ourTarget, theirTarget, source, ours, theirs];
  return {
    source,
    here,
    index,
    images,
    proxies: { ourSource, ourTarget, theirSource, theirTarget },
    targets: { ours, theirs },
    command,
    async stop() {
      command.remove();
      await Promise.all(everything.map((each) => each.stop()));
    },
  };
}

async function compare(world: World, scenario: Scenario): Promise<readonly Comparison[]> {
  const { proxies, command, here } = world;
  await scenario.change?.(here, world);
  for (const proxy of Object.values(proxies)) proxy.reset();
  const config = copying(proxies.ourSource.url, proxies.ourTarget.url, REPOSITORY, scenario.rules);
  const run = await command.run(config, ...(scenario.options ?? []));
  if (run.code !== 0) throw new Error(`${scenario.name}: ${run.said}`);
  await regsync(world, scenario.regsync);
  await expectSame(world, scenario);
  return (["source", "target"] as const).map((side) => ({
    scenario: scenario.name,
    side,
    ours: trafficOf(side === "source" ? proxies.ourSource : proxies.ourTarget),
    regsync: trafficOf(side === "source" ? proxies.theirSource : proxies.theirTarget),
  }));
}

async function regsync({ proxies, command }: World, lines: readonly string[]): Promise<void> {
  const { theirSource: from, theirTarget: to } = proxies;
  const file = path.join(command.folder, "regsync.yaml");
  const text = `version: 1
creds:
  - { registry: "${from.host}", tls: disabled }
  - { registry: "${to.host}", tls: disabled }
defaults:
  skipDockerConfig: true
sync:
  - source: "${from.host}/${REPOSITORY}"
    target: "${to.host}/${REPOSITORY}"
    type: repository
${lines.map((line) => `    ${line}\n`).join("")}`;
  writeFileSync(file, text);
  const { code, stdout, stderr } = await attempt("regsync", ["once", "--config", file]);
  if (code !== 0) throw new Error(`regsync ended with ${code}:\n${text}\n${stdout}${stderr}`);
}

/** What was counted is worth nothing if the content is not there. */
async function expectSame({ here, targets, index }: World, scenario: Scenario): Promise<void> {
  const ours = new ImageFactory(targets.ours.url, REPOSITORY);
  const theirs = new ImageFactory(targets.theirs.url, REPOSITORY);
  for (const tag of await here.tags()) {
    // Those that stand for signatures are not copied where nobody asked for it.
    if (tag.startsWith("sha256-") && !scenario.regsync.includes("digestTags: true")) continue;
    const expected = await here.digest(tag);
    const found = await ours.digest(tag);
    if (found !== expected && !(scenario === rewrite && tag === "multi")) {
      throw new Error(`${scenario.name}: ${tag} is ${found} at our target instead of ${expected}`);
    }
  }
  const [mine, other] = [await ours.referrers(index.digest), await theirs.referrers(index.digest)];
  if (mine.join(" ") !== other.join(" ")) throw new Error(`${scenario.name}: other referrers: ${mine} and ${other}`);
}

function trafficOf(proxy: CountingProxy): Traffic {
  const kinds: Partial<Record<RequestKind, number>> = {};
  for (const { kind } of proxy.seen) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const { sent, received } = proxy.bytes();
  return { requests: proxy.count(), kinds, bytes: sent + received };
}

/**
 * Bytes of both sides together: what an image that did not change is made of is read at the target by ours, and at the
 * source by regsync.
 */
export function bytesOf(results: readonly Comparison[], scenario: string): { ours: number; regsync: number } {
  const total = { ours: 0, regsync: 0 };
  for (const result of results) {
    if (result.scenario !== scenario) continue;
    total.ours += result.ours.bytes;
    total.regsync += result.regsync.bytes;
  }
  return total;
}

/** `12 HEAD manifest, 3 GET blob`. */
export function kindsText({ kinds }: Traffic): string {
  return Object.entries(kinds)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
}
