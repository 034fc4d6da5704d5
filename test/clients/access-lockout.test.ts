import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Answer,
  basic,
  body,
  header,
  json,
  query,
  type RequestPart,
  text,
} from "../conformance/registry-client.ts";
import { ADMIN, bearer, formBody, IAM, jsonBody, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { ownPage, signIn, withCookie } from "../support/browser-session.ts";
import { useServer } from "../support/client-fixture.ts";

const ATTEMPTS = 4;

describe("an account that is guessed at", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: String(ATTEMPTS) } });
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(at.server);
  });
  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);

  /** Every way in which a password can be tried. */
  const ways: readonly (readonly [string, (username: string, password: string) => Promise<Answer>])[] = [
    ["Basic", (...who) => send("GET", "/v2/", basic(...who))],
    ["the resource API", (...who) => send("GET", "/api/v1/namespaces", basic(...who))],
    ["a token by GET", (...who) => send("GET", "/auth/token", basic(...who))],
    [
      "a token by POST",
      (username, password) => send("POST", "/auth/token", formBody({ grant_type: "password", username, password })),
    ],
    ["the sign-in page", (username, password) => send("POST", "/auth/login", jsonBody({ username, password }))],
  ];

  test("is locked after as many wrong passwords as are allowed, on whatever way they come", async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const way = ways[attempt % ways.length];
      expect((await way?.[1]("alice", `wrong ${attempt}`))?.status).toBe(401);
    }
    for (const [name, way] of ways) {
      const locked = await way("alice", PASSWORDS.alice);
      expect(locked.status, name).toBe(429);
      const seconds = Number(locked.headers.get("retry-after"));
      expect(seconds, name).toBeGreaterThan(0);
      expect(seconds, name).toBeLessThanOrEqual(30);
    }
  });

  test("does not lock others out", async () => {
    for (const [name, way] of ways) expect((await way("bob", PASSWORDS.bob)).status, name).not.toBe(429);
    expect((await send("GET", "/v2/team-a/app/manifests/v1", basic("bob", PASSWORDS.bob))).status).toBe(200);
    expect((await send("GET", "/v2/team-a/app/manifests/v1", basic("ci", world.robot.token))).status).toBe(200);
  });

  test("is locked whether it exists or not", async () => {
    const guess = (attempt: number) => send("GET", "/v2/", basic("mallory", `wrong ${attempt}`));
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) expect((await guess(attempt)).status).toBe(401);
    expect((await guess(ATTEMPTS)).status).toBe(429);
  });
});

describe("a server that is asked for made-up names", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: String(ATTEMPTS) } });

  test("refuses them after a while, keeps nothing for each, and goes on for who has a password or a key", async () => {
    const world = await makeWorld(at.server);
    const send = (method: string, target: string, ...parts: RequestPart[]) =>
      world.registry.send(method, target, ...parts);
    const guess = (name: string) => send("GET", "/v2/", basic(name, "wrong"));
    const statuses = new Set<number>();
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => guess(`made-up-${round}-${index}`)));
      for (const { status } of answers) statuses.add(status);
    }
    expect([...statuses]).toEqual([401, 429]);
    const locked = await guess("made-up");
    expect([locked.status, Number(locked.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(json(locked)).toMatchObject({ errors: [{ code: "TOOMANYREQUESTS" }] });
    expect((await send("GET", "/v2/", basic("bob", PASSWORDS.bob))).status).toBe(200);
    expect((await send("GET", "/v2/", basic("ci", world.robot.token))).status).toBe(200);
    expect((await send("GET", "/auth/token", basic("alice", PASSWORDS.alice))).status).toBe(200);
    expect((await send("GET", "/v2/", basic("alice", "wrong"))).status).toBe(429);
    const objects = filesBelow(at.server.data).filter((file) => /LoginGuard.*[0-9a-f]{64}\.sqlite$/.test(file));
    // Of what is not an address's, one for each account that was tried.
    expect(objects.length).toBeLessThanOrEqual(1 + 4);
  });
});

