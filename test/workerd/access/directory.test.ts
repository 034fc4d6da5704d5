import { beforeEach, describe, expect, it } from "vitest";
import { bumpGeneration } from "../../../src/access/generation-store.ts";
import { bindings } from "../bindings.ts";
import { contextOf, iamPlatform, PULL_ALL } from "./iam-fixture.ts";

const alice = [{ kind: "User", name: "alice" }];
const puller = { kind: "ClusterRole", name: "puller" };

beforeEach(async () => {
  await bindings.DB.prepare("DELETE FROM resources").run();
});

describe("bindings", () => {
  it("give rights once they are there, and take them when they go", async () => {
    const { create, remove, mayPull } = iamPlatform();
    expect(await mayPull("alice", "team-a/app")).toBe(false);
    await create("rolebindings", "team-a/pull", { roleRef: puller, subjects: alice });
    expect(await mayPull("alice", "team-a/app")).toBe(true);
    expect(await mayPull("alice", "team-b/app")).toBe(false);
    expect(await mayPull("bob", "team-a/app")).toBe(false);
    await remove("rolebindings", "team-a/pull");
    expect(await mayPull("alice", "team-a/app")).toBe(false);
  });

  it("of the cluster hold everywhere, with what their role says now", async () => {
    const { create, update, mayPull } = iamPlatform();
    await create("clusterroles", "own", { rules: [{ ...PULL_ALL, resourceNames: ["team-a/*"] }] });
    await create("clusterrolebindings", "own", { roleRef: { name: "own" }, subjects: alice });
    expect([await mayPull("alice", "team-a/app"), await mayPull("alice", "team-b/app")]).toEqual([true, false]);
    await update("clusterroles", "own", { rules: [{ ...PULL_ALL, resourceNames: ["team-b/*"] }] });
    expect([await mayPull("alice", "team-a/app"), await mayPull("alice", "team-b/app")]).toEqual([false, true]);
  });

  it("refer to a role of their own namespace", async () => {
    const { create, mayPull } = iamPlatform();
    const roleRef = { kind: "Role", name: "local" };
    await create("roles", "team-a/local", { rules: [PULL_ALL] });
    await create("rolebindings", "team-a/local", { roleRef, subjects: alice });
    await create("rolebindings", "team-b/local", { roleRef, subjects: alice });
    expect([await mayPull("alice", "team-a/app"), await mayPull("alice", "team-b/app")]).toEqual([true, false]);
  });

  it("are for teams, service accounts and groups too", async () => {
    const { create, update, mayPull, directory } = iamPlatform();
    await create("teams", "ops", { members: [{ name: "carol" }] });
    await create("rolebindings", "team-a/ops", { roleRef: puller, subjects: [{ kind: "Team", name: "ops" }] });
    expect(await directory.teams("carol")).toEqual(["team:ops"]);
    expect([await mayPull("carol", "team-a/app"), await mayPull("dave", "team-a/app")]).toEqual([true, false]);
    await update("teams", "ops", { members: [{ name: "dave" }, { name: "dave", kind: "User" }] });
    expect([await mayPull("carol", "team-a/app"), await mayPull("dave", "team-a/app")]).toEqual([false, true]);
    // A service account without a namespace is of the binding's.
    const subjects = [
      { kind: "ServiceAccount", name: "ci" },
      { kind: "ServiceAccount", name: "ci", namespace: "tools" },
      { kind: "Group", name: "system:authenticated" },
    ];
    await create("rolebindings", "team-c/robots", { roleRef: puller, subjects });
    const grants = (name: string, groups: readonly string[] = []) => directory.grants(name, groups);
    expect(await grants("system:serviceaccount:team-c:ci")).toMatchObject([
      { namespace: "team-c", source: "RoleBinding/team-c/robots ClusterRole/puller" },
    ]);
    expect(await grants("system:serviceaccount:tools:ci")).toHaveLength(1);
    expect(await grants("system:serviceaccount:team-a:ci")).toEqual([]);
    expect(await grants("anyone", ["system:authenticated"])).toHaveLength(1);
    expect(await grants("anyone", ["system:unauthenticated"])).toEqual([]);
    // A group is not someone of its name.
    expect(await grants("system:authenticated")).toEqual([]);
  });

  it("that are being deleted give nothing, though a finalizer holds them", async () => {
    const { remove, mayPull, storage } = iamPlatform();
    await (
      await storage("rolebindings", "iam.entrepot.dev")
    ).create(contextOf(), "team-a", {
      apiVersion: "",
      kind: "",
      metadata: { name: "held", finalizers: ["example.dev/hold"] },
      spec: { roleRef: puller, subjects: alice },
    });
    expect(await mayPull("alice", "team-a/app")).toBe(true);
    expect((await remove("rolebindings", "team-a/held")).gone).toBe(false);
    expect(await mayPull("alice", "team-a/app")).toBe(false);
  });

  it("that are not what they should be give nothing, and others still do", async () => {
    const { create, mayPull } = iamPlatform();
    await create("rolebindings", "team-a/good", { roleRef: puller, subjects: alice });
    await create("rolebindings", "team-b/broken", { roleRef: puller, subjects: alice });
    await bindings.DB.prepare(
      "UPDATE resources SET object = json_set(object, '$.spec.subjects', 'all') WHERE name = 'broken'",
    ).run();
    expect(await mayPull("alice", "team-a/app")).toBe(true);
    expect(await mayPull("alice", "team-b/app")).toBe(false);
  });
});

