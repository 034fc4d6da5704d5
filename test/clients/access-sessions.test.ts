import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, basic, header, json, query, type RequestPart } from "../conformance/registry-client.ts";
import { ADMIN, formBody, IAM, jsonBody, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { cookieOf, ownPage, type SignedIn, signIn, withCookie } from "../support/browser-session.ts";
import { useServer } from "../support/client-fixture.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";

describe("a session in a browser", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: "1000", READ_STALENESS_MS: "0" } });
  let world: World;
  let provider: IdentityProvider;
  let admin: SignedIn;
  let alice: SignedIn;
  beforeAll(async () => {
    world = await makeWorld(at.server);
    provider = await startIdentityProvider("carol");
    const login = { clientId: "entrepot", displayName: "The provider", createUsers: true };
    const rules = [{ claims: { repository: "team-a/*" }, serviceAccount: { namespace: "team-a", name: "ci" } }];
    const issuer = {
      apiVersion: "iam.entrepot.dev/v1",
      kind: "FederatedIssuer",
      metadata: { name: "provider" },
      spec: { issuer: provider.issuer, audiences: ["entrepot-ci"], login, rules },
    };
    await world.expectOk("POST", `${IAM}/federatedissuers`, jsonBody(issuer));
    admin = await signIn(world.registry, "admin", PASSWORDS.admin);
    alice = await signIn(world.registry, "alice", PASSWORDS.alice);
  });
  afterAll(() => provider.stop());

  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);
  /** Who the server takes the holder of a cookie for. */
  const holder = async (cookie: string): Promise<string | undefined> => {
    const { user } = json(await send("GET", "/auth/session", withCookie(cookie))) as {
      readonly user: { readonly name: string } | null;
    };
    return user?.name;
  };
  let serial = 0;
  const namespace = (): RequestPart => {
    serial += 1;
    return jsonBody({ apiVersion: "v1", kind: "Namespace", metadata: { name: `made-${serial}` } });
  };

  test("is in a cookie that scripts and other sites do not get", () => {
    const cookie = admin.answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^entrepot_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax$/);
    expect(admin.answer.headers.get("cache-control")).toBe("no-store");
  });

  test("lets a page of the server do what its user may", async () => {
    expect((await send("POST", "/api/v1/namespaces", ownPage(admin), namespace())).status).toBe(201);
    expect((await send("POST", "/api/v1/namespaces", ownPage(alice), namespace())).status).toBe(403);
    expect((await send("GET", "/v2/team-a/app/manifests/v1", withCookie(alice.cookie))).status).toBe(200);
    expect((await send("GET", "/v2/team-b/app/manifests/v1", withCookie(alice.cookie))).status).toBe(403);
  });

  describe("cannot be fixed:", () => {
    test("a cookie that was chosen before is not the session's", async () => {
      const chosen = `entrepot_session=${"A".repeat(43)}`;
      const signedIn = await signIn(world.registry, "alice", PASSWORDS.alice, withCookie(chosen));
      expect(signedIn.cookie).not.toBe(chosen);
      expect(await holder(chosen)).toBeUndefined();
      expect(await holder(signedIn.cookie)).toBe("alice");
    });

    test("signing in with a session of another leaves it the other's", async () => {
      const signedIn = await signIn(world.registry, "alice", PASSWORDS.alice, withCookie(admin.cookie));
      expect(signedIn.cookie).not.toBe(admin.cookie);
      expect(await holder(admin.cookie)).toBe("admin");
      expect(await holder(signedIn.cookie)).toBe("alice");
    });

    test("two cookies of the name are none", async () => {
      expect(await holder(`${alice.cookie}; ${admin.cookie}`)).toBeUndefined();
      expect(await holder(`${admin.cookie}; ${admin.cookie}`)).toBeUndefined();
    });
  });

  /** Requests that another site may have had a browser send. */
  const forgeries: readonly (readonly [string, () => readonly RequestPart[]])[] = [
    ["the cookie alone", () => [withCookie(admin.cookie)]],
    ["no token", () => [withCookie(admin.cookie), header("origin", at.server.url)]],
    ["an empty token", () => [ownPage({ ...admin, csrfToken: "" })]],
    ["the token of another session", () => [ownPage({ ...admin, csrfToken: alice.csrfToken })]],
    ["half a token", () => [ownPage({ ...admin, csrfToken: admin.csrfToken.slice(0, 20) })]],
    ["the token and no origin", () => [withCookie(admin.cookie), header("x-csrf-token", admin.csrfToken)]],
    ...["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"].map(
      (origin) => [`the token and the origin ${origin}`, () => [ownPage(admin), replaced("origin", origin)]] as const,
    ),
    ...["cross-site", "same-site", "none"].map(
      (site) =>
        [`the token, from a page that is ${site}`, () => [ownPage(admin), header("sec-fetch-site", site)]] as const,
    ),
  ];

  test.each(forgeries)("does nothing with %s", async (_case, parts) => {
    expect((await send("POST", "/api/v1/namespaces", namespace(), ...parts())).status).toBe(403);
    expect((await send("POST", "/v2/team-a/app/blobs/uploads/", ...parts())).status).toBe(403);
    expect((await send("POST", "/auth/kubeconfig", ...parts())).status).toBe(403);
    expect((await send("DELETE", `${IAM}/users/bob`, ...parts())).status).toBe(403);
    expect((await send("POST", "/auth/logout", ...parts())).status).toBe(403);
    expect(await holder(admin.cookie)).toBe("admin");
  });

  test.each(["https://evil.example", "null"])("is not begun by a form of %s", async (origin) => {
    const form = formBody({ username: "admin", password: PASSWORDS.admin });
    const answer = await send("POST", "/auth/login", form, header("origin", origin));
    expect(answer.status).toBe(403);
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("is not shown to pages of other origins", async () => {
    const answer = await send(
      "GET",
      "/auth/session",
      withCookie(admin.cookie),
      header("origin", "https://evil.example"),
    );
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    const preflight = await send(
      "OPTIONS",
      "/api/v1/namespaces",
      header("origin", "https://evil.example"),
      header("access-control-request-method", "POST"),
    );
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("is not made of an API key or a token", async () => {
    const { token } = json(await send("GET", "/auth/token", ADMIN)) as { readonly token: string };
    for (const [username, password] of [
      ["ci", world.robot.token],
      ["admin", token],
    ] as const) {
      expect((await send("POST", "/auth/login", jsonBody({ username, password }))).status).toBe(401);
    }
  });

  test("ends when its user signs out, for whoever has the cookie", async () => {
    const session = await signIn(world.registry, "alice", PASSWORDS.alice);
    const out = await send("POST", "/auth/logout", ownPage(session));
    expect(out.status).toBe(204);
    expect(out.headers.get("set-cookie")).toContain("entrepot_session=; Path=/; Max-Age=0");
    expect(await holder(session.cookie)).toBeUndefined();
    expect(await holder(alice.cookie)).toBe("alice");
  });

  test("ends when the password changes, and the token and refresh tokens of the old one do", async () => {
    const next = `${PASSWORDS.bob} and more`;
    const bob = basic("bob", PASSWORDS.bob);
    const session = await signIn(world.registry, "bob", PASSWORDS.bob);
    const asked = [query("scope", "repository:team-a/app:pull"), query("offline_token", "true")];
    const made = json(await send("GET", "/auth/token", bob, ...asked));
    const { token, refresh_token: refresh } = made as { readonly token: string; readonly refresh_token: string };
    const pull = (...parts: RequestPart[]) => send("GET", "/v2/team-a/app/manifests/v1", ...parts);
    expect((await pull(header("authorization", `Bearer ${token}`))).status).toBe(200);
    const change = jsonBody({ current: PASSWORDS.bob, new: next });
    expect((await send("POST", `${IAM}/users/bob/password`, ownPage(session), change)).status).toBe(200);
    expect(await holder(session.cookie)).toBeUndefined();
    expect((await pull(header("authorization", `Bearer ${token}`))).status).toBe(401);
    expect((await pull(bob)).status).toBe(401);
    expect((await pull(basic("bob", next))).status).toBe(200);
    const again = formBody({ grant_type: "refresh_token", refresh_token: refresh });
    expect((await send("POST", "/auth/token", again)).status).toBe(401);
  });

  describe("by an identity provider", () => {
    /** Goes the way that a browser does, with the cookies that it is given. */
    const goThrough = async (returnTo: string | undefined): Promise<Answer> => {
      const wanted = returnTo === undefined ? [] : [query("return_to", returnTo)];
      const begun = await send("GET", "/auth/login/provider", ...wanted);
      expect(begun.status).toBe(303);
      const visit = await fetch(begun.headers.get("location") ?? "", { redirect: "manual" });
      return send("GET", visit.headers.get("location") ?? "", withCookie(cookieOf(begun)));
    };
    const sessionOf = ({ headers }: Answer): string =>
      headers
        .getSetCookie()
        .find((cookie) => cookie.startsWith("entrepot_session="))
        ?.split(";")[0] ?? "";

    test("is of whom the provider says, and goes where they were going", async () => {
      const finished = await goThrough("/ui/team-a?tab=tags");
      expect(finished.status).toBe(303);
      expect(finished.headers.get("location")).toBe("/ui/team-a?tab=tags");
      expect(await holder(sessionOf(finished))).toBe("carol");
    });

    test.each([
      undefined,
      "",
      "https://evil.example/",
      "//evil.example/",
      "/\\evil.example/",
      "\\\\evil.example",
      "/\t/evil.example",
      "/.//evil.example",
      "/%2e//evil.example",
      "javascript:alert(1)",
      "@evil.example",
      "/\r\nLocation: https://evil.example",
    ])("goes nowhere else: %j", async (returnTo) => {
      const finished = await goThrough(returnTo);
      expect(finished.status).toBe(303);
      expect(finished.headers.get("location")).toBe("/");
    });

    test("is not begun by one browser and finished by another", async () => {
      const begun = await send("GET", "/auth/login/provider");
      const visit = await fetch(begun.headers.get("location") ?? "", { redirect: "manual" });
      const back = visit.headers.get("location") ?? "";
      const other = await send("GET", "/auth/login/provider");
      for (const parts of [[], [withCookie(cookieOf(other))], [withCookie("entrepot_login=x")]]) {
        const finished = await send("GET", back, ...parts);
        expect(finished.status).toBe(400);
        expect(sessionOf(finished)).toBe("");
      }
    });

    test("a code is good once, and a state that was changed is not", async () => {
      const begun = await send("GET", "/auth/login/provider");
      const visit = await fetch(begun.headers.get("location") ?? "", { redirect: "manual" });
      const back = new URL(visit.headers.get("location") ?? "");
      const cookie = withCookie(cookieOf(begun));
      const forged = new URL(back);
      forged.searchParams.set("state", "x");
      expect((await send("GET", forged.href, cookie)).status).toBe(400);
      expect((await send("GET", back.href, cookie)).status).toBe(303);
      expect((await send("GET", back.href, cookie)).status).toBe(403);
    });

    test.each([
      ["of a job whose claims fit", { aud: "entrepot-ci", repository: "team-a/app" }, 200],
      ["of another job", { aud: "entrepot-ci", repository: "team-b/app" }, 401],
      ["for another audience", { aud: "registry.example.com", repository: "team-a/app" }, 401],
      ["for the sign-in of people", { aud: "entrepot", repository: "team-a/app" }, 401],
      ["without an audience", { repository: "team-a/app" }, 401],
      ["of another issuer", { aud: "entrepot-ci", repository: "team-a/app", iss: "https://issuer.example.com" }, 401],
      ["that has expired", { aud: "entrepot-ci", repository: "team-a/app", exp: 1 }, 401],
    ] as const)("an identity token %s as docker password", async (_case, claims, status) => {
      const token = await provider.token(claims);
      const answer = await send("GET", "/v2/team-a/app/manifests/v1", basic("ci", token));
      expect(answer.status).toBe(status);
    });
  });
});

function replaced(name: string, value: string): RequestPart {
  return ({ headers }) => headers.set(name, value);
}
