import { describe, expect, it } from "vitest";
import { bindings } from "../bindings.ts";
import { databaseText } from "../secret-fixture.ts";
import { accountPlatform, basic, bearer, type Caller, IAM_PATH, ROOT } from "./account-fixture.ts";

const platform = accountPlatform();
const USERS = `${IAM_PATH}/users`;
const MERGE = "application/merge-patch+json";
let count = 0;

/** A name and a password that no other test uses. */
function fresh() {
  count += 1;
  return { name: `person${count}`, password: `a long secret ${crypto.randomUUID()}` };
}

function user(name: string, spec: object = {}, metadata: object = {}) {
  return { apiVersion: "iam.entrepot.dev/v1", kind: "User", metadata: { name, ...metadata }, spec };
}

/** Someone who may do everything with users, and nothing else. */
async function userAdmin(): Promise<Caller> {
  const { name } = fresh();
  const rules = [
    {
      apiGroups: ["iam.entrepot.dev"],
      resources: ["users", "users/tokens"],
      verbs: ["get", "list", "create", "update", "patch", "delete"],
    },
  ];
  await platform.make("clusterroles", "ClusterRole", `role-${name}`, { rules });
  await bind(name, `role-${name}`);
  return { name };
}

async function bind(name: string, role: string): Promise<void> {
  await platform.make("clusterrolebindings", "ClusterRoleBinding", `${name}-${role}`, {
    roleRef: { kind: "ClusterRole", name: role },
    subjects: [{ kind: "User", name }],
  });
}

