import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { accountPlatform, basic, bearer, type Caller, IAM_PATH, ROOT } from "./account-fixture.ts";

const platform = accountPlatform();
let count = 0;

/** A service account that no other test uses. */
async function newRobot() {
  count += 1;
  const name = `ci${count}`;
  await platform.make("namespaces/team-a/serviceaccounts", "ServiceAccount", name, { displayName: "CI" });
  const path = `namespaces/team-a/serviceaccounts/${name}`;
  return { name, path, identity: `system:serviceaccount:team-a:${name}`, tokens: `${IAM_PATH}/${path}/tokens` };
}

describe("tokens", () => {
  it("are made, listed without a secret, and revoked", async () => {
    const { identity, path, tokens } = await newRobot();
    const made = await platform.api(ROOT, "POST", tokens, { name: "deploy", expiresInSeconds: 3600 });
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { id, token, expiresAt } = made.body as Record<string, string>;
    expect(token).toMatch(new RegExp(`^ent_${id}_[A-Za-z0-9_-]{43}$`));
    expect(Date.parse(expiresAt ?? "")).toBe(platform.time.now + 3_600_000);
    expect(await platform.whoami(basic("token", token ?? ""))).toBe(identity);
    await platform.settle();
    const list = await platform.api(ROOT, "GET", tokens);
    expect(list.body).toMatchObject({ kind: "TokenList", apiVersion: "iam.entrepot.dev/v1", metadata: {} });
    expect(list.body).toMatchObject({
      items: [{ id, prefix: `ent_${id}`, name: "deploy", createdBy: "root", expiresAt, state: "active" }],
    });
    expect(list.text).toContain("lastUsedAt");
    expect(list.text).not.toContain("hash");
    expect(list.text).not.toContain(token?.slice(17));
    const object = await platform.api(ROOT, "GET", `${IAM_PATH}/${path}`);
    expect(object.body).toMatchObject({ status: { keys: 1 } });
    await platform.api(ROOT, "DELETE", `${tokens}/${id}`);
    const again = await platform.api(ROOT, "DELETE", `${tokens}/${id}`);
    expect(again.body).toMatchObject({ id, state: "revoked" });
    expect((await platform.api(ROOT, "GET", `${IAM_PATH}/${path}`)).body).toMatchObject({ status: { keys: 0 } });
  });

  it.each([
    ["a life too short", { expiresInSeconds: 59 }],
    ["a life too long", { expiresInSeconds: 400 * 86_400 + 1 }],
    ["a life that is no whole number", { expiresInSeconds: 60.5 }],
    ["an empty name", { name: "" }],
    ["a long name", { name: "x".repeat(254) }],
    ["a list", []],
  ])("are not made with %s", async (_what, body) => {
    const { tokens } = await newRobot();
    expect((await platform.api(ROOT, "POST", tokens, body)).status).toBe(400);
    expect((await platform.api(ROOT, "GET", tokens)).body).toMatchObject({ items: [] });
  });

  it.each([
    ["GET", "/some-id", 404],
    ["DELETE", "", 404],
    ["DELETE", "/aaaaaaaaaaaa", 404],
    ["POST", "/aaaaaaaaaaaa", 404],
    ["POST", "/aaaaaaaaaaaa/rotate", 404],
    ["POST", "/a/rotate/more", 404],
    ["PUT", "", 405],
    ["POST", "?dryRun=All", 400],
  ])("%s tokens%s is refused", async (method, rest, status) => {
    const { tokens } = await newRobot();
    expect((await platform.api(ROOT, method, `${tokens}${rest}`)).status).toBe(status);
  });

  it("are not made for an account that is not there", async () => {
    const missing = `${IAM_PATH}/namespaces/team-a/serviceaccounts/missing/tokens`;
    expect((await platform.api(ROOT, "POST", missing, {})).status).toBe(404);
    expect((await platform.api(ROOT, "POST", `${IAM_PATH}/users/missing/tokens`, {})).status).toBe(404);
  });

  it("of another account are not revoked", async () => {
    const [mine, theirs] = [await newRobot(), await newRobot()];
    const { id, token } = await platform.key(theirs.path);
    expect((await platform.api(ROOT, "DELETE", `${mine.tokens}/${id}`)).status).toBe(404);
    expect(await platform.whoami(bearer(token))).toBe(theirs.identity);
  });

  it("are a hundred at a time at the most", async () => {
    const { path, tokens } = await newRobot();
    const { id, token } = await platform.key(path);
    for (let index = 1; index < 100; index += 1) await platform.key(path);
    expect((await platform.api(ROOT, "POST", tokens, {})).status).toBe(403);
    expect((await platform.api(ROOT, "POST", `${tokens}/${id}/rotate`, { overlapSeconds: 60 })).status).toBe(403);
    expect((await platform.kubeconfig(bearer(token))).status).toBe(403);
    await platform.api(ROOT, "DELETE", `${tokens}/${id}`);
    expect((await platform.api(ROOT, "POST", tokens, {})).status).toBe(201);
  });
});