describe("what another isolate wrote", () => {
  it("is seen after the staleness at the latest", async () => {
    const time = { now: 1_000_000 };
    const reader = iamPlatform({ clock: () => time.now, staleness: 1000 });
    const writer = iamPlatform();
    expect(await reader.mayPull("alice", "team-a/app")).toBe(false);
    await writer.create("rolebindings", "team-a/pull", { roleRef: puller, subjects: alice });
    time.now += 999;
    expect(await reader.mayPull("alice", "team-a/app")).toBe(false);
    time.now += 1;
    expect(await reader.mayPull("alice", "team-a/app")).toBe(true);
  });

  it("is seen at once by the isolate that wrote it", async () => {
    const isolate = iamPlatform({ clock: () => 1_000_000, staleness: 60_000 });
    expect(await isolate.mayPull("alice", "team-a/app")).toBe(false);
    await isolate.create("rolebindings", "team-a/pull", { roleRef: puller, subjects: alice });
    expect(await isolate.mayPull("alice", "team-a/app")).toBe(true);
  });

  it("costs a statement each time the staleness has passed, and nothing in between", async () => {
    const time = { now: 1_000_000 };
    const { directory, questions } = iamPlatform({ clock: () => time.now, staleness: 1000 });
    await directory.generation();
    await directory.account("nobody");
    questions.statements = 0;
    for (let index = 0; index < 10; index += 1) await directory.grants("alice", []);
    await directory.account("nobody");
    expect(questions.statements).toBe(0);
    time.now += 1000;
    await directory.grants("alice", []);
    await directory.account("nobody");
    expect(questions.statements).toBe(1);
  });
});

describe("the generation", () => {
  it("changes with whatever decides access, and with nothing else", async () => {
    const { create, update, remove, directory, storage } = iamPlatform();
    const seen = new Set<string>();
    const step = async (work: Promise<unknown>) => {
      await work;
      const generation = await directory.generation();
      expect(seen.has(generation)).toBe(false);
      seen.add(generation);
    };
    await step(Promise.resolve());
    await step(create("users", "gen", {}));
    await step(update("users", "gen", { disabled: true }));
    await step(create("serviceaccounts", "gen/robot", {}));
    await step(create("teams", "gen", {}));
    await step(remove("teams", "gen"));
    await step(update("namespaces", "gen", { visibility: "public" }, {}, ""));
    await step(bindings.DB.batch([bumpGeneration(bindings.DB)]));
    const before = await directory.generation();
    const definitions = await storage("apps", "platform.entrepot.dev");
    await definitions.list(contextOf(), { labels: [], fields: [], limit: 1, source: "current" });
    expect(await directory.generation()).toBe(before);
  });
});

