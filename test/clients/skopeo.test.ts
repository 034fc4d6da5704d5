import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { type Layout, writeLayout } from "../support/oci-layout.ts";
import { copy, pullLayout, pushLayout } from "../support/skopeo.ts";

const MIB = 1024 * 1024;

describe("skopeo", () => {
  const at = useServer();
  let layout: Layout;
  let image: string;
  beforeAll(async () => {
    layout = writeLayout(at.home.path("source"), { seed: "skopeo", layers: 4, layerBytes: 300_000 });
    image = `${at.server.host}/team/app:v1`;
    await pushLayout(at.home, layout, image);
  });

  const skopeo = async (command: string, ...args: readonly string[]): Promise<string> =>
    (await at.home.run("skopeo", ["--insecure-policy", command, "--tls-verify=false", ...args])).stdout;

  test("copies an image of two platforms in and out without changing a byte", async () => {
    const pulled = await pullLayout(at.home, image, "pulled");
    expect(pulled).toEqual({ digest: layout.index.digest, digests: layout.digests });
  });

  test("copies one platform alone", async () => {
    const [, arm] = layout.manifests;
    const folder = at.home.path("arm");
    const choice = ["--insecure-policy", "--override-arch", "arm64"];
    const options = ["--src-tls-verify=false", "--preserve-digests"];
    await at.home.run("skopeo", [...choice, "copy", ...options, `docker://${image}`, `dir:${folder}`]);
    const config = JSON.parse(Buffer.from(layout.read(arm?.digest ?? "")).toString()) as { config: { digest: string } };
    const layers = layout.layers[1]?.map(({ digest }) => hex(digest)) ?? [];
    expect(readdirSync(folder).sort()).toEqual(
      ["manifest.json", "version", hex(config.config.digest), ...layers].sort(),
    );
  });

  test("inspects the manifest as it was pushed", async () => {
    const raw = await at.home.run("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${image}`]);
    expect(Buffer.from(raw.bytes).equals(layout.read(layout.index.digest))).toBe(true);
  });

  test("inspects an image and its configuration", async () => {
    const seen = JSON.parse(await skopeo("inspect", `docker://${image}`)) as Record<string, unknown>;
    expect(seen).toMatchObject({
      Digest: layout.index.digest,
      RepoTags: ["v1"],
      Architecture: "amd64",
      Labels: { seed: "skopeo" },
      Layers: layout.layers[0]?.map(({ digest }) => digest),
    });
    const config: unknown = JSON.parse(await skopeo("inspect", "--config", `docker://${image}`));
    expect(config).toMatchObject({ architecture: "amd64", os: "linux" });
  });

  test("lists tags in order", async () => {
    const repository = `${at.server.host}/team/tags`;
    for (const tag of ["v10", "latest", "v2"]) await pushLayout(at.home, layout, `${repository}:${tag}`);
    const listed: unknown = JSON.parse(await skopeo("list-tags", `docker://${repository}`));
    expect(listed).toEqual({ Repository: repository, Tags: ["latest", "v10", "v2"] });
  });

  test("copies between repositories of the registry", async () => {
    const target = `${at.server.host}/other/app:copy`;
    await copy(at.home, `docker://${image}`, `docker://${target}`);
    expect((await pullLayout(at.home, target, "copied")).digests).toEqual(layout.digests);
  });

  test("converts an image to Docker's format, and pulls it as such", async () => {
    const target = `${at.server.host}/team/docker:v1`;
    const options = ["--format", "v2s2", "--dest-tls-verify=false"];
    await at.home.run("skopeo", [
      "--insecure-policy",
      "copy",
      ...options,
      `oci:${layout.folder}:v1`,
      `docker://${target}`,
    ]);
    const raw: unknown = JSON.parse(await skopeo("inspect", "--raw", `docker://${target}`));
    expect(raw).toMatchObject({ mediaType: "application/vnd.docker.distribution.manifest.v2+json" });
    expect(JSON.parse(await skopeo("inspect", `docker://${target}`))).toMatchObject({ Architecture: "amd64" });
  });

  test("deletes an image, and with it every tag of it", async () => {
    const repository = `${at.server.host}/team/deleted`;
    for (const tag of ["v1", "same"]) await pushLayout(at.home, layout, `${repository}:${tag}`);
    await skopeo("delete", `docker://${repository}:v1`);
    for (const tag of ["v1", "same"]) {
      const gone = await at.home.attempt("skopeo", ["inspect", "--tls-verify=false", `docker://${repository}:${tag}`]);
      expect(gone.code).not.toBe(0);
      expect(gone.stderr).toContain("manifest unknown");
    }
    expect((await pullLayout(at.home, image, "kept")).digests).toEqual(layout.digests);
  });

  test("syncs a repository to a folder and back under another name", async () => {
    const repository = "team/synced";
    for (const tag of ["v1", "v2"]) await pushLayout(at.home, layout, `${at.server.host}/${repository}:${tag}`);
    const folder = at.home.path("synced");
    const options = ["--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"];
    const sync = (...args: readonly string[]) =>
      at.home.run("skopeo", ["--insecure-policy", "sync", ...options, ...args]);
    await sync("--src", "docker", "--dest", "dir", `${at.server.host}/${repository}`, folder);
    expect(readdirSync(folder).sort()).toEqual(["synced:v1", "synced:v2"]);
    await sync("--src", "dir", "--dest", "docker", folder, `${at.server.host}/mirror`);
    const mirrored = await pullLayout(at.home, `${at.server.host}/mirror/synced:v2`, "mirrored");
    expect(mirrored).toEqual({ digest: layout.index.digest, digests: layout.digests });
  });

  test("copies layers of many parts", async () => {
    const large = writeLayout(at.home.path("large"), {
      seed: "large",
      architectures: ["amd64"],
      layers: 2,
      layerBytes: 40 * MIB,
    });
    const target = `${at.server.host}/team/large:v1`;
    await pushLayout(at.home, large, target);
    expect((await pullLayout(at.home, target, "large-pulled")).digests).toEqual(large.digests);
  });
});

function hex(digest: string): string {
  return digest.slice("sha256:".length);
}
