import { beforeAll, describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import type { Digest, RepositoryName } from "../../src/oci/index.ts";
import type { Referrer } from "../../src/content/index.ts";
import { bindings } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { createKernel, imageOf, indexOf, newRepository, pushBlob, pushManifest } from "./fixture.ts";

const SUBJECT = digestBytes("sha256", someBytes(10, 77));
const subject = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: SUBJECT, size: 1 };
const kernel = createKernel();
let repository: RepositoryName;
let config: Digest;

beforeAll(async () => {
  repository = newRepository();
  config = (await pushBlob(kernel, repository, someBytes(100, 78))).digest;
});

async function refer(more: object, to = subject): Promise<Digest> {
  const pushed = await pushManifest(kernel, repository, imageOf([config], { subject: to, ...more }));
  if (!pushed.ok) throw new Error(pushed.error.reason);
  return pushed.value.digest;
}

/** All referrers, page by page. */
async function all(of: Digest, limit: number, artifactType?: string): Promise<Referrer[][]> {
  const pages: Referrer[][] = [];
  let after = "";
  do {
    const page = await kernel.manifests.referrers(repository, of, { artifactType, after, limit });
    pages.push([...page.referrers]);
    after = page.next ?? "";
  } while (after !== "" && pages.length < 100);
  return pages;
}

describe("referrers", () => {
  it("of something unknown are none", async () => {
    const unknown = digestBytes("sha256", someBytes(10, 79));
    expect(await all(unknown, 10)).toEqual([[]]);
    const nowhere = await kernel.manifests.referrers(newRepository(), SUBJECT, {
      artifactType: undefined,
      after: "",
      limit: 10,
    });
    expect(nowhere).toEqual({ referrers: [], next: undefined });
  });

  it("are described as their manifests are, filtered, and paged by digest", async () => {
    const made = [
      await refer({ artifactType: "application/signature", annotations: { by: "a" } }),
      await refer({ artifactType: "application/signature", annotations: { by: "b" } }),
      await refer({ annotations: { by: "c" } }),
    ];
    const index = await pushManifest(kernel, repository, indexOf([], { subject, artifactType: "application/sbom" }));
    if (!index.ok) throw new Error(index.error.reason);
    made.push(index.value.digest);
    const pages = await all(SUBJECT, 2);
    expect(pages.map((page) => page.length)).toEqual([2, 2]);
    expect(pages.flat().map(({ digest }) => digest)).toEqual(made.toSorted());
    const signatures = (await all(SUBJECT, 10, "application/signature")).flat();
    expect(new Set(signatures.map(({ annotations }) => annotations["by"]))).toEqual(new Set(["a", "b"]));
    const [byConfig] = (await all(SUBJECT, 10, "application/vnd.oci.image.config.v1+json")).flat();
    expect(byConfig).toMatchObject({ digest: made[2], mediaType: "application/vnd.oci.image.manifest.v1+json" });
    const [sbom] = (await all(SUBJECT, 10, "application/sbom")).flat();
    expect(sbom).toMatchObject({ mediaType: "application/vnd.oci.image.index.v1+json", annotations: {} });
    expect(await all(SUBJECT, 10, "application/none")).toEqual([[]]);
  });

  it("with annotations too long for a row are read from the bytes", async () => {
    const to = { ...subject, digest: digestBytes("sha256", someBytes(10, 80)) };
    const annotations = { long: "ä".repeat(40_000), "org.example/short": "x" };
    const edge = { long: "y".repeat(64 * 1024 - '{"long":""}'.length) };
    const made = [await refer({ annotations }, to), await refer({ annotations: edge }, to)];
    made.push(await refer({ annotations: { long: `${edge.long}y` } }, to));
    const found = (await all(to.digest, 10)).flat();
    expect(found.find(({ digest }) => digest === made[0])?.annotations).toEqual(annotations);
    expect(found.find(({ digest }) => digest === made[1])?.annotations).toEqual(edge);
    const { results } = await bindings.DB.prepare(
      "SELECT annotations IS NULL AS apart FROM manifests WHERE digest IN (?1, ?2) ORDER BY apart",
    )
      .bind(made[1] ?? "", made[2] ?? "")
      .all();
    expect(results).toEqual([{ apart: 0 }, { apart: 1 }]);
  });

  it("with many long annotations come in pages that stay small", async () => {
    const to = { ...subject, digest: digestBytes("sha256", someBytes(10, 81)) };
    const made: Digest[] = [];
    for (let index = 0; index < 5; index += 1) {
      made.push(await refer({ annotations: { long: `${index}`.repeat(900_000) } }, to));
    }
    const pages = await all(to.digest, 100);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat().map(({ digest }) => digest)).toEqual(made.toSorted());
  });

  it("go when their manifest is deleted", async () => {
    const to = { ...subject, digest: digestBytes("sha256", someBytes(10, 82)) };
    const digest = await refer({}, to);
    expect((await all(to.digest, 10)).flat()).toHaveLength(1);
    await kernel.manifests.remove(repository, digest);
    expect((await all(to.digest, 10)).flat()).toEqual([]);
  });
});
