import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../src/selfhost/paths.ts";
import { attempt, type Finished, run } from "../support/command.ts";
import { ImageFactory, TEN_PLATFORMS } from "../support/image-factory.ts";
import { startRegistry, type TestRegistry } from "../support/registries.ts";

const EXAMPLES = "docs/examples/sync";
const COMMAND = path.join(ROOT, "src/cli/entrepot.sh");

let other: TestRegistry;
let ours: TestRegistry;
let work: string;

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), "entrepot-docs-"));
  [other, ours] = await Promise.all([startRegistry("docker-registry"), startRegistry("entrepot")]);
});

afterAll(async () => {
  await Promise.all([other.stop(), ours.stop()]);
  rmSync(work, { recursive: true, force: true });
});

/** `entrepot sync` with an example, whose registries are `variables`. */
async function sync(
  example: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Finished> {
  const config = path.join(ROOT, EXAMPLES, example);
  const state = path.join(work, example);
  return attempt(COMMAND, ["sync", "--config", config, "--state", state, ...args], {
    cwd: work,
    env: { INSECURE: "true", ...variables },
  });
}

/** Applies an example, whose addresses are those of registries on loopback. */
async function apply(example: string, addresses: Readonly<Record<string, string>>): Promise<void> {
  let text = readFileSync(path.join(ROOT, EXAMPLES, example), "utf8");
  for (const [address, loopback] of Object.entries(addresses)) {
    expect(text).toContain(`url: ${address}\n`);
    text = text.replace(`url: ${address}\n`, `url: ${loopback}\n  insecure: true\n`);
  }
  await kubectl(["apply", "-f", "-"], text);
}

async function kubectl(args: readonly string[], input = ""): Promise<Finished> {
  const home = path.join(work, "kubectl");
  return run("kubectl", ["--server", ours.url, ...args], { input, env: { HOME: home, KUBECONFIG: `${home}/none` } });
}

/** The objects that are printed, one for each line. */
function jsonLines({ stdout }: Finished): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

describe("1-docker-hub.yaml", () => {
  const example = "1-docker-hub.yaml";

  it("keeps the newest five versions of images, for two platforms", async () => {
    const variables = { HUB_URL: other.url, REGISTRY_URL: ours.url, ...accounts("HUB_USER", "HUB_TOKEN") };
    const environment = { ...variables, ...accounts("REGISTRY_USER", "REGISTRY_PASSWORD") };
    const nginx = new ImageFactory(other.url, "library/nginx");
    for (const tag of ["1.8.0", "1.9.0", "1.10.0", "1.11.0", "1.12.0", "1.13.0", "2.0.0-rc1", "latest"]) {
      await nginx.platforms(tag, tag === "1.13.0" ? TEN_PLATFORMS : ["linux/amd64", "linux/s390x"], {
        layerBytes: 100,
      });
    }
    await new ImageFactory(other.url, "library/redis").image({ seed: "redis", tag: "7.2.0" });
    await new ImageFactory(other.url, "library/postgres").image({ seed: "postgres", tag: "17.0.0" });

    const first = await sync(example, [], environment);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("hub-images: succeeded: 7 copied") });
    expect(first.stderr).toContain("1.13.0: the index was rewritten to the selected platforms");
    const mirrored = new ImageFactory(ours.url, "mirror/nginx");
    expect(await mirrored.tags()).toEqual(["1.10.0", "1.11.0", "1.12.0", "1.13.0", "1.9.0"]);
    const { manifests = [] } = (await mirrored.fetch("1.13.0")).body;
    expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(["amd64", "arm64"]);
    expect(await mirrored.broken("1.13.0")).toEqual([]);
    expect(await new ImageFactory(ours.url, "mirror/redis").broken("7.2.0")).toEqual([]);

    const second = await sync(example, [], environment);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining("hub-images: unchanged: 7 unchanged") });
  });

  it("needs the variables that have no default", async () => {
    const ended = await sync(example, ["--validate"], { HUB_USER: "u", HUB_TOKEN: "t", REGISTRY_URL: ours.url });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("registries.ours.username: the variable REGISTRY_USER is not set");
  });
});

