import { describe, expect, it } from "vitest";
import type { Rule } from "../../../src/access/index.ts";
import { parseLabelSelector } from "../../../src/resources/selectors/label-selector.ts";
import type { ResourceObject } from "../../../src/resources/objects/object.ts";
import type { WatchFrame } from "../../../src/resources/storage/storage.ts";
import { contextOf, holderOf, IAM, type IamPlatform, iamPlatform, PULL_ALL } from "./iam-fixture.ts";

const alice = [{ kind: "User", name: "alice" }];
const PUSH_ALL: Rule = { ...PULL_ALL, verbs: ["push"] };
const all: Rule = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
const writeIam = (verbs: readonly string[] = ["create", "update", "get"]): Rule => ({
  apiGroups: [IAM],
  resources: ["*"],
  verbs,
});

const list = (given: object = {}) => ({ labels: [], fields: [], limit: 100, source: "current" as const, ...given });
const namesOf = (items: readonly ResourceObject[]) => items.map(({ metadata }) => metadata.name);

describe("built-in roles", () => {
  const BUILT_IN = ["admin", "editor", "puller", "pusher", "viewer"];

  it("are listed among the others, and can be got", async () => {
    const { create, storage } = iamPlatform();
    await create("clusterroles", "own", { rules: [PULL_ALL] });
    const roles = await storage("clusterroles", IAM);
    expect(namesOf((await roles.list(contextOf(), list())).items)).toEqual([
      ...BUILT_IN.slice(0, 2),
      "own",
      ...BUILT_IN.slice(2),
    ]);
    const labels = parseLabelSelector("iam.entrepot.dev/built-in=true");
    expect(namesOf((await roles.list(contextOf(), list({ labels }))).items)).toEqual(BUILT_IN);
    const first = await roles.list(contextOf(), list({ limit: 2 }));
    expect(namesOf(first.items)).toEqual(["admin", "editor"]);
    expect(await roles.get(contextOf(), { name: "viewer" })).toMatchObject({
      apiVersion: `${IAM}/v1`,
      kind: "ClusterRole",
      metadata: { name: "viewer", labels: { "iam.entrepot.dev/built-in": "true" } },
    });
    await expect(roles.get(contextOf(), { name: "absent" })).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("begin a watch from the start", async () => {
    const roles = await iamPlatform().storage("clusterroles", IAM);
    const stop = new AbortController();
    const frames: WatchFrame[] = [];
    for await (const frame of roles.watch(contextOf(), { labels: [], fields: [], since: 0, signal: stop.signal })) {
      frames.push(frame);
      if (frames.length === BUILT_IN.length) break;
    }
    stop.abort();
    expect(namesOf(frames.flatMap((frame) => ("object" in frame ? [frame.object] : []))).toSorted()).toEqual(BUILT_IN);
  });

  it.each<[string, (platform: IamPlatform) => Promise<unknown>]>([
    ["made", ({ create }) => create("clusterroles", "admin", { rules: [] })],
    ["changed", ({ update }) => update("clusterroles", "viewer", { rules: [all] })],
    ["deleted", ({ remove }) => remove("clusterroles", "editor")],
  ])("cannot be %s", async (_, work) => {
    await expect(work(iamPlatform())).rejects.toMatchObject({
      reason: "Forbidden",
      message: expect.stringContaining("it is built in") as string,
    });
  });

  it("outlive the deletion of all roles", async () => {
    const { create, storage } = iamPlatform();
    await create("clusterroles", "goes", { rules: [] });
    const roles = await storage("clusterroles", IAM);
    await roles.deleteCollection(contextOf(), list(), { propagationPolicy: "Background" });
    expect(namesOf((await roles.list(contextOf(), list())).items)).toEqual(BUILT_IN);
  });
});

describe("what may be written", () => {
  it.each<[string, string, object, string]>([
    ["rolebindings", "a/x", binding([{ kind: "Group", name: "system:masters" }]), "nobody can be put in it"],
    ["rolebindings", "a/x", binding([{ kind: "Group", name: "system:other" }]), "are the platform's"],
    ["rolebindings", "a/x", binding([{ kind: "Group", name: "team:ops" }]), "of the kind Team"],
    ["rolebindings", "a/x", binding([{ kind: "User", name: "system:serviceaccount:a:b" }]), "are the platform's"],
    ["rolebindings", "a/x", binding([{ kind: "User", name: "alice", namespace: "a" }]), "is in no namespace"],
    ["rolebindings", "a/x", binding([{ kind: "ServiceAccount", name: "b:c" }]), "no colon"],
    ["rolebindings", "a/x", binding([{ kind: "Robot", name: "x" }]), "spec.subjects[0].kind"],
    ["clusterrolebindings", "x", binding([{ kind: "ServiceAccount", name: "b" }]), "is in a namespace"],
    ["clusterrolebindings", "x", { roleRef: { kind: "Role", name: "r" } }, "spec.roleRef.kind"],
    ["teams", "x", { members: [{ name: "system:anonymous" }] }, "are the platform's"],
    ["teams", "x", { members: [{ kind: "ServiceAccount", name: "ci" }] }, "is in a namespace"],
    ["roles", "a/x", { rules: [{ ...PULL_ALL, verbs: [] }] }, "verbs"],
    ["roles", "a/x", { rules: [{ ...PULL_ALL, resources: ["!repositories"] }] }, "does not begin with"],
    ["roles", "a/x", { rules: [{ ...PULL_ALL, apiGroups: ["!*"] }] }, "apiGroups"],
    ["roles", "a/x", { rules: [{ ...PULL_ALL, resourceNames: ["!x"] }] }, "resourceNames"],
    ["federatedissuers", "x", issuer({ issuer: "http://example.com" }), "https"],
    ["federatedissuers", "x", issuer({ issuer: "https://user:word@example.com" }), "without credentials"],
    ["federatedissuers", "x", issuer({ jwksUrl: "file:///etc/passwd" }), "https"],
    ["federatedissuers", "x", issuer({ audiences: [] }), "audiences"],
    ["federatedissuers", "x", issuer({ jwks: '{"keys":[{"kty":"EC","d":"x"}]}' }), "public keys"],
    ["federatedissuers", "x", issuer({ jwks: '{"keys":[{"kty":"oct","k":"x"}]}' }), "public keys"],
    ["federatedissuers", "x", issuer({ jwks: '{"keys":[{"kty":"EC"}]}', jwksUrl: "https://a.b" }), "together"],
    ["federatedissuers", "x", issuer({ rules: [mapped({})] }), "must limit a claim"],
    ["federatedissuers", "x", issuer({ rules: [mapped({ sub: "*" })] }), "must limit a claim"],
    [
      "federatedissuers",
      "x",
      issuer({ rules: [mapped({ iss: "https://a", aud: "b", sub: "*" })] }),
      "must limit a claim",
    ],
  ])("%s: not %s with %j", async (plural, place, spec, message) => {
    await expect(iamPlatform().create(plural, place, spec)).rejects.toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining(message) as string,
    });
  });

  it("the role of a binding stays", async () => {
    const { create, update } = iamPlatform();
    await create("rolebindings", "a/stays", binding(alice));
    await update("rolebindings", "a/stays", binding([{ kind: "User", name: "bob" }]));
    const other = { roleRef: { kind: "ClusterRole", name: "admin" }, subjects: alice };
    await expect(update("rolebindings", "a/stays", other)).rejects.toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining("spec.roleRef") as string,
    });
  });

  it("a binding to a role that is not there comes with a warning", async () => {
    const warnings: string[] = [];
    const roleRef = { kind: "Role", name: "later" };
    await iamPlatform().create(
      "rolebindings",
      "a/early",
      { roleRef, subjects: alice },
      { warn: (text) => void warnings.push(text) },
    );
    expect(warnings).toEqual([expect.stringContaining('"later" is not there')]);
  });
});