describe("accounts", () => {
  it("are users and service accounts, by the identity's name", async () => {
    const { create, update, remove, directory } = iamPlatform();
    expect(await directory.account("erin")).toBeUndefined();
    await create("users", "erin", {});
    await create("serviceaccounts", "team-a/ci", {});
    expect(await directory.account("erin")).toEqual({ name: "erin", disabled: false });
    const robot = "system:serviceaccount:team-a:ci";
    expect(await directory.account(robot)).toEqual({ name: robot, disabled: false });
    expect(await directory.account("system:serviceaccount:team-b:ci")).toBeUndefined();
    expect(await directory.account("system:serviceaccount:team-a")).toBeUndefined();
    expect(await directory.account("ci")).toBeUndefined();
    expect(await directory.account("system:anonymous")).toBeUndefined();
    await update("users", "erin", { disabled: true });
    expect(await directory.account("erin")).toEqual({ name: "erin", disabled: true });
    await remove("users", "erin");
    expect(await directory.account("erin")).toBeUndefined();
  });

  it("are found by who vouches for them", async () => {
    const { create, directory } = iamPlatform();
    const made = await directory.createUser({ name: "frank", issuer: "corp", subject: "17", displayName: "Frank" });
    expect(made).toEqual({ name: "frank", disabled: false });
    expect(await directory.userByLogin("corp", "17")).toEqual({ name: "frank", disabled: false });
    expect(await directory.userByLogin("corp", "1")).toBeUndefined();
    expect(await directory.userByLogin("other", "17")).toBeUndefined();
    // Issuer and subject have to stand together.
    await create("users", "grace", {
      identities: [
        { issuer: "a", subject: "1" },
        { issuer: "b", subject: "2" },
      ],
    });
    expect(await directory.userByLogin("b", "2")).toMatchObject({ name: "grace" });
    expect(await directory.userByLogin("a", "2")).toBeUndefined();
    // Two of one login are nobody.
    await create("users", "heidi", { identities: [{ issuer: "a", subject: "1" }] });
    expect(await directory.userByLogin("a", "1")).toBeUndefined();
  });

  it.each(["taken", "admin", "system:x", "Not A Name", "bound", "member"])(
    "are not made with the name %j",
    async (name) => {
      const { create, directory } = iamPlatform();
      await create("users", "taken", {}).catch(() => {});
      await create("rolebindings", "a/waiting", {
        roleRef: { kind: "ClusterRole", name: "pusher" },
        subjects: [{ kind: "User", name: "bound" }],
      }).catch(() => {});
      await create("teams", "waiting", { members: [{ name: "member" }] }).catch(() => {});
      expect(await directory.createUser({ name, issuer: "corp", subject: "99" })).toBeUndefined();
      expect(await directory.userByLogin("corp", "99")).toBeUndefined();
    },
  );
});

it("public namespaces are open to everyone, private ones are not", async () => {
  const { update, mayPull } = iamPlatform();
  expect(await mayPull("nobody", "default/app")).toBe(false);
  // Nobody made it; it becomes a namespace that somebody made.
  await update("namespaces", "default", { visibility: "public" }, {}, "");
  expect(await mayPull("nobody", "default/app")).toBe(true);
  expect(await mayPull("nobody", "elsewhere/app")).toBe(false);
  await update("namespaces", "default", { visibility: "private" }, {}, "");
  expect(await mayPull("nobody", "default/app")).toBe(false);
});

it("issuers are as their objects say", async () => {
  const { create, directory } = iamPlatform();
  const rules = [{ claims: { repository: "acme/*" }, serviceAccount: { namespace: "team-a", name: "ci" } }];
  const issuer = "https://token.actions.githubusercontent.com";
  await create("federatedissuers", "github", { issuer, audiences: ["entrepot"], rules });
  expect(await directory.issuers()).toEqual([{ name: "github", issuer, audiences: ["entrepot"], rules }]);
  await create("federatedissuers", "corp", {
    issuer: "http://localhost:5556",
    audiences: ["entrepot"],
    login: { clientId: "entrepot", displayName: "Corp" },
  });
  expect((await directory.issuers()).find(({ name }) => name === "corp")?.login).toEqual({
    clientId: "entrepot",
    displayName: "Corp",
    scopes: ["openid", "profile", "email"],
    usernameClaim: "preferred_username",
    createUsers: false,
  });
});

it("cluster roles are found by name, built-in ones too", async () => {
  const { create, directory } = iamPlatform();
  await create("clusterroles", "mine", { rules: [PULL_ALL] });
  expect(await directory.clusterRole("mine")).toEqual([PULL_ALL]);
  expect(await directory.clusterRole("admin")).toHaveLength(1);
  expect(await directory.clusterRole("absent")).toBeUndefined();
});