describe("2-promote.yaml", () => {
  it("promotes released images with what belongs to them, and overwrites nothing", async () => {
    const shop = new ImageFactory(other.url, "shop/web");
    const image = await shop.image({ seed: "web 1", tag: "v1.0.0" });
    await shop.image({ seed: "web dev", tag: "v1.1.0-dev" });
    await shop.cosignTag(image);
    const sbom = await shop.referrer(image, "SBOM", "application/spdx+json");
    await shop.index([sbom], image.digest.replace(":", "-"));

    await apply("2-promote.yaml", { "https://staging.example.com": other.url });
    const task = "/apis/sync.entrepot.dev/v1/namespaces/release/synctasks/promote";
    await kubectl(["create", "--raw", `${task}/run`, "-f", "/dev/null"]);
    await kubectl(["wait", "-n", "release", "--for=condition=Complete", "synctask/promote", "--timeout=60s"]);
    const production = new ImageFactory(ours.url, "production/web");
    expect(await production.tags()).toEqual([`${image.digest.replace(":", "-")}.sig`, "v1.0.0"]);
    expect(await production.broken("v1.0.0")).toEqual([]);
    expect(await production.referrers(image.digest)).toEqual([sbom.digest]);

    await shop.image({ seed: "web 1, another", tag: "v1.0.0" });
    await kubectl(["create", "--raw", `${task}/run`, "-f", "/dev/null"]);
    await kubectl(["wait", "-n", "release", "--for=condition=Failed", "synctask/promote", "--timeout=60s"]);
    expect(await production.digest("v1.0.0")).toBe(image.digest);
    const { stdout } = await kubectl(["get", "executions", "-n", "release", "-o", "name"]);
    expect(stdout.trim().split("\n")).toHaveLength(2);
  });
});

describe("3-move.yaml", () => {
  const example = "3-move.yaml";

  it("moves all repositories, and says what is gone from the old one", async () => {
    const [old, next] = await Promise.all([startRegistry("docker-registry"), startRegistry("distribution")]);
    const variables = { OLD_URL: old.url, NEW_URL: next.url };
    const environment = {
      ...variables,
      ...accounts("OLD_USER", "OLD_PASSWORD"),
      ...accounts("NEW_USER", "NEW_PASSWORD"),
    };
    try {
      const names = ["app", "team/app", "team/tools/build"];
      for (const name of names) {
        const images = new ImageFactory(old.url, name);
        for (const tag of ["1", "2", "3"]) await images.image({ seed: `${name} ${tag}`, tag });
      }
      const first = await sync(example, [], environment);
      expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("move: succeeded: 9 copied") });
      for (const name of names) expect(await new ImageFactory(next.url, name).broken("3")).toEqual([]);
      const again = await sync(example, [], environment);
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("move: unchanged: 9 unchanged") });

      const there = new ImageFactory(next.url, "app");
      for (let number = 4; number < 20; number += 1) await there.retag((await there.fetch("1")).digest, `${number}`);
      const refused = await sync(example, ["--task", "tidy"], environment);
      expect(refused.stderr).toContain("16 of 19 tags would be deleted, more than the share of 0.1");
      for (let number = 4; number < 19; number += 1) {
        await new ImageFactory(old.url, "app").retag((await there.fetch("1")).digest, `${number}`);
      }
      const tidied = await sync(example, ["--task", "tidy"], environment);
      expect(tidied).toMatchObject({ code: 0, stdout: expect.stringContaining("app:19 would be deleted at new") });
      expect(await there.tags()).toContain("19");
    } finally {
      await Promise.all([old.stop(), next.stop()]);
    }
  });
});

