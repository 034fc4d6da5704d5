import { describe, expect, test } from "vitest";
import { blob, type Content } from "./data.ts";
import { expectAbsent, expectAnswer, expectBlob, expectBytes, expectError } from "./expectations.ts";
import { header, type Registry, type Repository } from "./registry-client.ts";
import { pushBlob, pushImage } from "./steps.ts";

/** Blobs below this size are answered from memory, larger ones are streamed from storage: both must be right. */
const SIZES = [2048, 300_000] as const;

/** Pulling and deleting blobs. @see distribution-spec, end-2 and end-10 */
export function blobPullTests(registry: Registry): void {
  describe.each(SIZES)("a blob of %i bytes", (size) => {
    const repository = registry.repository("pull");
    const held = blob(size);

    test("HEAD and GET name length, digest, entity tag and type (end-2)", async () => {
      await pushBlob(repository, held);
      for (const method of ["HEAD", "GET"]) {
        expectAnswer(await repository.send(method, `blobs/${held.digest}`), 200, {
          "content-length": String(size),
          "content-type": "application/octet-stream",
          "docker-content-digest": held.digest,
          "accept-ranges": "bytes",
          etag: `"${held.digest}"`,
          "cache-control": /max-age=\d+.*, no-transform$/,
        });
      }
      await expectBlob(repository, held);
    });

    test("the colon of the digest may be escaped (end-2)", async () => {
      expectAnswer(await repository.send("GET", `blobs/${held.digest.replace(":", "%3A")}`), 200);
    });

    test.each([
      ["500-1499", 500, 1499],
      ["500-", 500, size - 1],
      ["-500", size - 500, size - 1],
      [`${size - 48}-${size + 5000}`, size - 48, size - 1],
      ["0-0", 0, 0],
      [`-${size * 2}`, 0, size - 1],
      [`0-${size - 1}`, 0, size - 1],
    ] as const)("Range bytes=%s: 206 (Blob get range; end-2, RFC 9110 section 14.2)", async (range, first, last) => {
      const answer = await ranged(repository, held, `bytes=${range}`);
      expectAnswer(answer, 206, {
        "content-length": String(last - first + 1),
        "content-range": `bytes ${first}-${last}/${size}`,
        "docker-content-digest": held.digest,
      });
      expectBytes(answer, held.bytes.subarray(first, last + 1));
    });

    test.each(["500-0", `${size}-`, `${size + 5000}-${size + 10_000}`, "-0"])(
      "Range bytes=%s cannot be met: 416 with the size (end-2, RFC 9110 section 15.5.17)",
      async (range) => {
        expectError(await ranged(repository, held, `bytes=${range}`), {
          status: 416,
          code: "RANGE_INVALID",
          headers: { "content-range": `bytes */${size}` },
        });
      },
    );

    test.each(["bytes=0-1,5-9", "pages=1-2", "bytes=one-two", "bytes=", "0-10"])(
      "Range %s is not honoured: 200 with everything (RFC 9110 section 14.2)",
      async (range) => {
        const answer = await ranged(repository, held, range);
        expectAnswer(answer, 200, { "content-range": null });
        expectBytes(answer, held.bytes);
      },
    );

    test.each([
      ["the entity tag", `"${held.digest}"`, 206],
      ["another entity tag", '"other"', 200],
      ["a weak one, which compares with nothing", `W/"${held.digest}"`, 200],
      ["a date, which a blob has not", "Tue, 01 Jan 2030 00:00:00 GMT", 200],
    ] as const)(
      "If-Range with %s: the range only of what the client has (RFC 9110 section 13.1.5)",
      async (_case, condition, status) => {
        const answer = await repository.send(
          "GET",
          `blobs/${held.digest}`,
          header("range", "bytes=10-19"),
          header("if-range", condition),
        );
        expectAnswer(answer, status, { "content-range": status === 206 ? `bytes 10-19/${size}` : null });
        expectBytes(answer, status === 206 ? held.bytes.subarray(10, 20) : held.bytes);
      },
    );

    test("If-None-Match: 304 without a body when the client has it, 200 when not (RFC 9110 section 13.1.2)", async () => {
      const tag = `"${held.digest}"`;
      for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
        for (const method of ["GET", "HEAD"]) {
          const answer = await repository.send(method, `blobs/${held.digest}`, header("if-none-match", known));
          expectAnswer(answer, 304, { etag: tag, "docker-content-digest": held.digest });
          expect(answer.bytes).toHaveLength(0);
        }
      }
      const answer = await repository.send("GET", `blobs/${held.digest}`, header("if-none-match", '"other"'));
      expectAnswer(answer, 200);
      expectBytes(answer, held.bytes);
    });
  });

  test("an empty blob has no range (RFC 9110 section 14.1.2)", async () => {
    const repository = registry.repository("empty-blob");
    const empty = blob(0);
    await pushBlob(repository, empty);
    for (const range of ["bytes=0-", "bytes=-5", "bytes=0-0"]) {
      expectError(await ranged(repository, empty, range), { status: 416, code: "RANGE_INVALID" });
    }
    await expectBlob(repository, empty);
  });

  test("what another repository holds is unknown in this one (end-2)", async () => {
    const held = blob();
    await pushBlob(registry.repository("holder"), held);
    await expectAbsent(registry.repository("stranger"), `blobs/${held.digest}`);
  });

  describe("deleting blobs", () => {
    test("a delete is seen by the next request, and cannot be repeated (Blob delete atomic; end-10)", async () => {
      const repository = registry.repository("delete");
      const held = blob();
      await pushBlob(repository, held);
      await expectBlob(repository, held);
      expectAnswer(await repository.send("DELETE", `blobs/${held.digest}`), 202);
      await expectAbsent(repository, `blobs/${held.digest}`);
      const gone = { status: 404, code: "BLOB_UNKNOWN" };
      expectError(await repository.send("GET", `blobs/${held.digest}`), gone);
      expectError(await ranged(repository, held, "bytes=0-9"), gone);
      const cached = header("if-none-match", `"${held.digest}"`);
      expectError(await repository.send("GET", `blobs/${held.digest}`, cached), gone);
      expectError(await repository.send("DELETE", `blobs/${held.digest}`), gone);
    });

    test("a deleted blob can be pushed again (end-6, end-10)", async () => {
      const repository = registry.repository("revive");
      const held = blob();
      for (const _time of [1, 2, 3]) {
        await pushBlob(repository, held);
        await expectBlob(repository, held);
        expectAnswer(await repository.send("DELETE", `blobs/${held.digest}`), 202);
        await expectAbsent(repository, `blobs/${held.digest}`);
      }
    });

    test("a blob in use is kept: 405 UNSUPPORTED names the manifest; it goes after that (end-10)", async () => {
      const repository = registry.repository("in-use");
      const { manifest, blobs } = await pushImage(repository, "latest");
      for (const { digest } of blobs) {
        const entry = expectError(await repository.send("DELETE", `blobs/${digest}`), {
          status: 405,
          code: "UNSUPPORTED",
          message: /in use/,
        });
        expect(entry.detail).toEqual({ digest, manifest: manifest.digest });
      }
      for (const held of blobs) await expectBlob(repository, held);
      expectAnswer(await repository.send("DELETE", `manifests/${manifest.digest}`), 202);
      for (const { digest } of blobs) {
        expectAnswer(await repository.send("DELETE", `blobs/${digest}`), 202);
        await expectAbsent(repository, `blobs/${digest}`);
      }
    });
  });
}

async function ranged(repository: Repository, { digest }: Content, range: string): ReturnType<Repository["send"]> {
  return repository.send("GET", `blobs/${digest}`, header("range", range));
}