describe("nothing is learnt from a server", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: "1000", LOG_LEVEL: "debug" } });
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(at.server);
  });
  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);

  test("about who its users are, neither by its answer nor by its time", async () => {
    const answers = new Set<string>();
    for (const name of ["alice", "mallory", "admin"]) {
      for (let round = 0; round < 3; round += 1) {
        const start = performance.now();
        const answer = await send("GET", "/auth/token", basic(name, `wrong ${round}`));
        // A hash takes a third of it.
        expect(performance.now() - start).toBeGreaterThan(590);
        answers.add(`${answer.status} ${text(answer)}`);
      }
    }
    expect([...answers]).toHaveLength(1);
  });

  test("an address that a client claims is in no audit", async () => {
    const claimed = "198.51.100.23";
    const names = ["cf-connecting-ip", "x-forwarded-for", "x-real-ip", "true-client-ip", "forwarded", "x-client-ip"];
    const parts = names.map((name) => header(name, name === "forwarded" ? `for=${claimed}` : claimed));
    expect((await send("GET", "/v2/team-b/app/manifests/v1", basic("bob", PASSWORDS.bob), ...parts)).status).toBe(403);
    expect((await send("GET", "/v2/", basic("bob", "wrong"), ...parts)).status).toBe(401);
    const audit = text(await send("GET", "/api/v1/audit?limit=1000", ADMIN));
    expect(audit).toContain(`"identity":"bob"`);
    expect(audit).not.toContain(claimed);
  });

  test("no secret is in its log, its audit, its answers or its files", async () => {
    const typo = "the password typed as a name";
    const session = await signIn(world.registry, "alice", PASSWORDS.alice);
    const own = PASSWORDS.alice;
    const made = json(await send("GET", "/auth/token", basic("alice", own), query("offline_token", "true"))) as {
      readonly token: string;
      readonly refresh_token: string;
    };
    const rotated = json(
      await world.expectOk(
        "POST",
        `${IAM}/namespaces/team-a/serviceaccounts/ci/tokens/${world.robot.id}/rotate`,
        jsonBody({}),
      ),
    ) as { readonly token: string };
    const kubeconfig = text(await world.expectOk("POST", "/auth/kubeconfig"));
    const changed = "a password that came by PATCH";
    const patchBob = (type: string, object: object) =>
      send("PATCH", `${IAM}/users/bob?fieldManager=test`, ADMIN, body(Buffer.from(JSON.stringify(object)), type));
    const merge = "application/merge-patch+json";
    expect((await patchBob(merge, { spec: { password: changed } })).status).toBe(200);
    const user = { apiVersion: "iam.entrepot.dev/v1", kind: "User", metadata: { name: "bob" } };
    const applied = await patchBob("application/apply-patch+yaml", { ...user, spec: { password: `${changed}, too` } });
    expect(applied.status).toBe(200);
    const misspelt = "a password in a field that is none";
    await patchBob(merge, { spec: { passwd: misspelt } });
    // What fails is written down as well.
    for (const parts of [
      [basic("alice", `${own}!`)],
      [basic(typo, "x")],
      [basic("ci", `${rotated.token.slice(0, -1)}!`)],
      [bearer(`${made.token}x`)],
      [withCookie(`${session.cookie}x`)],
      [ownPage({ ...session, csrfToken: "wrong" })],
    ]) {
      await send("GET", "/v2/team-b/app/manifests/v1", ...parts);
      await send("POST", "/api/v1/namespaces", ...parts);
      await send("GET", `/auth/token?account=alice&password=${encodeURIComponent(own)}`, ...parts);
    }
    await send(
      "POST",
      "/auth/token",
      formBody({ grant_type: "refresh_token", refresh_token: `${made.refresh_token.slice(0, -1)}!` }),
    );
    await send("POST", "/auth/login", jsonBody({ username: typo, password: "wrong" }));
    // What is written in the background is there then.
    await sleep(1500);

    const secrets = {
      "password of the administrator": PASSWORDS.admin,
      password: own,
      "password that was misspelt": `${own}!`,
      "password by PATCH": changed,
      "password by another name": misspelt,
      "password as a name": typo,
      "API key": world.robot.token,
      "secret of the API key": world.robot.token.slice("ent__".length + world.robot.id.length),
      "API key that replaced it": rotated.token,
      "API key of the kubeconfig": /token: (ent_\S+)/.exec(kubeconfig)?.[1] ?? "",
      token: made.token,
      "refresh token": made.refresh_token,
      cookie: session.cookie.slice(session.cookie.indexOf("=") + 1),
      "CSRF token": session.csrfToken,
      credential: Buffer.from(`alice:${own}`).toString("base64"),
    };
    const files = filesBelow(at.server.data).map((file) => ({ file, bytes: readFileSync(file) }));
    expect(files.length).toBeGreaterThan(5);
    const users = text(await send("GET", `${IAM}/users`, ADMIN));
    const events = text(await send("GET", "/apis/audit.entrepot.dev/v1/auditevents", ADMIN));
    const audit = text(await send("GET", "/api/v1/audit?limit=1000", ADMIN));
    expect(audit).toContain("(unknown)");
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(15);
      expect(
        [users, events, audit].some((answer) => answer.includes(secret)),
        name,
      ).toBe(false);
      expect(at.server.output().includes(secret), name).toBe(false);
      expect(
        files.filter(({ bytes }) => bytes.includes(secret)).map(({ file }) => file),
        name,
      ).toEqual([]);
    }
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

describe("behind the front that ends TLS", () => {
  const at = useServer({ args: ["--tls"], env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: "1" } });

  test("an address is the client's own, and not the one that it claims", async () => {
    const certificate = path.join(at.server.data, "tls", "cert.pem");
    const curl = async (user: string, target: string, ...headers: readonly string[]): Promise<string> => {
      const options = ["--silent", "--cacert", certificate, "--user", user];
      const given = headers.flatMap((line) => ["--header", line]);
      return (await at.home.run("curl", [...options, ...given, `${at.server.url}${target}`])).stdout;
    };
    const claims = ["cf-connecting-ip", "x-forwarded-for", "x-real-ip", "x-entrepot-client-address"];
    await curl("mallory:wrong", "/v2/", ...claims.map((name) => `${name}: 198.51.100.23`));
    // Another address each time does not help either.
    const again = await curl("mallory:wrong again", "/v2/", ...claims.map((name) => `${name}: 198.51.100.24`));
    expect(JSON.parse(again)).toMatchObject({ errors: [{ code: "TOOMANYREQUESTS" }] });
    const audit = await curl(`admin:${PASSWORDS.admin}`, "/api/v1/audit?limit=1000");
    expect(audit).toContain(`"address":"127.0.0.1"`);
    expect(audit).not.toContain("198.51.100.");
  });
});
