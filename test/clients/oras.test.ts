import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../support/client-fixture.ts";
import { digestOf } from "../support/oci-layout.ts";
import { pseudoRandom } from "../support/tar.ts";

/** What `--format json` tells of a push, as far as it is looked at here. */
interface Pushed {
  readonly digest: string;
}

describe("oras", () => {
  const at = useServer();
  let repository: string;
  let artifact: Pushed;
  beforeAll(async () => {
    repository = `${at.server.host}/team/artifacts`;
    writeFileSync(at.home.path("model.bin"), pseudoRandom("model", 3_000_000));
    writeFileSync(at.home.path("card.md"), "# A model\n");
    artifact = await json<Pushed>(
      "push",
      "--artifact-type=application/vnd.example.model",
      "--annotation=org.opencontainers.image.title=model",
      `${repository}:v1`,
      "model.bin:application/octet-stream",
      "card.md:text/markdown",
    );
  });

  const oras = async (...args: readonly string[]): Promise<string> =>
    (await at.home.run("oras", [...args, "--plain-http"])).stdout.trimEnd();
  const json = async <T>(...args: readonly string[]): Promise<T> =>
    JSON.parse(await oras(...args, "--format=json")) as T;

  test("pushes files and pulls them back", async () => {
    const folder = at.home.path("pulled");
    mkdirSync(folder);
    await oras("pull", `${repository}:v1`, "--output", folder);
    expect(readFileSync(`${folder}/card.md`, "utf8")).toBe("# A model\n");
    expect(digestOf(readFileSync(`${folder}/model.bin`))).toBe(digestOf(pseudoRandom("model", 3_000_000)));
  });

  test("fetches the manifest that it pushed", async () => {
    const manifest = await at.home.run("oras", ["manifest", "fetch", `${repository}:v1`, "--plain-http"]);
    expect(digestOf(manifest.bytes)).toBe(artifact.digest);
    expect(JSON.parse(manifest.stdout)).toMatchObject({ artifactType: "application/vnd.example.model" });
  });

  test("attaches artifacts and discovers them, by type as well", async () => {
    writeFileSync(at.home.path("sbom.json"), "{}");
    const sbom = await json<Pushed>("attach", `${repository}:v1`, "--artifact-type=application/spdx+json", "sbom.json");
    const signature = await json<Pushed>(
      "attach",
      `${repository}@${artifact.digest}`,
      "--artifact-type=application/vnd.example.signature",
      "--annotation=signed-by=test",
    );
    const all = await discover();
    expect(all).toEqual([sbom.digest, signature.digest].sort());
    expect(await discover("--artifact-type=application/spdx+json")).toEqual([sbom.digest]);
    // Nothing was stored under a tag of the digest: the registry has the referrers API.
    expect(await oras("repo", "tags", repository)).toBe("v1");
  });

  const discover = async (...options: readonly string[]): Promise<string[]> => {
    const found = await json<{ readonly referrers: readonly Pushed[] }>("discover", `${repository}:v1`, ...options);
    return found.referrers.map(({ digest }) => digest).sort();
  };

  test("pushes several tags at once, tags again, and lists tags and repositories", async () => {
    const tagged = `${at.server.host}/team/tagged`;
    await oras("push", `${tagged}:a,b,c`, "card.md:text/markdown");
    await oras("tag", `${tagged}:a`, "d", "e");
    expect(await oras("repo", "tags", tagged)).toBe("a\nb\nc\nd\ne");
    expect((await oras("repo", "ls", at.server.host)).split("\n")).toContain("team/tagged");
    expect((await oras("repo", "ls", `${at.server.host}/team/`)).split("\n")).toContain("tagged");
  });

  test("pushes, fetches and deletes a blob", async () => {
    const target = `${at.server.host}/team/blobs`;
    const bytes = pseudoRandom("blob", 700_000);
    const digest = digestOf(bytes);
    writeFileSync(at.home.path("blob.bin"), bytes);
    await oras("blob", "push", `${target}@${digest}`, "blob.bin");
    await oras("blob", "fetch", `${target}@${digest}`, "--output", at.home.path("fetched.bin"));
    expect(digestOf(readFileSync(at.home.path("fetched.bin")))).toBe(digest);
    await oras("blob", "delete", `${target}@${digest}`, "--force");
    const gone = await at.home.attempt("oras", [
      "blob",
      "fetch",
      "--descriptor",
      `${target}@${digest}`,
      "--plain-http",
    ]);
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toContain("not found");
  });

  test("copies an artifact with everything attached to it", async () => {
    const target = `${at.server.host}/team/copied`;
    writeFileSync(at.home.path("note.txt"), "seen\n");
    const note = ["--artifact-type=application/vnd.example.note", "note.txt:text/plain"];
    const attached = await json<Pushed>("attach", `${repository}:v1`, ...note);
    await at.home.run("oras", [
      "copy",
      "--recursive",
      "--from-plain-http",
      "--to-plain-http",
      `${repository}:v1`,
      `${target}:v1`,
    ]);
    const found = await json<{ readonly referrers: readonly Pushed[] }>("discover", `${target}:v1`);
    expect(found.referrers.map(({ digest }) => digest)).toContain(attached.digest);
  });

  test("deletes a manifest", async () => {
    const target = `${at.server.host}/team/deleted:v1`;
    await oras("push", target, "card.md:text/markdown");
    await oras("manifest", "delete", "--force", target);
    const gone = await at.home.attempt("oras", ["manifest", "fetch", target, "--plain-http"]);
    expect(gone.code).not.toBe(0);
    expect(gone.stderr).toContain("not found");
  });
});
