import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { digestOf, type Layout, layoutDigests, writeLayout } from "../support/oci-layout.ts";
import { pseudoRandom } from "../support/tar.ts";

const MIB = 1024 * 1024;

/** Bytes of each PATCH; not a multiple of anything that a store likes. */
const CHUNK = 1_500_000;

describe("regctl", () => {
  const at = useServer();
  let layout: Layout;
  let repository: string;
  beforeAll(async () => {
    layout = writeLayout(at.home.path("source"), { seed: "regctl", layerBytes: 200_000 });
    repository = `${at.server.host}/team/app`;
    const chunks = ["--blob-chunk", String(CHUNK), "--blob-max", String(CHUNK)];
    await regctl("registry", "set", at.server.host, "--tls", "disabled", ...chunks);
    await regctl("image", "copy", "--referrers", `ocidir://${layout.folder}:v1`, `${repository}:v1`);
  });

  const regctl = async (...args: readonly string[]): Promise<string> =>
    (await at.home.run("regctl", args)).stdout.trimEnd();

  test("copies an image of two platforms in and out without changing a byte", async () => {
    const folder = at.home.path("pulled");
    await regctl("image", "copy", `${repository}:v1`, `ocidir://${folder}:v1`);
    expect(layoutDigests(folder)).toEqual(layout.digests);
    expect(await regctl("image", "digest", `${repository}:v1`)).toBe(layout.index.digest);
  });

  test("copies an image to another repository", async () => {
    const target = `${at.server.host}/other/app:v1`;
    await regctl("image", "copy", `${repository}:v1`, target);
    expect(await regctl("image", "digest", target)).toBe(layout.index.digest);
  });

  test.each([
    ["a little more than one chunk", CHUNK + 1],
    ["a whole number of chunks", 4 * CHUNK],
    ["many chunks", 20 * MIB + 7],
  ])("pushes a blob of %s", async (_, size) => {
    const bytes = pseudoRandom(`chunks-${size}`, size);
    const digest = digestOf(bytes);
    const { stdout } = await at.home.run("regctl", ["blob", "put", repository], { input: bytes });
    expect(stdout.trim()).toBe(digest);
    const fetched = await at.home.run("regctl", ["blob", "get", repository, digest]);
    expect(digestOf(fetched.bytes)).toBe(digest);
    expect(await regctl("blob", "head", repository, digest)).toMatch(new RegExp(`content-length: ${size}`, "i"));
  });

  test("refuses a blob whose digest is another", async () => {
    const [bytes, other] = [pseudoRandom("one", 5 * MIB), digestOf(pseudoRandom("other", 10))];
    const refused = await at.home.attempt("regctl", ["blob", "put", "--digest", other, repository], { input: bytes });
    expect(refused.code).not.toBe(0);
  });

  test("lists and deletes tags", async () => {
    const other = `${at.server.host}/team/tags`;
    for (const tag of ["b", "a", "c"]) await regctl("image", "copy", `${repository}:v1`, `${other}:${tag}`);
    expect(await regctl("tag", "ls", other)).toBe("a\nb\nc");
    await regctl("tag", "rm", `${other}:b`);
    expect(await regctl("tag", "ls", other)).toBe("a\nc");
    // The image itself is still there, under its other tags.
    expect(await regctl("image", "digest", `${other}:c`)).toBe(layout.index.digest);
    expect((await regctl("repo", "ls", at.server.host)).split("\n")).toContain("team/tags");
  });

  test("puts artifacts on an image and draws the tree", async () => {
    const put = (type: string, text: string) =>
      at.home.run("regctl", ["artifact", "put", "--artifact-type", type, "--subject", `${repository}:v1`], {
        input: text,
      });
    await put("application/vnd.example.sbom", "an inventory");
    await put("application/vnd.example.scan", "a finding");
    const tree = await regctl("artifact", "tree", `${repository}:v1`);
    expect(tree).toContain(layout.index.digest);
    expect(tree).toContain("application/vnd.example.sbom");
    expect(tree).toContain("application/vnd.example.scan");
    const listed = await regctl(
      "artifact",
      "list",
      "--filter-artifact-type=application/vnd.example.scan",
      `${repository}:v1`,
    );
    expect(listed).toContain("application/vnd.example.scan");
    expect(listed).not.toContain("application/vnd.example.sbom");
  });

  test("gets an artifact that it put", async () => {
    const target = `${at.server.host}/team/text:v1`;
    await at.home.run("regctl", ["artifact", "put", "--artifact-type", "application/vnd.example.text", target], {
      input: "hello",
    });
    expect(await regctl("artifact", "get", target)).toBe("hello");
  });

  test("changes an image and pushes what changed", async () => {
    const target = `${repository}:labelled`;
    await regctl("image", "mod", `${repository}:v1`, "--label", "changed=yes", "--create", target);
    const config = await regctl("image", "config", "--platform", "linux/arm64", target);
    expect(JSON.parse(config)).toMatchObject({ config: { Labels: { changed: "yes", seed: "regctl" } } });
  });
});