describe("nobody gives what they do not have", () => {
  const refused = { reason: "Forbidden", code: 403 };

  it.each<[string, boolean, Rule[], string | undefined]>([
    ["a role's rules everywhere", true, [PULL_ALL], undefined],
    ["a role's rules in its namespace", true, [PULL_ALL], "a"],
    ["them in another namespace", false, [PULL_ALL], "b"],
    ["some of them", false, [{ ...PULL_ALL, resourceNames: ["a/x"] }], undefined],
    ["other ones", false, [PUSH_ALL], undefined],
    ["the right to escalate", true, [writeIam(["escalate"])], undefined],
    ["the right to bind only", false, [writeIam(["bind"])], undefined],
    ["the right to escalate elsewhere", false, [writeIam(["escalate"])], "b"],
    ["everything in the namespace", true, [all], "a"],
  ])("a role by whoever has %s: %s", async (_, allowed, rules, namespace) => {
    const { create } = iamPlatform();
    const made = create(
      "roles",
      `a/${crypto.randomUUID()}`,
      { rules: [PULL_ALL] },
      holderOf([...rules, writeIam()], namespace),
    );
    if (allowed) await expect(made).resolves.toBeDefined();
    else await expect(made).rejects.toMatchObject(refused);
  });

  it("cluster roles are given by nobody who has them in a namespace only", async () => {
    const { create } = iamPlatform();
    await expect(create("clusterroles", "wide", { rules: [PULL_ALL] }, holderOf([all], "a"))).rejects.toMatchObject(
      refused,
    );
    await create("clusterroles", "wide", { rules: [PULL_ALL] }, holderOf([PULL_ALL]));
  });

  it("a role cannot be widened, but its metadata can be changed", async () => {
    const { create, update, storage } = iamPlatform();
    await create("roles", "a/grows", { rules: [PULL_ALL] });
    const holder = holderOf([PULL_ALL, writeIam()]);
    await expect(update("roles", "a/grows", { rules: [PULL_ALL, PUSH_ALL] }, holder)).rejects.toMatchObject(refused);
    const powerless = holderOf([writeIam()]);
    const roles = await storage("roles", IAM);
    const labelled = (current?: ResourceObject) => ({
      ...current,
      metadata: { ...current?.metadata, labels: { a: "b" } },
    });
    await roles.update(
      contextOf(powerless),
      { namespace: "a", name: "grows" },
      (current) => labelled(current) as ResourceObject,
      {
        allowCreate: false,
      },
    );
  });

  it.each<[string, boolean, Rule[], string | undefined]>([
    [
      "what it allows",
      true,
      [PULL_ALL, { ...PULL_ALL, resources: ["repositories", "tags", "manifests"], verbs: ["get", "list"] }],
      "a",
    ],
    ["less", false, [PULL_ALL], "a"],
    [
      "the right to bind it",
      true,
      [{ ...writeIam(["bind"]), resources: ["clusterroles"], resourceNames: ["puller"] }],
      "a",
    ],
    [
      "the right to bind another",
      false,
      [{ ...writeIam(["bind"]), resources: ["clusterroles"], resourceNames: ["viewer"] }],
      "a",
    ],
    ["the right to bind it elsewhere", false, [writeIam(["bind"])], "b"],
  ])("a role is bound by whoever has %s: %s", async (_, allowed, rules, namespace) => {
    const made = iamPlatform().create(
      "rolebindings",
      `a/${crypto.randomUUID()}`,
      binding(alice),
      holderOf(rules, namespace),
    );
    if (allowed) await expect(made).resolves.toBeDefined();
    else await expect(made).rejects.toMatchObject(refused);
  });

  it("administrators of a namespace bind in it, and not everywhere", async () => {
    const { create } = iamPlatform();
    const admin = holderOf([all], "a");
    const roleRef = { kind: "ClusterRole", name: "admin" };
    await create("rolebindings", "a/second", { roleRef, subjects: alice }, admin);
    await expect(create("rolebindings", "b/second", { roleRef, subjects: alice }, admin)).rejects.toMatchObject(
      refused,
    );
    await expect(create("clusterrolebindings", "second", { roleRef, subjects: alice }, admin)).rejects.toMatchObject(
      refused,
    );
  });

  it("subjects of a binding are added by those only who could make it", async () => {
    const { create, update } = iamPlatform();
    await create("clusterrolebindings", "ops", { roleRef: { name: "admin" }, subjects: [] });
    const added = { roleRef: { kind: "ClusterRole", name: "admin" }, subjects: alice };
    await expect(update("clusterrolebindings", "ops", added, holderOf([writeIam()]))).rejects.toMatchObject(refused);
  });

  it("a role that is not there is bound by nobody who may not bind it anyway", async () => {
    const { create } = iamPlatform();
    const spec = { roleRef: { kind: "Role", name: "trap" }, subjects: alice };
    await expect(create("rolebindings", "a/trap", spec, holderOf([writeIam()]))).rejects.toMatchObject(refused);
  });

  it("members of a team with rights are added by those who have them", async () => {
    const { create, update } = iamPlatform();
    await create("teams", "strong", { members: [{ name: "carol" }] });
    await create("rolebindings", "a/strong", {
      roleRef: { kind: "ClusterRole", name: "pusher" },
      subjects: [{ kind: "Team", name: "strong" }],
    });
    const members = [{ name: "carol" }, { name: "holder" }];
    const powerless = holderOf([writeIam()]);
    await expect(update("teams", "strong", { members }, powerless)).rejects.toMatchObject(refused);
    await update("teams", "strong", { displayName: "Strong", members: [{ name: "carol" }] }, powerless);
    await update("teams", "strong", { members }, holderOf([all], "a"));
    await update("teams", "strong", { members: [] }, powerless);
    await update("teams", "strong", { members }, holderOf([writeIam(["escalate"])]));
    // A binding may be there before the team is.
    await create("rolebindings", "a/before", {
      roleRef: { kind: "ClusterRole", name: "pusher" },
      subjects: [{ kind: "Team", name: "late" }],
    });
    await expect(create("teams", "late", { members }, powerless)).rejects.toMatchObject(refused);
    await create("teams", "weak", { members }, powerless);
  });

  it("tokens of an issuer stand for accounts whose tokens the writer may make", async () => {
    const { create } = iamPlatform();
    const spec = issuer({ rules: [mapped({ sub: "repo:acme/*" })] });
    await expect(create("federatedissuers", "i1", spec, holderOf([writeIam(["update"])]))).rejects.toMatchObject(
      refused,
    );
    const tokens: Rule = {
      apiGroups: [IAM],
      resources: ["serviceaccounts/tokens"],
      resourceNames: ["a/ci"],
      verbs: ["create"],
    };
    await create("federatedissuers", "i1", spec, holderOf([tokens]));
    // An account that may do more is not for whoever may make its tokens alone.
    await create("rolebindings", "a/robot", binding([{ kind: "ServiceAccount", name: "ci" }]));
    await expect(create("federatedissuers", "i2", spec, holderOf([tokens]))).rejects.toMatchObject(refused);
    await create("federatedissuers", "i2", spec, holderOf([all], "a"));
  });

  it("people sign in by whom those say who may impersonate all users, with secrets that they may use", async () => {
    const { create } = iamPlatform();
    const login = { clientId: "x", displayName: "X", clientSecret: { namespace: "a", name: "s" } };
    const users: Rule = { apiGroups: [IAM], resources: ["users"], verbs: ["impersonate"] };
    const secret: Rule = {
      apiGroups: ["secret.entrepot.dev"],
      resources: ["securevalues"],
      resourceNames: ["s"],
      verbs: ["get"],
    };
    await expect(create("federatedissuers", "l1", issuer({ login }), holderOf([secret]))).rejects.toMatchObject(
      refused,
    );
    await expect(create("federatedissuers", "l1", issuer({ login }), holderOf([users]))).rejects.toMatchObject({
      reason: "Invalid",
      details: { causes: [{ field: "spec.login.clientSecret.name", reason: "FieldValueForbidden" }] },
    });
    await expect(
      create("federatedissuers", "l1", issuer({ login }), holderOf([{ ...users, resourceNames: ["bob"] }, secret])),
    ).rejects.toMatchObject(refused);
    await create("federatedissuers", "l1", issuer({ login }), holderOf([users, secret]));
  });
});