describe("the password of a user", () => {
  it("signs them in, and is in no object, version, event, owner record or answer", async () => {
    const { name, password } = fresh();
    const created = await platform.make("users", "User", name, { password, displayName: "P" });
    expect(created.body).toMatchObject({ spec: { displayName: "P", disabled: false, identities: [] } });
    expect(created.body).toMatchObject({ status: { passwordSet: true, keys: 0 } });
    expect(await platform.whoami(basic(name, password))).toBe(name);
    const next = `${password}2`;
    const answers = [
      created,
      await platform.api(ROOT, "PATCH", `${USERS}/${name}`, { spec: { password: next } }, MERGE),
      await platform.api(ROOT, "GET", `${USERS}/${name}`),
      await platform.api(ROOT, "GET", USERS),
      await platform.api(ROOT, "GET", `${USERS}?fieldSelector=metadata.name%3D${name}`),
    ];
    expect(`${answers.map(({ text }) => text).join()} ${await databaseText()}`).not.toContain(password);
    expect(await platform.whoami(basic(name, next))).toBe(name);
    expect(await platform.whoami(basic(name, password))).toContain("wrong");
  });

  it("is not in what kubectl apply notes, nor owned by server-side apply", async () => {
    const { name, password } = fresh();
    const note = JSON.stringify(user(name, { password }));
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": note };
    await platform.api(ROOT, "POST", USERS, user(name, { password }, { annotations }));
    const path = `${USERS}/${name}?fieldManager=ci&force=true`;
    const applied = user(name, { password: `${password}2`, email: "p@example.com" });
    const apply = () => platform.api(ROOT, "PATCH", path, applied, "application/apply-patch+yaml");
    const first = await apply();
    expect(first.status).toBe(200);
    expect(first.text).not.toContain("password:");
    expect(first.text).not.toContain('"f:password"');
    expect(`${first.text} ${await databaseText()}`).not.toContain(password);
    expect(await platform.whoami(basic(name, `${password}2`))).toBe(name);
    platform.time.now += 5000;
    expect((await apply()).body).toEqual(first.body);
  });

  it("is not set by a dry run, nor by a write that is refused", async () => {
    const { name, password } = fresh();
    const dry = await platform.api(ROOT, "POST", `${USERS}?dryRun=All`, user(name, { password }));
    expect(dry.status).toBe(201);
    expect(dry.text).not.toContain(password);
    await platform.make("users", "User", name, { password });
    const patch = (query: string, body: object) => platform.api(ROOT, "PATCH", `${USERS}/${name}${query}`, body, MERGE);
    await patch("?dryRun=All", { spec: { password: "another password" } });
    const stale = { metadata: { resourceVersion: "1" }, spec: { password: "another password" } };
    expect((await patch("", stale)).status).toBe(409);
    expect((await patch("", { spec: { password: "another password", disabled: "yes" } })).status).toBe(422);
    expect((await platform.api(ROOT, "POST", USERS, user(name, { password: "another password" }))).status).toBe(409);
    expect((await platform.api(ROOT, "DELETE", `${USERS}/${name}?dryRun=All`)).status).toBe(200);
    expect(await platform.whoami(basic(name, password))).toBe(name);
  });

  it("is taken away by an empty one", async () => {
    const { name, password } = fresh();
    await platform.make("users", "User", name, { password });
    const answer = await platform.api(ROOT, "PATCH", `${USERS}/${name}`, { spec: { password: "" } }, MERGE);
    expect(answer.body).toMatchObject({ status: { passwordSet: false } });
    expect(await platform.whoami(basic(name, password))).toContain("wrong");
  });

  it.each([
    ["short", "1234567"],
    ["a key", `ent_abcdefgh2345_${"A".repeat(43)}`],
    ["a number", 12_345_678_901],
    ["long", "x".repeat(1025)],
  ])("is refused if it is %s, without being quoted", async (_what, password) => {
    const answer = await platform.api(ROOT, "POST", USERS, user(fresh().name, { password }));
    expect(answer.status).toBe(422);
    expect(answer.text).not.toMatch(/1234567|A{20}|x{20}/);
  });

  it("goes with the user, with everything else that signs them in", async () => {
    const { name, password } = fresh();
    await platform.make("users", "User", name, { password });
    await platform.key(`users/${name}`);
    const now = platform.time.now;
    await bindings.DB.batch([
      bindings.DB.prepare(
        "INSERT INTO access_sessions (id, hash, identity, issuer, credential, created_at, expires_at) VALUES (?1, ?1, ?1, NULL, '1', ?2, ?3)",
      ).bind(name, now, now + 1e9),
      bindings.DB.prepare(
        "INSERT INTO access_refresh_tokens VALUES (?1, ?1, ?1, 'api-key', NULL, 's', 'c', ?2, ?3, NULL)",
      ).bind(name, now, now + 1e9),
    ]);
    await platform.api(ROOT, "DELETE", `${USERS}/${name}`);
    for (const table of ["access_keys", "access_sessions", "access_refresh_tokens"]) {
      const left = await bindings.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE identity = ?1`)
        .bind(name)
        .first();
      expect(left).toEqual({ n: 0 });
    }
    await platform.make("users", "User", name);
    expect(await platform.whoami(basic(name, password))).toContain("wrong");
  });

  it("goes when the last finalizer does, and stays until then", async () => {
    const { name, password } = fresh();
    await platform.api(ROOT, "POST", USERS, user(name, { password }, { finalizers: ["example.com/hold"] }));
    await platform.api(ROOT, "DELETE", `${USERS}/${name}`);
    expect(await platform.passwords.get(name)).toBeDefined();
    // Whoever is about to go is no account any more.
    expect(await platform.whoami(basic(name, password))).toBe("unknown account");
    await platform.api(ROOT, "PATCH", `${USERS}/${name}`, { metadata: { finalizers: null } }, MERGE);
    expect(await platform.passwords.get(name)).toBeUndefined();
  });

  it("goes with a collection", async () => {
    const { name, password } = fresh();
    await platform.api(ROOT, "POST", USERS, user(name, { password }, { labels: { batch: "gone" } }));
    expect((await platform.api(ROOT, "DELETE", `${USERS}?labelSelector=batch%3Dgone`)).status).toBe(200);
    expect(await platform.passwords.get(name)).toBeUndefined();
  });

  it("cannot be brought back: there is no restore", async () => {
    const { name } = fresh();
    const { body } = await platform.make("users", "User", name);
    const { resourceVersion } = (body as { readonly metadata: { readonly resourceVersion: string } }).metadata;
    await platform.api(ROOT, "DELETE", `${USERS}/${name}`);
    expect((await platform.api(ROOT, "POST", `${USERS}/${name}/restore`, { resourceVersion })).status).toBe(404);
  });
});

describe("one's own password", () => {
  const change = (as: Caller | string, name: string, body: unknown) =>
    platform.api(as, "POST", `${USERS}/${name}/password`, body);

  it("is changed by whoever knows the present one", async () => {
    const { name, password } = fresh();
    await platform.make("users", "User", name, { password });
    const me = basic(name, password);
    expect((await change(me, name, { current: "wrong password", new: "new password" })).status).toBe(403);
    expect((await change(me, name, { current: password, new: "short" })).status).toBe(400);
    expect((await change(me, name, { new: "new password" })).status).toBe(400);
    expect((await change(me, name, { current: password, new: "new password" })).status).toBe(200);
    expect(await platform.whoami(basic(name, "new password"))).toBe(name);
    expect(await platform.whoami(me)).toContain("wrong");
  });

  it("is nobody else's to change so, an administrator's neither", async () => {
    const { name, password } = fresh();
    await platform.make("users", "User", name, { password });
    const body = { current: password, new: "new password" };
    expect((await change(ROOT, name, body)).status).toBe(403);
    expect((await change({ name: "mallory" }, name, body)).status).toBe(403);
    expect(
      (await change(basic("admin", "admin-password"), "admin", { current: "admin-password", new: "12345678" })).status,
    ).toBe(400);
    const scope = [{ type: "repository", name: "a/b", actions: ["pull"] }];
    expect((await change({ name, scope }, name, body)).status).toBe(403);
  });

  it("cannot be the first", async () => {
    const { name } = fresh();
    await platform.make("users", "User", name);
    expect((await change({ name }, name, { current: "", new: "new password" })).status).toBe(403);
  });
});

describe("whoever may write users", () => {
  const attacks: readonly [
    string,
    (name: string) => readonly [method: string, path: string, body: object, type?: string],
  ][] = [
    ["set the password", (name) => ["PATCH", `${USERS}/${name}`, { spec: { password: "taken over" } }, MERGE]],
    [
      "set an identity",
      (name) => ["PATCH", `${USERS}/${name}`, { spec: { identities: [{ issuer: "i", subject: "me" }] } }, MERGE],
    ],
    ["put another password", (name) => ["PUT", `${USERS}/${name}`, user(name, { password: "taken over" })]],
    [
      "apply a password",
      (name) => [
        "PATCH",
        `${USERS}/${name}?fieldManager=test`,
        user(name, { password: "taken over" }),
        "application/apply-patch+yaml",
      ],
    ],
    [
      "dry-run a password",
      (name) => ["PATCH", `${USERS}/${name}?dryRun=All`, { spec: { password: "taken over" } }, MERGE],
    ],
    ["make a key", (name) => ["POST", `${USERS}/${name}/tokens`, {}]],
  ];

  it.each(attacks)("cannot %s of someone with more rights", async (_what, attack) => {
    const { name, password } = fresh();
    await platform.make("users", "User", name, { password });
    await bind(name, "admin");
    const mallory = await userAdmin();
    expect((await platform.api(mallory, ...attack(name))).status).toBe(403);
    expect(await platform.whoami(basic(name, password))).toBe(name);
    expect((await platform.credentials.summaries([name])).get(name)).toEqual({ passwordSet: true, keys: 0 });
  });

  it.each(attacks)("can %s of someone without", async (_what, attack) => {
    const { name } = fresh();
    await platform.make("users", "User", name);
    const [method, path, body, type] = attack(name);
    const answer = await platform.api(await userAdmin(), method, path, body, type);
    expect(answer.status).toBeLessThan(300);
  });

  it("cannot make a user whom a binding waits for", async () => {
    const { name } = fresh();
    await bind(name, "admin");
    const mallory = await userAdmin();
    expect((await platform.api(mallory, "POST", USERS, user(name, { password: "taken over" }))).status).toBe(403);
  });

  it("cannot recreate an administrator with a password", async () => {
    const { name } = fresh();
    await platform.make("users", "User", name);
    await bind(name, "admin");
    const mallory = await userAdmin();
    await platform.api(mallory, "DELETE", `${USERS}/${name}`);
    expect((await platform.api(mallory, "POST", USERS, user(name, { password: "taken over" }))).status).toBe(403);
    const apply = user(name, { password: "taken over" });
    expect(
      (
        await platform.api(
          mallory,
          "PATCH",
          `${USERS}/${name}?fieldManager=test`,
          apply,
          "application/apply-patch+yaml",
        )
      ).status,
    ).toBe(403);
  });

  it("cannot rotate a key of someone with more rights, but can revoke it", async () => {
    const { name } = fresh();
    await platform.make("users", "User", name);
    await bind(name, "admin");
    const { id, token } = await platform.key(`users/${name}`);
    const mallory = await userAdmin();
    expect((await platform.api(mallory, "POST", `${USERS}/${name}/tokens/${id}/rotate`)).status).toBe(403);
    expect(await platform.whoami(bearer(token))).toBe(name);
    expect((await platform.api(mallory, "DELETE", `${USERS}/${name}/tokens/${id}`)).status).toBe(200);
  });
});

describe("the first administrator", () => {
  it("is there without an object, as long as the setting is", async () => {
    expect((await platform.api(ROOT, "GET", `${USERS}/admin`)).body).toMatchObject({ metadata: { uid: "user-admin" } });
    const { body } = await platform.api(ROOT, "GET", USERS);
    const names = (body as { readonly items: readonly { readonly metadata: { readonly name: string } }[] }).items;
    expect(names.filter(({ metadata }) => metadata.name === "admin")).toHaveLength(1);
    const without = accountPlatform({ hasAdmin: false });
    expect((await without.api(ROOT, "GET", `${USERS}/admin`)).status).toBe(404);
  });

  it("has keys, which nobody's object of the name takes or gets", async () => {
    const { token } = await platform.key("users/admin");
    expect((await platform.identity(bearer(token))).groups).toContain("system:masters");
    expect((await platform.api(ROOT, "POST", USERS, user("admin", { password: "taken over" }))).status).toBe(422);
    expect((await platform.api(ROOT, "PATCH", `${USERS}/admin`, { spec: { disabled: true } }, MERGE)).status).toBe(405);
    expect((await platform.api(ROOT, "DELETE", `${USERS}/admin`)).status).toBe(405);
    expect(await platform.whoami(bearer(token))).toBe("admin");
    expect(await accountPlatform({ hasAdmin: false }).whoami(bearer(token))).toBe("unknown account");
    expect((await platform.api(await userAdmin(), "POST", `${USERS}/admin/tokens`, {})).status).toBe(403);
  });
});

describe("the display lookup", () => {
  it("names accounts for anyone who is signed in", async () => {
    const { name } = fresh();
    await platform.make("users", "User", name, { displayName: "A Person" });
    const path = `${IAM_PATH}/display?key=user:${name}&key=user:nobody&key=role:x&key=user:${name}`;
    expect((await platform.api({ name: "nobody-special" }, "GET", path)).body).toEqual({
      kind: "DisplayList",
      apiVersion: "iam.entrepot.dev/v1",
      metadata: {},
      items: [
        { identity: { type: "user", name }, displayName: "A Person" },
        { identity: { type: "user", name: "nobody" }, displayName: "nobody" },
      ],
      invalidKeys: ["role:x"],
    });
    expect((await platform.api(undefined, "GET", path)).status).toBeGreaterThanOrEqual(401);
    const many = Array.from({ length: 101 }, (_, index) => `key=user:u${index}`).join("&");
    expect((await platform.api(ROOT, "GET", `${IAM_PATH}/display?${many}`)).status).toBe(400);
  });
});
