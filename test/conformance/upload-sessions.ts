import { describe, expect, test } from "vitest";
import { blob } from "./data.ts";
import { expectAbsent, expectAnswer, expectBlob, expectError } from "./expectations.ts";
import {
  type Answer,
  body,
  header,
  location,
  query,
  type Registry,
  type Repository,
  stalled,
  streamed,
} from "./registry-client.ts";
import { openUpload } from "./steps.ts";

const UPLOAD_UNKNOWN = { status: 404, code: "BLOB_UPLOAD_UNKNOWN", message: "blob upload unknown to registry" };

/** What uploads do beyond the happy path, as clients in the field use them. */
export function uploadSessionTests(registry: Registry): void {
  describe("an open upload", () => {
    test("POST answers with Location, Docker-Upload-UUID, Range and OCI-Chunk-Min-Length (end-4a)", async () => {
      const repository = registry.repository("session");
      const opened = await repository.send("POST", "blobs/uploads/");
      expectAnswer(opened, 202, { range: "0-0", "content-length": "0", "oci-chunk-min-length": /^[1-9][0-9]*$/ });
      const id = opened.headers.get("docker-upload-uuid") ?? "none";
      expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      // spec.md, "Pushing blobs": the Location holds the session's UUID.
      expect(location(opened)).toContain(id);
      const second = await repository.send("POST", "blobs/uploads/");
      expect(second.headers.get("docker-upload-uuid")).not.toBe(id);
    });

    test.each(["GET", "HEAD"])("%s tells where it stands, as often as asked (end-13)", async (method) => {
      const repository = registry.repository("session");
      const upload = await openUpload(repository);
      expectStatus(await repository.send(method, upload), 0);
      expectAnswer(await repository.send("PATCH", upload, body(blob(10).bytes)), 202);
      expectStatus(await repository.send(method, upload), 10);
      expectStatus(await repository.send(method, upload), 10);
    });

    test("the path without a slash at the end opens one too (end-4a)", async () => {
      const repository = registry.repository("session");
      expectAnswer(await repository.send("POST", "blobs/uploads"), 202);
    });

    test("DELETE cancels it: it and its bytes are gone (Blob upload cancel; end-14)", async () => {
      const repository = registry.repository("cancel");
      const dropped = blob();
      for (const bytes of [undefined, dropped.bytes]) {
        const upload = await openUpload(repository);
        if (bytes !== undefined) expectAnswer(await repository.send("PATCH", upload, body(bytes)), 202);
        expectAnswer(await repository.send("DELETE", upload), 204);
        expectError(await repository.send("GET", upload), UPLOAD_UNKNOWN);
        expectError(await repository.send("PATCH", upload, body(dropped.bytes)), UPLOAD_UNKNOWN);
        expectError(await close(repository, upload, dropped.digest, body(dropped.bytes)), UPLOAD_UNKNOWN);
        expectError(await repository.send("DELETE", upload), UPLOAD_UNKNOWN);
      }
      await expectAbsent(repository, `blobs/${dropped.digest}`);
    });

    test("it belongs to its repository, and to whoever has its whole Location (end-13)", async () => {
      const repository = registry.repository("session");
      const upload = new URL(await openUpload(repository), "http://registry");
      const foreign = upload.pathname.replace(repository.name, registry.repository("foreign").name);
      for (const guess of [upload.pathname, `${upload.pathname}?_state=sha256.AAAA`, foreign + upload.search]) {
        expectError(await repository.send("GET", guess), UPLOAD_UNKNOWN);
      }
    });
  });

  describe("bytes", () => {
    test("an old Location goes on working: clients reuse it (end-5)", async () => {
      const repository = registry.repository("old-location");
      const { bytes, digest } = blob(300);
      const upload = await openUpload(repository);
      // What the benchmark `zb` sends: an empty PATCH, then the bytes to the Location before it.
      expectAnswer(await repository.send("PATCH", upload, body(new Uint8Array(0))), 202, { range: "0-0" });
      expectAnswer(await repository.send("PATCH", upload, body(bytes.subarray(0, 100))), 202, { range: "0-99" });
      expectAnswer(await repository.send("PATCH", upload, streamed(bytes.subarray(100))), 202, { range: "0-299" });
      expectAnswer(await close(repository, upload, digest), 201);
      await expectBlob(repository, { bytes, digest });
    });

    test("an empty PATCH changes nothing, with and without chunked coding (end-5)", async () => {
      const repository = registry.repository("empty-patch");
      const { bytes, digest } = blob(40);
      const upload = await openUpload(repository);
      for (const [part, size] of [
        [bytes.subarray(0, 25), 25],
        [bytes.subarray(25), 40],
      ] as const) {
        expectAnswer(await repository.send("PATCH", upload, streamed(new Uint8Array(0))), 202);
        expectAnswer(await repository.send("PATCH", upload, body(part)), 202, { range: `0-${size - 1}` });
        expectAnswer(await repository.send("PATCH", upload), 202, { range: `0-${size - 1}` });
      }
      expectAnswer(await close(repository, upload, digest), 201);
      await expectBlob(repository, { bytes, digest });
    });

    test("the last chunk comes in the PUT, with length or under chunked coding (end-6)", async () => {
      const repository = registry.repository("last-chunk");
      for (const last of [body, streamed]) {
        const { bytes, digest } = blob(5000);
        const upload = await openUpload(repository);
        expectAnswer(await repository.send("PATCH", upload, body(bytes.subarray(0, 4999))), 202);
        expectAnswer(await close(repository, upload, digest, last(bytes.subarray(4999))), 201);
        await expectBlob(repository, { bytes, digest });
      }
    });

    test("Content-Range may have the form of RFC 9110 section 14.4 (end-5)", async () => {
      const repository = registry.repository("content-range");
      const { bytes, digest } = blob(30);
      const upload = await openUpload(repository);
      const first = [header("content-range", "bytes 0-9/30"), body(bytes.subarray(0, 10))];
      expectAnswer(await repository.send("PATCH", upload, ...first), 202, { range: "0-9" });
      const last = [header("content-range", "bytes 10-29/*"), body(bytes.subarray(10))];
      expectAnswer(await close(repository, upload, digest, ...last), 201);
      await expectBlob(repository, { bytes, digest });
    });

    test("a chunk sent twice is refused, and kept once (end-5, 416)", async () => {
      const repository = registry.repository("twice");
      const { bytes, digest } = blob(100);
      const upload = await openUpload(repository);
      const chunk = [header("content-range", "0-99"), body(bytes)];
      expectAnswer(await repository.send("PATCH", upload, ...chunk), 202);
      expectError(await repository.send("PATCH", upload, ...chunk), {
        status: 416,
        code: "RANGE_INVALID",
        headers: { range: "0-99", location: /\/blobs\/uploads\// },
      });
      expectAnswer(await close(repository, upload, digest), 201);
      await expectBlob(repository, { bytes, digest });
    });

    test("a PATCH waits for another one to the same upload, then 429 with Retry-After (spec.md, TOOMANYREQUESTS)", async () => {
      const repository = registry.repository("busy");
      const upload = await openUpload(repository);
      const abandon = new AbortController();
      // Neither ends by itself: whichever comes second is refused, and that is the first answer of all.
      const patches = [1, 2].map(async () => repository.send("PATCH", upload, stalled(blob(10).bytes, abandon.signal)));
      const refused = await Promise.race(patches);
      abandon.abort();
      await Promise.allSettled(patches);
      expectError(refused, { status: 429, code: "TOOMANYREQUESTS", headers: { "retry-after": /^[1-9][0-9]*$/ } });
    });
  });

  describe("the closing PUT", () => {
    test("may be repeated after chunks: the same digest is 201 again, another one is unknown (end-6)", async () => {
      const repository = registry.repository("repeated");
      const { bytes, digest } = blob(100);
      const upload = await openUpload(repository);
      expectAnswer(await repository.send("PATCH", upload, body(bytes)), 202);
      for (const _time of [1, 2]) {
        const closed = await close(repository, upload, digest);
        expectAnswer(closed, 201, { "docker-content-digest": digest });
        await expectBlob(repository, { bytes, digest });
      }
      expectError(await close(repository, upload, blob().digest), UPLOAD_UNKNOWN);
      expectError(await repository.send("GET", upload), UPLOAD_UNKNOWN);
      expectError(await repository.send("PATCH", upload, body(bytes)), UPLOAD_UNKNOWN);
      expectError(await repository.send("DELETE", upload), UPLOAD_UNKNOWN);
      await expectBlob(repository, { bytes, digest });
    });

    test("repeated after a push in one request, it is unknown, as in Docker's registry; the blob stays (end-6)", async () => {
      const repository = registry.repository("repeated");
      const { bytes, digest } = blob(100);
      const upload = await openUpload(repository);
      expectAnswer(await close(repository, upload, digest, body(bytes)), 201);
      expectError(await close(repository, upload, digest, body(bytes)), UPLOAD_UNKNOWN);
      expectError(await repository.send("GET", upload), UPLOAD_UNKNOWN);
      await expectBlob(repository, { bytes, digest });
    });

    test("without a usable digest it leaves the upload open (end-6, DIGEST_INVALID)", async () => {
      const repository = registry.repository("retry");
      const { bytes, digest } = blob(100);
      const upload = await openUpload(repository);
      expectAnswer(await repository.send("PATCH", upload, body(bytes)), 202);
      expectError(await repository.send("PUT", upload), { status: 400, code: "DIGEST_INVALID" });
      for (const bad of ["", "sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e", digest.slice(7)]) {
        expectError(await close(repository, upload, bad), { status: 400, code: "DIGEST_INVALID" });
      }
      expectAnswer(await close(repository, upload, digest), 201);
      await expectBlob(repository, { bytes, digest });
    });

    test("with a digest of other bytes it ends the upload (end-6, DIGEST_INVALID)", async () => {
      const repository = registry.repository("mismatch");
      const { bytes } = blob(100);
      const upload = await openUpload(repository);
      expectAnswer(await repository.send("PATCH", upload, body(bytes)), 202);
      expectError(await close(repository, upload, blob().digest), { status: 400, code: "DIGEST_INVALID" });
      expectError(await repository.send("GET", upload), UPLOAD_UNKNOWN);
    });
  });

  describe("the digest-algorithm hint (end-4c)", () => {
    test.each(["sha256", "sha512"] as const)("%s: an upload that any supported digest may close", async (hint) => {
      for (const algorithm of ["sha256", "sha512"] as const) {
        const repository = registry.repository("hint");
        const { bytes, digest } = blob(90_000, algorithm);
        const upload = await openUpload(repository, query("digest-algorithm", hint));
        expectAnswer(await repository.send("PATCH", upload, streamed(bytes)), 202);
        expectAnswer(await close(repository, upload, digest), 201, { "docker-content-digest": digest });
        await expectBlob(repository, { bytes, digest });
      }
    });

    test("one that is not supported is refused before any byte is sent (400 DIGEST_INVALID)", async () => {
      const answer = await registry.repository("hint").send("POST", "blobs/uploads/", query("digest-algorithm", "md5"));
      expectError(answer, { status: 400, code: "DIGEST_INVALID" });
    });
  });
}

/** The closing PUT (end-6). */
async function close(
  repository: Repository,
  upload: string,
  digest: string,
  ...parts: ReturnType<typeof header>[]
): Promise<Answer> {
  return repository.send("PUT", upload, query("digest", digest), ...parts);
}

function expectStatus(answer: Answer, received: number): void {
  expectAnswer(answer, 204, {
    range: `0-${Math.max(0, received - 1)}`,
    location: /\/blobs\/uploads\//,
    "docker-upload-uuid": /./,
  });
}
