import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageFactory, TEN_PLATFORMS } from "../support/image-factory.ts";
import { startRegistry, startSparseRegistry, type TestRegistry } from "../support/registries.ts";
import { copying, type SyncCommand, syncCommand } from "./sync-command.ts";

const RULES = { platforms: { mode: "sparse", select: [{ architecture: "arm64" }] } };

describe("entrepot sync of some platforms under the unchanged index", () => {
  let source: TestRegistry;
  const targets: TestRegistry[] = [];
  let command: SyncCommand;

  beforeAll(async () => {
    source = await startRegistry("docker-registry");
    command = syncCommand();
  });
  afterAll(async () => {
    command.remove();
    await Promise.all([source, ...targets].map((each) => each.stop()));
  });

  it("copies one platform into a registry that takes sparse indexes", async () => {
    const target = await startSparseRegistry();
    targets.push(target);
    const here = new ImageFactory(source.url, "team/sparse");
    const { index, images } = await here.platforms("v1", TEN_PLATFORMS, { attestations: true });
    const run = await command.run(copying(source.url, target.url, "team/sparse", RULES));
    expect(run.code, run.said).toBe(0);
    const there = new ImageFactory(target.url, "team/sparse");
    expect(await there.digest("v1")).toBe(index.digest);
    const kept = images[1]?.digest;
    const belongs = ({ digest, annotations }: { digest: string; annotations?: Readonly<Record<string, string>> }) =>
      digest === kept || annotations?.["vnd.docker.reference.digest"] === kept;
    expect(await there.broken("v1", belongs)).toEqual([]);
    expect(await there.digest(images[0]?.digest ?? "")).toBeUndefined();
  });

  it.each(["docker-registry", "distribution", "entrepot"] as const)(
    "says what to do instead, and sets no tag, where %s refuses them",
    async (kind) => {
      const target = await startRegistry(kind);
      targets.push(target);
      const repository = `team/refused-by-${kind}`;
      const here = new ImageFactory(source.url, repository);
      await here.platforms("v1", TEN_PLATFORMS.slice(0, 3));
      await here.image({ seed: "other", platform: "linux/arm64", tag: "v2" });
      const run = await command.run(copying(source.url, target.url, repository, RULES));
      const there = new ImageFactory(target.url, repository);
      expect(run.code, run.said).toBe(1);
      expect(run.summary.state).toBe("partial");
      expect(run.items.find(({ tag }) => tag === "v1")?.error).toContain("use mode rewrite");
      expect(await there.tags()).toEqual(["v2"]);
    },
  );
});
