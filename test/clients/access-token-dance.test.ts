import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, basic, json, type RequestPart } from "../conformance/registry-client.ts";
import { bearer, formBody, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { useServer } from "../support/client-fixture.ts";

const ALICE = basic("alice", PASSWORDS.alice);
const BOB = basic("bob", PASSWORDS.bob);

/** @see Docker, "Token Authentication Specification", section "Token Response Fields" */
interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly token_type: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
  readonly issued_token_type?: string;
}

interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly jti: string;
  readonly access: readonly { readonly type: string; readonly name: string; readonly actions: readonly string[] }[];
}

function partOf(token: string, index: number): unknown {
  return JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString("utf8"));
}

/** What a token says that it is good for, as scopes. */
function grants(token: string): string[] {
  const { access } = partOf(token, 1) as Claims;
  return access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`);
}

describe("the token dance,", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin } });
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(at.server);
  });

  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);
  /** Asks for a token by `GET`. */
  const ask = (query: string, ...parts: RequestPart[]): Promise<Answer> =>
    send("GET", `/auth/token${query === "" ? "" : `?${query}`}`, ...parts);
  const post = (fields: Readonly<Record<string, string>>, ...parts: RequestPart[]): Promise<Answer> =>
    send("POST", "/auth/token", formBody(fields), ...parts);
  const tokenOf = (answer: Answer): TokenAnswer => {
    expect(answer.status, answer.request).toBe(200);
    return json(answer) as TokenAnswer;
  };
  const scopes = (...names: readonly string[]): string =>
    names.map((name) => `scope=${encodeURIComponent(name)}`).join("&");

  describe("the answer", () => {
    test("has every field that clients read, and is not to be stored", async () => {
      const before = Date.now();
      const answer = await ask(
        `service=entrepot&account=alice&client_id=test&${scopes("repository:team-a/app:pull")}`,
        ALICE,
      );
      const { token, ...rest } = tokenOf(answer);
      expect(rest).toEqual({
        access_token: token,
        token_type: "Bearer",
        scope: "repository:team-a/app:pull",
        expires_in: 300,
        issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      expect(Math.abs(Date.parse(rest.issued_at) - before)).toBeLessThan(60_000);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
      expect(answer.headers.get("set-cookie")).toBeNull();
    });

    test("holds a token that verifies with a published key", async () => {
      const { token } = tokenOf(await ask(scopes("repository:team-a/app:pull"), ALICE));
      const head = partOf(token, 0) as { readonly alg: string; readonly kid: string };
      expect(head).toEqual({ alg: "ES256", typ: "JWT", kid: expect.any(String) });
      const claims = partOf(token, 1) as Claims;
      expect(claims).toMatchObject({ iss: "entrepot", sub: "alice", aud: "entrepot", nbf: claims.iat });
      expect(claims.exp - claims.iat).toBe(300);
      const published = await send("GET", "/.well-known/jwks.json");
      const { keys } = json(published) as { readonly keys: readonly (JsonWebKey & { readonly kid: string })[] };
      expect(keys.flatMap((key) => Object.keys(key))).not.toContain("d");
      const jwk = keys.find(({ kid }) => kid === head.kid);
      const algorithm = { name: "ECDSA", namedCurve: "P-256" };
      const key = await crypto.subtle.importKey("jwk", jwk ?? {}, algorithm, false, ["verify"]);
      const [signed, signature] = [token.slice(0, token.lastIndexOf(".")), token.slice(token.lastIndexOf(".") + 1)];
      const hash = { name: "ECDSA", hash: "SHA-256" };
      expect(await crypto.subtle.verify(hash, key, Buffer.from(signature, "base64url"), Buffer.from(signed))).toBe(
        true,
      );
    });

    test("two tokens are never the same", async () => {
      const tokens = await Promise.all([1, 2, 3].map(async () => tokenOf(await ask("", ALICE)).token));
      expect(new Set(tokens).size).toBe(3);
    });
  });

  describe("is granted", () => {
    test.each([
      { who: "alice", asked: [], granted: [] },
      { who: "alice", asked: ["repository:team-a/app:pull"], granted: ["repository:team-a/app:pull"] },
      { who: "alice", asked: ["repository:team-a/app:pull,push"], granted: ["repository:team-a/app:pull"] },
      { who: "alice", asked: ["repository:team-a/app:push"], granted: [] },
      { who: "alice", asked: ["repository:team-a/app:*"], granted: ["repository:team-a/app:pull"] },
      { who: "alice", asked: ["repository:team-b/app:pull"], granted: [] },
      { who: "alice", asked: ["repository:absent/app:pull"], granted: [] },
      { who: "alice", asked: ["repository:open/app:pull,push"], granted: ["repository:open/app:pull"] },
      { who: "bob", asked: ["repository:team-a/app:pull,push"], granted: ["repository:team-a/app:pull,push"] },
      { who: "bob", asked: ["repository:team-a/app:*"], granted: ["repository:team-a/app:pull,push"] },
      { who: "bob", asked: ["repository:team-a/app:delete"], granted: [] },
      {
        who: "bob",
        asked: ["repository:team-a/app:pull,push", "repository:team-b/app:pull"],
        granted: ["repository:team-a/app:pull,push"],
      },
      {
        who: "bob",
        asked: ["repository:team-a/app:pull,push repository:open/app:pull"],
        granted: ["repository:team-a/app:pull,push", "repository:open/app:pull"],
      },
      { who: "bob", asked: ["registry:catalog:*"], granted: ["registry:catalog:*"] },
      { who: "bob", asked: ["registry:other:*", "registry:catalog:pull"], granted: [] },
      { who: "bob", asked: ["repository(plugin):team-a/app:pull"], granted: ["repository:team-a/app:pull"] },
      {
        who: "bob",
        asked: [
          "nonsense",
          "repository:Team-A/app:pull",
          "repository:team-a/../team-b/app:pull",
          "repository:team-a/app",
        ],
        granted: [],
      },
      { who: "anonymous", asked: ["repository:open/app:pull,push"], granted: ["repository:open/app:pull"] },
      { who: "anonymous", asked: ["repository:team-a/app:pull"], granted: [] },
      { who: "anonymous", asked: ["registry:catalog:*"], granted: [] },
    ])("$granted to $who for $asked", async ({ who, asked, granted }) => {
      const credential = { alice: [ALICE], bob: [BOB], anonymous: [] }[who] ?? [];
      const answer = tokenOf(await ask(scopes(...asked), ...credential));
      expect(grants(answer.token)).toEqual(granted);
      expect(answer.scope).toBe(granted.join(" "));
    });
  });

  describe("a token", () => {
    test.each([
      { scope: "repository:team-a/app:pull", method: "GET", target: "/v2/team-a/app/manifests/v1", status: 200 },
      { scope: "repository:team-a/app:pull", method: "HEAD", target: "/v2/team-a/app/manifests/v1", status: 200 },
      { scope: "repository:team-a/app:pull", method: "GET", target: "/v2/team-a/app/tags/list", status: 200 },
      { scope: "repository:team-a/app:pull", method: "GET", target: "/v2/", status: 200 },
      { scope: "repository:team-a/app:pull", method: "GET", target: "/v2/team-a/other/tags/list", status: 401 },
      { scope: "repository:team-a/app:pull", method: "GET", target: "/v2/team-b/app/tags/list", status: 403 },
      { scope: "repository:team-a/app:pull", method: "GET", target: "/v2/_catalog", status: 401 },
      { scope: "registry:catalog:*", method: "GET", target: "/v2/_catalog", status: 200 },
      { scope: "registry:catalog:*", method: "GET", target: "/v2/team-a/app/tags/list", status: 401 },
      {
        scope: "repository:team-a/app:pull,push",
        method: "POST",
        target: "/v2/team-a/app/blobs/uploads/",
        status: 202,
      },
      { scope: "repository:team-a/app:push", method: "POST", target: "/v2/team-a/app/blobs/uploads/", status: 202 },
      { scope: "repository:team-a/app:push", method: "GET", target: "/v2/team-a/app/tags/list", status: 401 },
    ])("for $scope gets $status for $method $target", async ({ scope, method, target, status }) => {
      const { token } = tokenOf(await ask(scopes(scope), BOB));
      expect((await send(method, target, bearer(token))).status).toBe(status);
    });

    test("without anything in it is enough to learn that one is known, and to pull nothing", async () => {
      const { token } = tokenOf(await ask("", BOB));
      expect((await send("GET", "/v2/", bearer(token))).status).toBe(200);
      expect((await send("GET", "/v2/team-a/app/tags/list", bearer(token))).status).toBe(401);
    });

    test("of nobody pulls what is public, for which it was asked, and is nobody's at /v2/", async () => {
      const { token } = tokenOf(await ask(scopes("repository:open/app:pull")));
      expect((await send("GET", "/v2/open/app/manifests/v1", bearer(token))).status).toBe(200);
      expect((await send("GET", "/v2/team-a/app/manifests/v1", bearer(token))).status).toBe(401);
      expect((await send("PUT", "/v2/open/app/manifests/v1", bearer(token))).status).toBe(401);
    });
  });

  describe("by OAuth2 (POST),", () => {
    const password = { grant_type: "password", service: "entrepot", client_id: "test" };
    const alice = { ...password, username: "alice", password: PASSWORDS.alice };

    test("a password makes a token", async () => {
      const answer = await post({ ...alice, scope: "repository:team-a/app:pull,push repository:open/app:pull" });
      const { token, scope, refresh_token: refresh } = tokenOf(answer);
      expect(scope).toBe("repository:team-a/app:pull repository:open/app:pull");
      expect(refresh).toBeUndefined();
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect((await send("GET", "/v2/team-a/app/manifests/v1", bearer(token))).status).toBe(200);
    });

    test("an API key is a password", async () => {
      const answer = await post({
        ...password,
        username: "ci",
        password: world.robot.token,
        scope: "repository:team-a/app:push",
      });
      expect(tokenOf(answer).scope).toBe("repository:team-a/app:push");
    });

    test("a refresh token is made of a password and makes tokens", async () => {
      const first = tokenOf(await post({ ...alice, access_type: "offline", scope: "repository:team-a/app:pull" }));
      const refresh = first.refresh_token ?? "";
      expect(refresh).toMatch(/^entr_[\w-]{43}$/);
      const again = { grant_type: "refresh_token", service: "entrepot", client_id: "test", refresh_token: refresh };
      for (const scope of ["repository:team-a/app:pull", "repository:open/app:pull"]) {
        const next = tokenOf(await post({ ...again, scope }));
        expect(next.scope).toBe(scope);
        expect(next.token).not.toBe(first.token);
      }
      expect(tokenOf(await post({ ...again, access_type: "offline" })).refresh_token).toBe(refresh);
    });

    test.each([
      ["no grant", {}, 400, "unsupported_grant_type"],
      ["another grant", { grant_type: "client_credentials" }, 400, "unsupported_grant_type"],
      ["no password", { grant_type: "password", username: "alice" }, 400, "invalid_request"],
      ["an empty password", { ...alice, password: "" }, 400, "invalid_request"],
      ["a wrong password", { ...alice, password: "wrong" }, 401, "invalid_grant"],
      ["a user that there is not", { ...alice, username: "mallory" }, 401, "invalid_grant"],
      ["a colon in the name", { ...alice, username: "alice:staple" }, 401, "invalid_grant"],
      ["no refresh token", { grant_type: "refresh_token" }, 400, "invalid_request"],
      [
        "a made-up refresh token",
        { grant_type: "refresh_token", refresh_token: `entr_${"a".repeat(43)}` },
        401,
        "invalid_grant",
      ],
      ["another service", { ...alice, service: "registry.example.com" }, 400, "invalid_target"],
    ])("%s is refused", async (_case, fields, status, error) => {
      const answer = await post(fields);
      expect(answer.status).toBe(status);
      expect(json(answer)).toMatchObject({ error });
      expect(answer.headers.get("cache-control")).toBe("no-store");
    });

    test.each(["application/json", "text/plain", "multipart/form-data; boundary=x"])(
      "a body of type %s is refused",
      async (type) => {
        const form = formBody(alice);
        const answer = await send("POST", "/auth/token", form, ({ headers }) => headers.set("content-type", type));
        expect(answer.status).toBe(400);
      },
    );

    test("a form that is too long is refused", async () => {
      expect((await post({ ...alice, scope: "a".repeat(40_000) })).status).toBe(413);
    });
  });

  describe("by GET,", () => {
    test("offline_token gets a refresh token", async () => {
      const answer = tokenOf(await ask(`offline_token=true&service=entrepot&client_id=docker`, ALICE));
      expect(answer.refresh_token).toMatch(/^entr_/);
      expect(tokenOf(await ask(`offline_token=false`, ALICE)).refresh_token).toBeUndefined();
    });

    test("nobody gets no refresh token", async () => {
      expect(tokenOf(await ask("offline_token=true")).refresh_token).toBeUndefined();
    });

    test("a wrong password is answered with 401, not with a token of nobody", async () => {
      const answer = await ask(scopes("repository:open/app:pull"), basic("alice", "wrong"));
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe(`Basic realm="Entrepot"`);
      expect(json(answer)).toMatchObject({ error: "invalid_grant", errors: [{ code: "UNAUTHORIZED" }] });
    });

    test("another service is refused", async () => {
      expect((await ask("service=registry.example.com", ALICE)).status).toBe(400);
    });

    test("a token makes no token", async () => {
      const { token } = tokenOf(await ask(scopes("repository:team-a/app:pull"), ALICE));
      expect((await ask(scopes("repository:open/app:pull"), bearer(token))).status).toBe(401);
    });

    test("the account in the query does not count", async () => {
      const { token } = tokenOf(await ask("account=admin", ALICE));
      expect(partOf(token, 1)).toMatchObject({ sub: "alice" });
    });
  });

  test.each(["HEAD", "PUT", "DELETE", "OPTIONS"])("%s is no way to get a token", async (method) => {
    const answer = await send(method, "/auth/token", ALICE);
    expect(answer.status).toBe(405);
    expect(
      answer.headers
        .get("allow")
        ?.split(", ")
        .toSorted()
        .filter((name) => name !== "HEAD"),
    ).toEqual(["GET", "POST"]);
  });
});
