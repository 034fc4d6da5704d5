import { beforeAll, describe, expect, test } from "vitest";
import { blob, imageManifest } from "../conformance/data.ts";
import { type Answer, basic, header, json, query, type RequestPart, text } from "../conformance/registry-client.ts";
import { pushBlob, pushImage, putManifest } from "../conformance/steps.ts";
import { ADMIN, bearer, IAM, jsonBody, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { useServer } from "../support/client-fixture.ts";
import { rawRequest, rawStatus, sendRaw } from "../support/raw-http.ts";

const ALICE = basic("alice", PASSWORDS.alice);
const BOB = basic("bob", PASSWORDS.bob);

/** Ways to write a path of `team-b`, to which neither alice nor bob may go, so that a check might not see it. */
const TRICKS: readonly ((rest: string) => string)[] = [
  (rest) => `/v2/team-b/${rest}`,
  (rest) => `/v2/team-a/../team-b/${rest}`,
  (rest) => `/v2/team-a/app/../../team-b/${rest}`,
  (rest) => `/v2/team-a/app/manifests/v1/../../../../team-b/${rest}`,
  (rest) => `/v2/team-a/%2e%2e/team-b/${rest}`,
  (rest) => `/v2/team-a/.%2E/team-b/${rest}`,
  (rest) => `/v2/team-a/..%2fteam-b/${rest}`,
  (rest) => `/v2/team-a/%2e%2e%2fteam-b/${rest}`,
  (rest) => `/v2/team-a/%252e%252e/team-b/${rest}`,
  (rest) => `/v2/team-a%2f..%2fteam-b/${rest}`,
  (rest) => `/v2/team-b%2f${rest}`,
  (rest) => `/v2/team-b%5c${rest}`,
  (rest) => `/v2/team-a\\..\\team-b/${rest}`,
  (rest) => `/v2/TEAM-B/${rest}`,
  (rest) => `/v2/Team-b/${rest}`,
  (rest) => `/V2/team-b/${rest}`,
  (rest) => `//v2/team-b/${rest}`,
  (rest) => `/v2//team-b/${rest}`,
  (rest) => `/v2/team-b//${rest}`,
  (rest) => `/v2/./team-b/./${rest}`,
  (rest) => `/v2/team-b/${rest}?n=/v2/team-a/${rest}`,
  (rest) => `/v2/team-b/${rest};/v2/team-a/${rest}`,
  (rest) => `/v2/team-a/app%00/../../team-b/${rest}`,
  (rest) => `/v2/team-a/%E2%80%A5/team-b/${rest}`,
  (rest) => `/v2/team-a/%EF%BC%8E%EF%BC%8E/team-b/${rest}`,
  (rest) => `/v2/team-a/%c0%ae%c0%ae/team-b/${rest}`,
  (rest) => `/healthz/../v2/team-b/${rest}`,
  (rest) => `/login/..;/v2/team-b/${rest}`,
  (rest) => `http://entrepot.example/v2/team-b/${rest}`,
];

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An assertion that nobody signed. */
const UNSIGNED = `${encode({ alg: "none" })}.${encode({ sub: "admin", email: "admin", iss: "entrepot", aud: "entrepot" })}.`;

/** Headers in which some front or some other platform says who someone is. */
const SMUGGLED: readonly (readonly [string, string])[] = [
  ["X-Forwarded-User", "admin"],
  ["X-Forwarded-Groups", "system:masters"],
  ["X-Remote-User", "admin"],
  ["X-Remote-Group", "system:masters"],
  ["Remote-User", "admin"],
  ["X-Auth-Request-User", "admin"],
  ["X-WEBAUTH-USER", "admin"],
  ["Impersonate-User", "admin"],
  ["Impersonate-Group", "system:masters"],
  ["Cf-Access-Authenticated-User-Email", "admin"],
  ["Cf-Access-Jwt-Assertion", UNSIGNED],
  ["Cookie", `CF_Authorization=${UNSIGNED}`],
  ["Cookie", "entrepot_session=admin"],
  ["Cookie", `__Host-entrepot_session=${"A".repeat(43)}`],
  ["Proxy-Authorization", `Basic ${Buffer.from(`admin:${PASSWORDS.admin}`).toString("base64")}`],
  ["X-Original-URL", "/healthz"],
  ["X-Rewrite-URL", "/healthz"],
  ["X-HTTP-Method-Override", "OPTIONS"],
  ["X-Forwarded-For", "127.0.0.1"],
  ["Cf-Connecting-Ip", "127.0.0.1"],
  ["Cf-Worker", "entrepot.example"],
];

describe("whoever attacks", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: "1000" } });
  let world: World;
  let privateImage: Awaited<ReturnType<typeof pushImage>>;
  beforeAll(async () => {
    world = await makeWorld(at.server);
    privateImage = await pushImage(world.registry.with(ADMIN).named("team-b/secret"), "v1");
  });

  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);
  const tokenOf = async (scope: string, ...parts: RequestPart[]): Promise<string> =>
    (json(await send("GET", "/auth/token", query("scope", scope), ...parts)) as { readonly token: string }).token;

  describe("private content", () => {
    test("is not mounted by someone who may not pull it", async () => {
      const [, layer] = privateImage.blobs;
      const bob = world.registry.with(BOB).named("team-a/mounted");
      for (const from of ["team-b/secret", "team-b/app", "team-b/absent"]) {
        const mounted = await bob.send("POST", "blobs/uploads/", query("mount", layer.digest), query("from", from));
        expect(mounted.status).toBe(202);
      }
      expect((await bob.send("POST", "blobs/uploads/", query("mount", layer.digest))).status).toBe(202);
      expect((await bob.send("HEAD", `blobs/${layer.digest}`)).status).toBe(404);
      const own = blob();
      await pushBlob(world.registry.with(BOB).named("team-a/app"), own);
      const from = query("from", "team-a/app");
      expect((await bob.send("POST", "blobs/uploads/", query("mount", own.digest), from)).status).toBe(201);
    });

    test("is not mounted with a token that covers the target alone", async () => {
      const own = blob();
      await pushBlob(world.registry.with(BOB).named("team-a/app"), own);
      const token = bearer(await tokenOf("repository:team-a/narrow:pull,push", BOB));
      const target = world.registry.with(token).named("team-a/narrow");
      const from = query("from", "team-a/app");
      await target.send("POST", "blobs/uploads/", query("mount", own.digest), from);
      expect((await target.send("HEAD", `blobs/${own.digest}`)).status).toBe(404);
    });

    test.each(["GET", "HEAD"])("is not to be had by its digest from another repository (%s)", async (method) => {
      const { manifest, blobs } = privateImage;
      for (const repository of [world.registry.with(BOB).named("team-a/app"), world.registry.named("open/app")]) {
        for (const { digest } of blobs) expect((await repository.send(method, `blobs/${digest}`)).status).toBe(404);
        expect((await repository.send(method, `manifests/${manifest.digest}`)).status).toBe(404);
      }
    });

    test("is not to be had by a manifest of one's own that names it", async () => {
      const [config, layer] = privateImage.blobs;
      const repository = world.registry.with(BOB).named("team-a/thief");
      const manifest = imageManifest(
        { mediaType: config.mediaType, digest: config.digest, size: config.bytes.byteLength },
        [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.bytes.byteLength }],
      );
      const put = await putManifest(repository, "v1", manifest);
      expect([400, 404]).toContain(put.status);
      expect((await repository.send("GET", `blobs/${layer.digest}`)).status).toBe(404);
    });

    test.each(["tags/list", "manifests/v1", `blobs/sha256:${"a".repeat(64)}`, `referrers/sha256:${"a".repeat(64)}`])(
      "is not told apart from what is not there (%s)",
      async (target) => {
        for (const who of [[], [BOB], [basic("ci", world.robot.token)]]) {
          const answers = await Promise.all(
            ["team-b/app", "team-b/absent", "team-z/absent"].map((name) =>
              world.registry
                .with(...who)
                .named(name)
                .send("GET", target),
            ),
          );
          expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([who.length === 0 ? 401 : 403]));
          const bodies = answers.map((answer, at) =>
            text(answer).replaceAll(["team-b/app", "team-b/absent", "team-z/absent"][at] ?? "", "?"),
          );
          expect(new Set(bodies).size).toBe(1);
        }
      },
    );
  });

  describe("by a path", () => {
    const authorization = (name: string, password: string) =>
      `Authorization: Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

    test.each(TRICKS.map((trick) => [trick("app/manifests/v1"), trick("app/blobs/uploads/")] as const))(
      "such as %s gets nowhere",
      async (manifest, uploads) => {
        const { host } = at.server;
        for (const headers of [
          [],
          [authorization("alice", PASSWORDS.alice)],
          [authorization("bob", PASSWORDS.bob)],
          [authorization("ci", world.robot.token)],
        ]) {
          const read = await sendRaw(host, rawRequest(host, `GET ${manifest}`, headers));
          expect([400, 401, 403, 404]).toContain(rawStatus(read));
          const written = await sendRaw(host, rawRequest(host, `POST ${uploads}`, ["Content-Length: 0", ...headers]));
          expect([400, 401, 403, 404, 405]).toContain(rawStatus(written));
        }
      },
    );

    test.each([
      "/healthz/../apis/iam.entrepot.dev/v1/users",
      "/login/%2e%2e/apis/iam.entrepot.dev/v1/users",
      "/apis//iam.entrepot.dev/v1/users",
      "//apis/iam.entrepot.dev/v1/users",
      "/APIS/iam.entrepot.dev/v1/users",
      "/apis/iam.entrepot.dev/v1/users/",
      "/apis/iam.entrepot.dev/v1/users/alice/../admin",
      "/apis/iam.entrepot.dev/v1/users/alice%2f..%2fadmin",
      "/apis/iam.entrepot.dev/v1/namespaces/team-b/../../users",
      "/version/../api/v1/audit",
      "/api/v1/audit/",
      "/api/v1/audit%2f",
      "/api/v1/namespaces/team-a/secrets/..%2f..",
      "/v2/../api/v1/audit",
      "/v2/..%2fapi/v1/audit",
      "/openapi/../api/v1/namespaces",
      "/.well-known/../api/v1/audit",
    ])("of the other surfaces such as %s gets nowhere", async (target) => {
      const { host } = at.server;
      for (const headers of [[], [authorization("alice", PASSWORDS.alice)]]) {
        const answer = await sendRaw(host, rawRequest(host, `GET ${target}`, headers));
        expect([400, 401, 403, 404]).toContain(rawStatus(answer));
      }
    });
  });

  describe("by a header", () => {
    test.each(SMUGGLED)("such as %s: %s is nobody else", async (name, value) => {
      for (const target of [`${IAM}/users`, "/v2/team-b/app/manifests/v1"]) {
        expect((await send("GET", target, header(name, value))).status).toBe(401);
        expect((await send("GET", target, ALICE, header(name, value))).status).toBe(403);
      }
    });

    test.each([
      ["alice and admin", ["alice", "admin"]],
      ["admin and alice", ["admin", "alice"]],
    ] as const)("Authorization given twice (%s) proves nothing", async (_case, names) => {
      const { host } = at.server;
      const values = names.map((name) => Buffer.from(`${name}:${PASSWORDS[name]}`).toString("base64"));
      const target = "GET /v2/team-a/app/manifests/v1";
      const twice = values.map((value) => `Authorization: Basic ${value}`);
      expect(rawStatus(await sendRaw(host, rawRequest(host, target, twice)))).not.toBe(200);
      const joined = [`Authorization: ${values.map((value) => `Basic ${value}`).join(", ")}`];
      expect(rawStatus(await sendRaw(host, rawRequest(host, target, joined)))).toBe(401);
    });

    test.each(["Digest x", "Negotiate x", "Basic", "Bearer", "Basic !!!", "basic", "Bearer a b", "Token x", ","])(
      "Authorization: %s is refused, also where everyone may pull",
      async (value) => {
        expect((await send("GET", "/v2/open/app/manifests/v1", header("authorization", value))).status).toBe(401);
      },
    );
  });

  test("cannot make a user out of the administrator's name, or a robot out of a user", async () => {
    const user = (name: string) =>
      jsonBody({
        apiVersion: "iam.entrepot.dev/v1",
        kind: "User",
        metadata: { name },
        spec: { password: PASSWORDS.bob },
      });
    for (const name of ["admin", "system:anonymous", "system:serviceaccount:team-a:ci", "Admin"]) {
      expect([409, 422]).toContain((await send("POST", `${IAM}/users`, ADMIN, user(name))).status);
    }
  });
});
