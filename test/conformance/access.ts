import { describe, expect, test } from "vitest";
import { blob, descriptor } from "./data.ts";
import { expectAbsent, expectAnswer, expectBlob, expectBytes, expectError } from "./expectations.ts";
import { basic, body, header, json, query, type Registry, type RequestPart } from "./registry-client.ts";
import type { RegistryFixture } from "./registry-fixture.ts";
import { openUpload, pushImage, putManifest } from "./steps.ts";

const CHALLENGE = {
  status: 401,
  code: "UNAUTHORIZED",
  message: "authentication required",
  headers: { "www-authenticate": /^Bearer realm="http:[^"]+\/auth\/token",service="entrepot"/ },
};

/** Who may do what when `ADMIN_PASSWORD` is set. @see spec.md, end-1 and UNAUTHORIZED; RFC 7617 */
export function accessTests(stranger: Registry, admin: Registry, password: string): void {
  describe("a registry with a password", () => {
    test("GET /v2/ lets the right credentials in (Ping; end-1)", async () => {
      for (const path of ["/v2/", "/v2"]) {
        const answer = await admin.send("GET", path);
        expectAnswer(answer, 200, { "content-type": /^application\/json/ });
        expect(json(answer)).toEqual({});
        expectAnswer(await admin.send("HEAD", path), 200);
      }
    });

    const credentials: Record<string, readonly RequestPart[]> = {
      "no credentials": [],
      "a wrong password": [basic("admin", `${password}x`)],
      "an empty password": [basic("admin", "")],
      "another user": [basic("root", password)],
      "no user": [basic("", password)],
      "credentials without a colon": [header("authorization", `Basic ${btoa("admin")}`)],
      "no base64": [header("authorization", "Basic %%%")],
      "another scheme": [header("authorization", `Bearer ${password}`)],
    };
    test.each(Object.entries(credentials))("%s: 401 and a challenge, wherever (end-1)", async (_what, parts) => {
      const { digest } = blob();
      for (const [method, path] of [
        ["GET", "/v2/"],
        ["GET", "/v2/_catalog"],
        ["GET", "/v2/conformance/any/tags/list"],
        ["GET", `/v2/conformance/any/blobs/${digest}`],
        ["PUT", "/v2/conformance/any/manifests/latest"],
        ["POST", "/v2/conformance/any/blobs/uploads/"],
        ["DELETE", `/v2/conformance/any/blobs/${digest}`],
        ["GET", "/v2/Not/A/Name/tags/list"],
        ["GET", "/v2/no/such/endpoint"],
      ] as const) {
        expectError(await stranger.send(method, path, ...parts), CHALLENGE);
      }
      expectAnswer(await stranger.send("HEAD", "/v2/", ...parts), 401, CHALLENGE.headers);
    });

    test("a stranger sees and changes nothing of a repository (UNAUTHORIZED)", async () => {
      const repository = admin.repository("private");
      const { manifest, blobs } = await pushImage(repository, "latest");
      const upload = await openUpload(repository);
      const outside = stranger.named(repository.name);
      for (const [method, path] of [
        ["GET", "manifests/latest"],
        ["GET", `blobs/${blobs[0].digest}`],
        ["DELETE", "manifests/latest"],
        ["DELETE", `manifests/${manifest.digest}`],
        ["PATCH", upload],
        ["DELETE", upload],
      ] as const) {
        expectError(await outside.send(method, path), CHALLENGE);
      }
      expectError(await putManifest(outside, "stolen", manifest), CHALLENGE);
      await expectAbsent(repository, "manifests/stolen");
      expectAnswer(await repository.send("HEAD", "manifests/latest"), 200);
      expectAnswer(await repository.send("GET", upload), 204);
    });
  });
}

/** What `READ_ONLY=true` leaves possible. Runs last: it restarts the server. */
export function readOnlyTests(fixture: RegistryFixture, admin: Registry, env: Readonly<Record<string, string>>): void {
  test("READ_ONLY: everything is served, every push and delete is 405 UNSUPPORTED (spec.md, Deleting: 405)", async () => {
    const repository = admin.repository("read-only");
    const { manifest, blobs } = await pushImage(repository, "latest");
    const [config] = blobs;
    const subject = descriptor(manifest);
    const signature = await pushImage(repository, "signature", { subject });
    const upload = await openUpload(repository);
    await fixture.restart({ ...env, READ_ONLY: "true" });

    const added = blob();
    const bytes = body(added.bytes);
    const writes: readonly [method: string, path: string, ...RequestPart[]][] = [
      ["POST", "blobs/uploads/"],
      ["POST", "blobs/uploads/", query("digest", added.digest), bytes],
      ["POST", "blobs/uploads/", query("mount", config.digest), query("from", repository.name)],
      ["PATCH", upload, bytes],
      ["PUT", upload, query("digest", added.digest), bytes],
      ["DELETE", upload],
      ["PUT", "manifests/latest", body(manifest.bytes, manifest.mediaType)],
      ["PUT", `manifests/${manifest.digest}`, query("tag", "new"), body(manifest.bytes, manifest.mediaType)],
      ["DELETE", "manifests/latest"],
      ["DELETE", `manifests/${manifest.digest}`],
      ["DELETE", `blobs/${config.digest}`],
    ];
    for (const [method, path, ...parts] of writes) {
      expectError(await repository.send(method, path, ...parts), {
        status: 405,
        code: "UNSUPPORTED",
        message: "the registry is read-only",
      });
    }

    expectAnswer(await admin.send("GET", "/v2/"), 200);
    expectAnswer(await admin.send("GET", "/v2/_catalog"), 200);
    expect(json(await repository.send("GET", "tags/list"))).toMatchObject({ tags: ["latest", "signature"] });
    for (const reference of ["latest", manifest.digest]) {
      expectBytes(await repository.send("GET", `manifests/${reference}`), manifest.bytes);
    }
    for (const held of blobs) await expectBlob(repository, held);
    await expectAbsent(repository, `blobs/${added.digest}`);
    const listed = await repository.send("GET", `referrers/${manifest.digest}`);
    expect(json(listed)).toMatchObject({ manifests: [{ digest: signature.manifest.digest }] });
  });
}
