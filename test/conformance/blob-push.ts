import { describe, expect, test } from "vitest";
import { type Algorithm, blob, content, type Content } from "./data.ts";
import { expectAbsent, expectAnswer, expectBlob, expectBytes, expectError } from "./expectations.ts";
import {
  type Answer,
  body,
  header,
  location,
  query,
  type Registry,
  type Repository,
  streamed,
} from "./registry-client.ts";
import { openUpload } from "./steps.ts";

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * The ways to push a blob, for one digest algorithm: the suite's groups "sha256 blobs" and "sha512 blobs". As in the
 * suite, no request says beforehand which algorithm the digest will be of.
 */
export function blobPushTests(registry: Registry, algorithm: Algorithm): void {
  describe(`pushing ${algorithm} blobs`, () => {
    test("Blob post only: POST with a digest and the bytes (end-4b)", async () => {
      const pushed = blob(512, algorithm);
      const repository = registry.repository("post-only");
      const answer = await repository.send(
        "POST",
        "blobs/uploads/",
        query("digest", pushed.digest),
        body(pushed.bytes),
      );
      await expectPushed(repository, answer, pushed);
    });

    test("Blob post only, under chunked coding (end-4b; RFC 9112 section 7.1)", async () => {
      const pushed = blob(70_000, algorithm);
      const repository = registry.repository("post-only");
      const digest = query("digest", pushed.digest);
      const answer = await repository.send("POST", "blobs/uploads/", digest, streamed(pushed.bytes));
      await expectPushed(repository, answer, pushed);
    });

    test("Blob post put: POST, then PUT with the bytes (end-4a, end-6)", async () => {
      const pushed = blob(512, algorithm);
      const repository = registry.repository("post-put");
      const answer = await finish(repository, await openUpload(repository), pushed, body(pushed.bytes));
      await expectPushed(repository, answer, pushed);
    });

    test("Blob post put, under chunked coding (end-6; RFC 9112 section 7.1)", async () => {
      const pushed = blob(70_000, algorithm);
      const repository = registry.repository("post-put");
      const answer = await finish(repository, await openUpload(repository), pushed, streamed(pushed.bytes));
      await expectPushed(repository, answer, pushed);
    });

    test.each([
      { chunks: 1, lastInPut: false },
      { chunks: 3, lastInPut: false },
      { chunks: 1, lastInPut: true },
      { chunks: 3, lastInPut: true },
    ])("Blob chunked: $chunks chunks, the last one in the closing PUT: $lastInPut (end-5, end-6)", async (shape) => {
      const pushed = blob(3 * 1024 - 5, algorithm);
      const repository = registry.repository("chunked");
      const answer = await pushChunks(
        repository,
        pushed,
        Math.ceil(pushed.bytes.length / shape.chunks),
        shape.lastInPut,
      );
      await expectPushed(repository, answer, pushed);
    });

    test("Blob streaming: one PATCH under chunked coding, without Content-Range (end-5)", async () => {
      const pushed = blob(100_000, algorithm);
      const repository = registry.repository("stream");
      const patched = await repository.send("PATCH", await openUpload(repository), streamed(pushed.bytes));
      expectProgress(repository, patched, 202, pushed.bytes.length);
      await expectPushed(repository, await finish(repository, location(patched), pushed), pushed);
    });

    test.each(["PATCH", "PUT"])(
      "chunks out of order: 416 to a %s, and GET of the old Location tells the place (end-5, end-13)",
      async (method) => {
        const pushed = blob(3 * 1000, algorithm);
        const repository = registry.repository("out-of-order");
        let upload = await openUpload(repository);
        for (const first of [0, 1000, 2000]) {
          // Skips one chunk, or starts anew at the end.
          const wrong = first === 2000 ? 0 : first + 1000;
          const misplaced = [chunkRange(wrong, 1000), body(pushed.bytes.subarray(wrong, wrong + 1000))];
          const closing = method === "PUT" ? [query("digest", pushed.digest)] : [];
          expectError(await repository.send(method, upload, ...closing, ...misplaced), {
            status: 416,
            code: "RANGE_INVALID",
            headers: { range: `0-${Math.max(0, first - 1)}` },
          });
          const status = await repository.send("GET", upload);
          expectProgress(repository, status, 204, first);
          const chunk = [chunkRange(first, 1000), body(pushed.bytes.subarray(first, first + 1000))];
          const patched = await repository.send("PATCH", location(status), ...chunk);
          expectProgress(repository, patched, 202, first + 1000);
          upload = location(patched);
        }
        await expectPushed(repository, await finish(repository, upload, pushed), pushed);
      },
    );

    test.each([
      { what: "no bytes", bytes: new Uint8Array(0) },
      { what: "{}", bytes: new TextEncoder().encode("{}") },
    ])("well-known blob: $what (suite: empty, emptyJSON; end-6)", async ({ bytes }) => {
      const pushed = content(bytes, undefined, algorithm);
      const repository = registry.repository("well-known");
      const answer = await finish(repository, await openUpload(repository), pushed, body(bytes));
      await expectPushed(repository, answer, pushed);
      expectAnswer(await repository.send("DELETE", `blobs/${pushed.digest}`), 202);
      await expectAbsent(repository, `blobs/${pushed.digest}`);
    });

    describe("bytes that are not those of the digest: 400 DIGEST_INVALID, and no blob (end-4b, end-6)", () => {
      const bad = (): Content => {
        const right = blob(3 * 1024 - 5, algorithm);
        return { ...right, bytes: Buffer.concat([right.bytes, Buffer.from("oh no")]) };
      };
      const ways: Record<string, (repository: Repository, pushed: Content) => Promise<Answer>> = {
        "post only": async (repository, { digest, bytes }) =>
          repository.send("POST", "blobs/uploads/", query("digest", digest), body(bytes)),
        "post only, chunked coding": async (repository, { digest, bytes }) =>
          repository.send("POST", "blobs/uploads/", query("digest", digest), streamed(bytes)),
        "post, put": async (repository, pushed) =>
          finish(repository, await openUpload(repository), pushed, body(pushed.bytes)),
        "post, put, chunked coding": async (repository, pushed) =>
          finish(repository, await openUpload(repository), pushed, streamed(pushed.bytes)),
        "three chunks": async (repository, pushed) => pushChunks(repository, pushed, 1030, false),
        "three chunks, the last in the PUT": async (repository, pushed) => pushChunks(repository, pushed, 1030, true),
        stream: async (repository, pushed) => {
          const patched = await repository.send("PATCH", await openUpload(repository), streamed(pushed.bytes));
          return finish(repository, location(patched), pushed);
        },
      };
      test.each(Object.entries(ways))("%s", async (_way, push) => {
        const pushed = bad();
        const repository = registry.repository("bad-digest");
        expectError(await push(repository, pushed), {
          status: 400,
          code: "DIGEST_INVALID",
          message: "provided digest did not match uploaded content",
        });
        await expectAbsent(repository, `blobs/${pushed.digest}`);
      });
    });
  });
}