describe("the visibility of a namespace", () => {
  it("is private until someone says otherwise", async () => {
    const { storage, update } = iamPlatform();
    const namespaces = await storage("namespaces", "");
    const get = async (name: string) => (await namespaces.get(contextOf(), { name })).spec;
    expect(await get("default")).toEqual({ visibility: "private" });
    await namespaces.create(contextOf(), undefined, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "made" },
    });
    expect(await get("made")).toEqual({ visibility: "private" });
    await update("namespaces", "made", { visibility: "public" }, {}, "");
    expect(await get("made")).toEqual({ visibility: "public" });
    await expect(update("namespaces", "made", { visibility: "open" }, {}, "")).rejects.toMatchObject({
      reason: "Invalid",
    });
    await expect(update("namespaces", "absent", {}, {}, "")).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("of one that nobody made is changed as of one that somebody made", async () => {
    const { storage, update } = iamPlatform();
    const namespaces = await storage("namespaces", "");
    const before = await namespaces.get(contextOf(), { name: "default" });
    const after = await update("namespaces", "default", { visibility: "public" }, {}, "");
    expect(after).toMatchObject({ spec: { visibility: "public" }, status: { phase: "Active" } });
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    // Who changes what was read before that finds that it has changed since.
    await expect(
      namespaces.update(contextOf(), { name: "default" }, () => before, { allowCreate: false }),
    ).rejects.toMatchObject({ reason: "Conflict" });
    await expect(
      namespaces.create(contextOf(), undefined, { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } }),
    ).rejects.toMatchObject({ reason: "AlreadyExists" });
  });
});

function binding(subjects: readonly object[]) {
  return { roleRef: { kind: "ClusterRole", name: "puller" }, subjects };
}

function issuer(given: object) {
  return { issuer: "https://issuer.example.com", audiences: ["entrepot"], ...given };
}

function mapped(claims: Readonly<Record<string, string>>) {
  return { claims, serviceAccount: { namespace: "a", name: "ci" } };
}