describe("an account's own tokens", () => {
  it("are its own to look after", async () => {
    const { identity, path, tokens } = await newRobot();
    const { id, token } = await platform.key(path);
    const me = bearer(token);
    expect((await platform.api(me, "GET", tokens)).status).toBe(200);
    const { body } = await platform.api(me, "POST", `${tokens}/${id}/rotate`, { overlapSeconds: 60 });
    const next = (body as { readonly token: string }).token;
    expect(await platform.whoami(bearer(next))).toBe(identity);
    expect((await platform.api(bearer(next), "DELETE", `${tokens}/${id}`)).status).toBe(200);
    expect((await platform.api(me, "GET", tokens)).status).toBe(401);
  });

  it("outlive the key that makes them only by taking its place", async () => {
    const { identity, path, tokens } = await newRobot();
    const short = await platform.api(ROOT, "POST", tokens, { expiresInSeconds: 3600 });
    const { id, token } = short.body as { readonly id: string; readonly token: string };
    const { id: long } = await platform.key(path);
    const end = platform.time.now + 3_600_000;
    const me = bearer(token);
    const made = [{}, { expiresInSeconds: 7200 }].map((wanted) => platform.api(me, "POST", tokens, wanted));
    const rotated = platform.api(me, "POST", `${tokens}/${long}/rotate`, {});
    for (const { body } of await Promise.all([...made, rotated])) {
      expect(Date.parse((body as { readonly expiresAt: string }).expiresAt)).toBe(end);
    }
    await platform.kubeconfig(me);
    expect((await platform.keys.of(identity, 10)).filter((key) => key.expiresAt !== end)).toMatchObject([{ id: long }]);
    platform.time.now += 60_000;
    const { body } = await platform.api(me, "POST", `${tokens}/${id}/rotate`, {});
    expect(Date.parse((body as { readonly expiresAt: string }).expiresAt)).toBe(platform.time.now + 3_600_000);
  });

  it("are nobody else's", async () => {
    const [mine, theirs] = [await newRobot(), await newRobot()];
    const { token } = await platform.key(mine.path);
    for (const method of ["GET", "POST"]) {
      expect((await platform.api(bearer(token), method, theirs.tokens)).status).toBe(403);
    }
    const elsewhere = theirs.tokens.replace("team-a", "team-b");
    expect((await platform.api(bearer(token), "GET", elsewhere)).status).toBe(403);
    expect((await platform.api(undefined, "GET", mine.tokens)).status).toBeGreaterThanOrEqual(401);
  });

  const limited: readonly [string, Partial<Caller>][] = [
    ["a registry token", { type: "token" }],
    ["a CI identity", { type: "federated" }],
    ["a limited credential", { scope: [{ type: "repository", name: "team-a/app", actions: ["push"] }] }],
  ];

  it.each(limited)("are not made with %s, an administrator's neither", async (_what, credential) => {
    const { identity, tokens } = await newRobot();
    expect((await platform.api({ name: identity, ...credential }, "POST", tokens, {})).status).toBe(403);
    expect((await platform.api({ ...ROOT, ...credential }, "POST", tokens, {})).status).toBe(403);
    expect((await platform.kubeconfig({ name: identity, ...credential })).status).toBe(403);
    expect(await platform.keys.countActive(identity)).toBe(0);
  });
});