/** The closing PUT (end-6). */
async function finish(
  repository: Repository,
  upload: string,
  pushed: Content,
  ...parts: Parameters<Repository["send"]>[2][]
): Promise<Answer> {
  return repository.send("PUT", upload, query("digest", pushed.digest), ...parts);
}

async function pushChunks(repository: Repository, pushed: Content, size: number, lastInPut: boolean): Promise<Answer> {
  const { bytes } = pushed;
  let upload = await openUpload(repository);
  for (let first = 0; first < bytes.length; first += size) {
    const chunk = bytes.subarray(first, first + size);
    const parts = [chunkRange(first, chunk.length), body(chunk)];
    if (lastInPut && first + size >= bytes.length) return finish(repository, upload, pushed, ...parts);
    const patched = await repository.send("PATCH", upload, ...parts);
    expectProgress(repository, patched, 202, first + chunk.length);
    upload = location(patched);
  }
  return finish(repository, upload, pushed);
}

/** `Content-Range` as the specification has it: both ends included, no unit, no total. */
function chunkRange(first: number, length: number): ReturnType<typeof header> {
  return header("content-range", `${first}-${first + length - 1}`);
}

/** What an upload says of itself after `received` bytes. */
function expectProgress(repository: Repository, answer: Answer, status: number, received: number): void {
  expectAnswer(answer, status, {
    range: `0-${Math.max(0, received - 1)}`,
    location: new RegExp(`/v2/${repository.name}/blobs/uploads/`),
    "docker-upload-uuid": UUID,
  });
}

async function expectPushed(repository: Repository, answer: Answer, pushed: Content): Promise<void> {
  expectAnswer(answer, 201, { "docker-content-digest": pushed.digest });
  const got = await repository.send("GET", location(answer));
  expectAnswer(got, 200);
  expectBytes(got, pushed.bytes);
  expect(new URL(location(answer), "http://registry").pathname).toBe(`/v2/${repository.name}/blobs/${pushed.digest}`);
  await expectBlob(repository, pushed);
}