describe("4-charts.yaml", () => {
  it("keeps charts in two places", async () => {
    const standby = await startRegistry("docker-registry");
    try {
      const chart = await new ImageFactory(other.url, "charts/web").chart("web", "1.2.3");
      const addresses = { "https://upstream.example.com": other.url, "https://standby.example.com": standby.url };
      await apply("4-charts.yaml", addresses);
      const task = "/apis/sync.entrepot.dev/v1/namespaces/charts/synctasks/charts";
      const preview = await kubectl(["get", "--raw", `${task}/preview`]);
      expect(JSON.parse(preview.stdout)).toMatchObject({
        truncated: false,
        items: [
          {
            repository: "charts/web",
            tag: "1.2.3",
            action: "copy",
            targets: ["local/charts/web:1.2.3", "standby/copies/web:1.2.3"],
          },
        ],
      });
      await kubectl(["create", "--raw", `${task}/run`, "-f", "/dev/null"]);
      await kubectl(["wait", "-n", "charts", "--for=condition=Complete", "synctask/charts", "--timeout=60s"]);
      expect(await new ImageFactory(ours.url, "charts/web").digest("1.2.3")).toBe(chart.digest);
      expect(await new ImageFactory(standby.url, "copies/web").digest("1.2.3")).toBe(chart.digest);
      expect(await new ImageFactory(standby.url, "copies/web").broken("1.2.3")).toEqual([]);
    } finally {
      await standby.stop();
    }
  });
});

describe("5-air-gap.yaml", () => {
  const example = "5-air-gap.yaml";

  it("says by its exit code and in JSON what a job needs to know", async () => {
    const environment = {
      OUTSIDE_URL: ours.url,
      INSIDE_URL: other.url,
      ...accounts("INSIDE_USER", "INSIDE_PASSWORD"),
    };
    const runtime = new ImageFactory(ours.url, "base/runtime");
    await runtime.image({ seed: "runtime 1", tag: "v1" });
    await runtime.image({ seed: "runtime nightly", tag: "nightly" });
    const lint = await new ImageFactory(ours.url, "tools/lint").image({ seed: "lint", tag: "2.0" });
    await new ImageFactory(ours.url, "tools/lint").referrer(lint, "an SBOM", "application/spdx+json");

    const valid = await sync(example, ["--validate"], environment);
    expect(valid).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("is in order: 2 registries; tasks base, tools"),
    });

    const dry = await sync(example, ["--dry-run", "--format", "json"], environment);
    expect(dry.code).toBe(0);
    const items = jsonLines(dry).filter(({ type }) => type === "item");
    expect(items.map(({ repository, tag, outcome }) => [repository, tag, outcome])).toEqual([
      ["base/runtime", "v1", "would-copy"],
      ["tools/lint", "2.0", "would-copy"],
    ]);
    expect(await new ImageFactory(other.url, "approved/runtime").tags()).toEqual([]);

    const copied = await sync(example, ["--format", "json"], environment);
    expect(copied.code).toBe(0);
    const summaries = jsonLines(copied).filter(({ type }) => type === "summary");
    expect(summaries).toMatchObject([
      { task: "base", state: "succeeded", counts: { copied: 1 } },
      { task: "tools", state: "succeeded", counts: { copied: 1 } },
    ]);
    expect(await new ImageFactory(other.url, "approved/lint").referrers(lint.digest)).toHaveLength(1);

    await runtime.image({ seed: "another runtime 1", tag: "v1" });
    const conflict = await sync(example, ["--format", "json"], environment);
    expect(conflict.code).toBe(1);
    expect(jsonLines(conflict).filter(({ type }) => type === "summary")).toMatchObject([
      { task: "base", state: "failed", counts: { conflict: 1 } },
      { task: "tools", state: "unchanged", counts: { unchanged: 1 } },
    ]);
  });
});

/** Registries on loopback let everybody in; the examples want an account all the same. */
function accounts(user: string, password: string): Record<string, string> {
  return { [user]: "nobody", [password]: "not-asked-for" };
}
