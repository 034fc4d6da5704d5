import { describe, expect, test } from "vitest";
import { type Algorithm, blob, type Content } from "./data.ts";
import { expectAbsent, expectAnswer, expectBlob } from "./expectations.ts";
import { body, location, query, type Registry } from "./registry-client.ts";
import { pushBlob } from "./steps.ts";

/** Blobs that another repository holds already. @see distribution-spec, "Mounting a blob from another repository" */
export function mountTests(registry: Registry, algorithm: Algorithm): void {
  describe(`mounting ${algorithm} blobs`, () => {
    test.each(["named", "anonymous"])(
      "Blob mount, %s source: 201, and it outlives the source (end-11)",
      async (kind) => {
        const source = registry.repository("source");
        const target = registry.repository("target");
        const mounted = blob(512, algorithm);
        await pushBlob(source, mounted);
        const from = kind === "named" ? [query("from", source.name)] : [];
        const answer = await target.send("POST", "blobs/uploads/", query("mount", mounted.digest), ...from);
        expectAnswer(answer, 201, {
          "docker-content-digest": mounted.digest,
          location: new RegExp(`/v2/${target.name}/blobs/${mounted.digest}$`),
        });
        await expectBlob(target, mounted);
        expectAnswer(await source.send("DELETE", `blobs/${mounted.digest}`), 202);
        await expectAbsent(source, `blobs/${mounted.digest}`);
        await expectBlob(target, mounted);
      },
    );

    const fallbacks: Record<string, (missing: Content, other: string) => Parameters<typeof query>[]> = {
      "the source does not hold the blob": ({ digest }, other) => [
        ["mount", digest],
        ["from", other],
      ],
      "the source does not exist": ({ digest }) => [
        ["mount", digest],
        ["from", "conformance/no-such-repository"],
      ],
      "the source is no name of a repository": ({ digest }) => [
        ["mount", digest],
        ["from", "Not/A/Name"],
      ],
      "nobody holds the blob, and no source is named": ({ digest }) => [["mount", digest]],
      "the digest is malformed": (_missing, other) => [
        ["mount", `${algorithm}:not-hexadecimal`],
        ["from", other],
      ],
    };
    test.each(Object.entries(fallbacks))("%s: 202 and an upload that works (end-11)", async (_why, parameters) => {
      const source = registry.repository("source");
      const target = registry.repository("target");
      await pushBlob(source, blob());
      const missing = blob(512, algorithm);
      const pairs = parameters(missing, source.name);
      const answer = await target.send("POST", "blobs/uploads/", ...pairs.map(([name, value]) => query(name, value)));
      expectAnswer(answer, 202, { "docker-content-digest": null });
      await expectAbsent(target, `blobs/${missing.digest}`);
      const closed = await target.send("PUT", location(answer), query("digest", missing.digest), body(missing.bytes));
      expectAnswer(closed, 201);
      await expectBlob(target, missing);
    });
  });

  test(`a blob mounted where it is already stays as it is (end-11, ${algorithm})`, async () => {
    const repository = registry.repository("itself");
    const held = blob(512, algorithm);
    await pushBlob(repository, held);
    const parts = [query("mount", held.digest), query("from", repository.name)];
    const answer = await repository.send("POST", "blobs/uploads/", ...parts);
    expectAnswer(answer, 201);
    expect(answer.bytes).toHaveLength(0);
    await expectBlob(repository, held);
  });
}