describe("a service account", () => {
  it("that is made again has no keys of the former", async () => {
    const { name, path } = await newRobot();
    const { token } = await platform.key(path);
    await platform.api(ROOT, "DELETE", `${IAM_PATH}/${path}`);
    expect(await platform.whoami(bearer(token))).toBe("api-key.unknown");
    await platform.make("namespaces/team-a/serviceaccounts", "ServiceAccount", name);
    expect(await platform.whoami(bearer(token))).toBe("api-key.unknown");
  });

  it("does not lose its keys to whoever tries to make it, or something called like it", async () => {
    const { name, path, identity } = await newRobot();
    const { token } = await platform.key(path);
    const object = (kind: string, named: string) => ({
      apiVersion: "iam.entrepot.dev/v1",
      kind,
      metadata: { name: named },
    });
    const { status } = await platform.api(
      ROOT,
      "POST",
      `${IAM_PATH}/namespaces/team-a/serviceaccounts`,
      object("ServiceAccount", name),
    );
    expect(status).toBe(409);
    expect((await platform.api(ROOT, "POST", `${IAM_PATH}/users`, object("User", identity))).status).toBe(422);
    expect(await platform.whoami(bearer(token))).toBe(identity);
  });

  it("with the rights of another is not theirs to use who have less", async () => {
    const { name, tokens } = await newRobot();
    await platform.make("namespaces/team-a/rolebindings", "RoleBinding", `push-${name}`, {
      roleRef: { kind: "ClusterRole", name: "pusher" },
      subjects: [{ kind: "ServiceAccount", name, namespace: "team-a" }],
    });
    const rules = [{ apiGroups: ["iam.entrepot.dev"], resources: ["serviceaccounts/tokens"], verbs: ["create"] }];
    await platform.make("clusterroles", "ClusterRole", `maker-${name}`, { rules });
    const grantTo = (user: string, role: string) =>
      platform.make("namespaces/team-a/rolebindings", "RoleBinding", `${user}-${role}`, {
        roleRef: { kind: "ClusterRole", name: role },
        subjects: [{ kind: "User", name: user }],
      });
    const [mallory, alice] = [{ name: `mallory-${name}` }, { name: `alice-${name}` }];
    await grantTo(mallory.name, `maker-${name}`);
    expect((await platform.api(mallory, "POST", tokens, {})).status).toBe(403);
    await grantTo(alice.name, `maker-${name}`);
    await grantTo(alice.name, "pusher");
    expect((await platform.api(alice, "POST", tokens, {})).status).toBe(201);
    const impersonate = [{ apiGroups: ["iam.entrepot.dev"], resources: ["serviceaccounts"], verbs: ["impersonate"] }];
    await platform.make("clusterroles", "ClusterRole", `acting-${name}`, { rules: impersonate });
    await grantTo(mallory.name, `acting-${name}`);
    expect((await platform.api(mallory, "POST", tokens, {})).status).toBe(201);
  });

  it("with rights elsewhere is not for those who run its namespace", async () => {
    const { name, tokens } = await newRobot();
    const bind = (path: string, kind: string, role: string, subject: object) =>
      platform.make(path, kind, `${role}-${name}`, {
        roleRef: { kind: "ClusterRole", name: role },
        subjects: [subject],
      });
    const [nora, olga] = [{ name: `nora-${name}` }, { name: `olga-${name}` }];
    await bind("namespaces/team-a/rolebindings", "RoleBinding", "admin", { kind: "User", ...nora });
    expect((await platform.api(nora, "POST", tokens, {})).status).toBe(201);
    const robot = { kind: "ServiceAccount", name, namespace: "team-a" };
    await bind("namespaces/team-b/rolebindings", "RoleBinding", "puller", robot);
    expect((await platform.api(nora, "POST", tokens, {})).status).toBe(403);
    const rules = [
      { apiGroups: ["iam.entrepot.dev"], resources: ["serviceaccounts/tokens"], verbs: ["create"] },
      {
        apiGroups: ["iam.entrepot.dev"],
        resources: ["serviceaccounts"],
        resourceNames: ["team-a/*"],
        verbs: ["impersonate"],
      },
    ];
    await platform.make("clusterroles", "ClusterRole", `keys-${name}`, { rules });
    await bind("clusterrolebindings", "ClusterRoleBinding", `keys-${name}`, { kind: "User", ...olga });
    expect((await platform.api(olga, "POST", tokens, {})).status).toBe(201);
  });

  it("has no status that a client may write", async () => {
    const { path } = await newRobot();
    const body = { status: { keys: 99 } };
    const type = "application/merge-patch+json";
    expect((await platform.api(ROOT, "PATCH", `${IAM_PATH}/${path}/status`, body, type)).status).toBe(405);
    expect((await platform.api(ROOT, "PATCH", `${IAM_PATH}/${path}`, body, type)).body).toMatchObject({
      status: { keys: 0 },
    });
  });
});

describe("POST /auth/kubeconfig", () => {
  it("answers a configuration with a key of the caller", async () => {
    const { identity, path } = await newRobot();
    const { token } = await platform.key(path);
    const response = await platform.kubeconfig(bearer(token));
    expect(response.headers.get("content-type")).toBe("application/yaml");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const config = parse(await response.text()) as {
      readonly clusters: readonly { readonly cluster: Record<string, string> }[];
      readonly contexts: readonly { readonly context: Record<string, string> }[];
      readonly users: readonly { readonly user: { readonly token: string } }[];
    };
    expect(config.clusters[0]?.cluster["server"]).toBe("https://registry");
    expect(config.contexts[0]?.context["namespace"]).toBe("team-a");
    const made = config.users[0]?.user.token ?? "";
    expect(await platform.whoami(bearer(made))).toBe(identity);
    const [key] = await platform.keys.of(identity, 10).then((keys) => keys.filter(({ id }) => made.includes(id)));
    expect(key).toMatchObject({ name: "kubeconfig", expiresAt: platform.time.now + 30 * 86_400_000 });
  });

  it("is for the first administrator too", async () => {
    const response = await platform.kubeconfig(basic("admin", "admin-password"), "/auth/kubeconfig?expires=600");
    const [, token = ""] = /token: (\S+)/.exec(await response.text()) ?? [];
    expect((await platform.identity(bearer(token))).groups).toContain("system:masters");
    platform.time.now += 600_000;
    expect(await platform.whoami(bearer(token))).toBe("api-key.expired");
  });

  it.each(["59", "34560001", "-1", "1e3", "", "abc", "99999999999"])("refuses expires=%s", async (expires) => {
    const response = await platform.kubeconfig(basic("admin", "admin-password"), `/auth/kubeconfig?expires=${expires}`);
    expect(response.status).toBe(400);
  });

  it("is not for nobody, nor for someone without an account", async () => {
    expect((await platform.kubeconfig(undefined)).status).toBe(401);
    expect((await platform.kubeconfig({ name: "no-account" })).status).toBe(403);
  });
});
