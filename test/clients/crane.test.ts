import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { digestOf, type Layout, layoutDigests, writeLayout } from "../support/oci-layout.ts";
import { pseudoRandom, tar } from "../support/tar.ts";

describe("crane", () => {
  const at = useServer();
  let layout: Layout;
  let repository: string;
  beforeAll(async () => {
    layout = writeLayout(at.home.path("source"), { seed: "crane" });
    repository = `${at.server.host}/team/app`;
    await crane("push", "--index", layout.folder, `${repository}:v1`);
  });

  const crane = async (...args: readonly string[]): Promise<string> =>
    (await at.home.run("crane", args)).stdout.trimEnd();

  // A layout names its images in an index of its own, which crane pushes as it is.
  const pushed = async (): Promise<string> => crane("digest", `${repository}:v1`);

  test("pushes and pulls an image of two platforms without changing a byte", async () => {
    const folder = at.home.path("pulled");
    await crane("pull", "--format=oci", `${repository}@${layout.index.digest}`, folder);
    expect(layoutDigests(folder)).toEqual(layout.digests);
  });

  test("finds every image of it well-formed, layers and all", async () => {
    const report = await at.home.run("crane", ["validate", "--remote", `${repository}:v1`]);
    expect(report.stdout + report.stderr).toContain("PASS");
  });

  test("reads digests, manifests, configurations and blobs", async () => {
    const [amd, arm] = layout.manifests;
    expect(await pushed()).toMatch(/^sha256:/);
    expect(await crane("digest", "--platform", "linux/arm64", `${repository}@${layout.index.digest}`)).toBe(
      arm?.digest,
    );
    const manifest = await at.home.run("crane", ["manifest", `${repository}@${amd?.digest}`]);
    expect(digestOf(Buffer.from(manifest.stdout.trimEnd()))).toBe(amd?.digest);
    expect(JSON.parse(await crane("config", `${repository}@${arm?.digest}`))).toMatchObject({ architecture: "arm64" });
    const [layer] = layout.layers[0] ?? [];
    const blob = await at.home.run("crane", ["blob", `${repository}@${layer?.digest}`]);
    expect(digestOf(blob.bytes)).toBe(layer?.digest);
  });

  test("lists tags and repositories", async () => {
    const other = `${at.server.host}/team/listed`;
    for (const tag of ["b", "c", "a"]) await crane("copy", `${repository}:v1`, `${other}:${tag}`);
    expect((await crane("ls", other)).split("\n")).toEqual(["a", "b", "c"]);
    expect((await crane("catalog", at.server.host)).split("\n")).toEqual(
      expect.arrayContaining(["team/app", "team/listed"]),
    );
  });

  test("copies an image to another repository", async () => {
    const target = `${at.server.host}/other/app:v1`;
    await crane("copy", `${repository}:v1`, target);
    expect(await crane("digest", target)).toBe(await pushed());
    await crane("validate", "--remote", target);
  });

  test("tags an image again", async () => {
    await crane("tag", `${repository}:v1`, "stable");
    expect(await crane("digest", `${repository}:stable`)).toBe(await pushed());
  });

  test("puts layers upon an image", async () => {
    const layer = at.home.path("layer.tar");
    writeFileSync(layer, tar([{ name: "added", content: pseudoRandom("added", 50_000) }]));
    const base = `${repository}@${layout.manifests[0]?.digest}`;
    const target = `${at.server.host}/team/appended:v1`;
    await crane("append", "--base", base, "--new_layer", layer, "--new_tag", target);
    await crane("validate", "--remote", target);
    const manifest = JSON.parse(await crane("manifest", target)) as { readonly layers: readonly unknown[] };
    expect(manifest.layers).toHaveLength((layout.layers[0]?.length ?? 0) + 1);
  });

  test("joins images in an index", async () => {
    const target = `${at.server.host}/team/joined:v1`;
    const images = layout.manifests.flatMap(({ digest }) => ["-m", `${repository}@${digest}`]);
    await crane("index", "append", ...images, "-t", target);
    const index = JSON.parse(await crane("manifest", target)) as {
      readonly manifests: readonly { readonly digest: string }[];
    };
    expect(index.manifests.map(({ digest }) => digest)).toEqual(layout.manifests.map(({ digest }) => digest));
    await crane("validate", "--remote", target);
  });

  test("deletes a tag, then an image", async () => {
    const other = `${at.server.host}/team/deleted`;
    for (const tag of ["one", "two"]) await crane("copy", `${repository}:v1`, `${other}:${tag}`);
    await crane("delete", `${other}:one`);
    expect(await crane("ls", other)).toBe("two");
    const digest = await crane("digest", `${other}:two`);
    await crane("delete", `${other}@${digest}`);
    const gone = await at.home.attempt("crane", ["manifest", `${other}@${digest}`]);
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toMatch(/MANIFEST_UNKNOWN|404/);
  });
});
