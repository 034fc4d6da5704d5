import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hashSync } from "bcryptjs";
import { beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../../src/app.ts";
import type { Env } from "../../../src/platform/index.ts";
import type { SchemaNode } from "../../../src/resources/kinds/kind.ts";
import { servicesOf } from "../../../src/services.ts";
import { bindings } from "../bindings.ts";
import { databaseText, masterKey } from "../secret-fixture.ts";

// An app does nothing that whoever changes it could not do without it, and keeps nothing that is write-only.

const PASSWORD = "correct horse battery staple";
const env: Env & Record<string, unknown> = {
  ...bindings,
  ACCESS: "closed",
  ADMIN_PASSWORD: PASSWORD,
  HTPASSWD: `installer:${hashSync(PASSWORD, 4)}`,
  HTPASSWD_ROLE: "none",
  AUTH_CHALLENGE: "basic",
  SECRETS_KEY: masterKey("k1"),
};
const as = (user: string, password = PASSWORD) => ({ authorization: `Basic ${btoa(`${user}:${password}`)}` });
const ADMIN = as("admin");
/** May write apps and Keepers, and delete neither Keepers nor anything else but apps. */
const INSTALLER = as("installer");
const APPS = "/apis/platform.entrepot.dev/v1/apps";
const SECRETS = "/apis/secret.entrepot.dev/v1/namespaces/parts";

type Loose = ReturnType<typeof JSON.parse>;

async function send(who: Record<string, string>, method: string, path: string, body?: unknown, type?: string) {
  const context = createExecutionContext();
  const init = { method, headers: { "content-type": type ?? "application/json", ...who } };
  const request = new Request(
    `https://registry${path}`,
    body === undefined ? init : { ...init, body: JSON.stringify(body) },
  );
  const response = await serve(request, env, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return { status: response.status, text, body: isJson && text !== "" ? JSON.parse(text) : undefined };
}

const app = (name: string, objects: readonly Loose[], metadata: Loose = {}) => ({
  apiVersion: "platform.entrepot.dev/v1",
  kind: "App",
  metadata: { name, ...metadata },
  spec: { title: "An app", objects },
});

const secureValue = (name: string, spec: Loose, metadata: Loose = {}) => ({
  apiVersion: "secret.entrepot.dev/v1",
  kind: "SecureValue",
  metadata: { name, namespace: "parts", ...metadata },
  spec: { decrypters: ["datasource.entrepot.dev"], ...spec },
});

const user = (name: string, spec: Loose) => ({
  apiVersion: "iam.entrepot.dev/v1",
  kind: "User",
  metadata: { name },
  spec,
});

const keeper = (name: string, description = "x") => ({
  apiVersion: "secret.entrepot.dev/v1",
  kind: "Keeper",
  metadata: { name, namespace: "parts" },
  spec: { description },
});

let counted = 0;
/** A value that nothing else contains. */
const unique = () => `withheld-value-${(counted += 1)}-${crypto.randomUUID()}`;

async function hidden(...values: readonly string[]): Promise<void> {
  const text = await databaseText();
  for (const value of values) expect(text.includes(value)).toBe(false);
  for (const source of [
    "",
    "?labelSelector=entrepot.dev%2Fget-trash%3Dtrue",
    "?labelSelector=entrepot.dev%2Fget-history%3Dtrue",
  ]) {
    const listed = await send(ADMIN, "GET", APPS + source);
    for (const value of values) expect(listed.text.includes(value)).toBe(false);
  }
}

const decrypted = async (name: string) => {
  const { version } = (await send(ADMIN, "GET", `${SECRETS}/securevalues/${name}`)).body.status;
  return version as number;
};

it("what is write-only is marked, in each kind that takes it out", async () => {
  const found: string[] = [];
  const unmarked: string[] = [];
  const look = (node: SchemaNode, path: string): void => {
    if (node.writeOnly === true) found.push(path);
    else if (/\bwrite-only\b/i.test(node.description ?? "")) unmarked.push(path);
    for (const [key, child] of Object.entries(node.properties ?? {})) look(child, `${path}.${key}`);
    if (node.items !== undefined) look(node.items, `${path}[]`);
    if (typeof node.additionalProperties === "object") look(node.additionalProperties, `${path}{}`);
  };
  for (const { versions } of await servicesOf(env).resources.registry.groups()) {
    for (const { served } of versions.flatMap(({ resources }) => resources)) look(served.schema, served.plural);
  }
  expect(found.toSorted()).toEqual(["securevalues.spec.value", "users.spec.password"]);
  expect(unmarked).toEqual([]);
});

describe("what is write-only in a part", () => {
  it("goes into the part once and is kept nowhere else, by POST, PUT and PATCH", async () => {
    const [value, password, second, third] = [unique(), unique(), unique(), unique()];
    const parts = (given: string | undefined, secret: string | undefined) => [
      secureValue("posted", given === undefined ? {} : { value: given }),
      user("part-user", secret === undefined ? {} : { password: secret }),
    ];
    const created = await send(ADMIN, "POST", APPS, app("posted", parts(value, password)));
    expect(created).toMatchObject({ status: 201 });
    expect(created.text).not.toContain(value);
    expect(created.body.spec.objects[0].metadata.annotations).toEqual({
      "platform.entrepot.dev/withheld": "spec.value",
    });
    expect(await decrypted("posted")).toBe(1);
    const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    expect((await send(as("part-user", password), "POST", whoami, review)).status).toBe(201);
    await hidden(value, password);
    // What is not given stays as it is.
    expect((await send(ADMIN, "PUT", `${APPS}/posted`, app("posted", parts(undefined, undefined)))).status).toBe(200);
    expect(await decrypted("posted")).toBe(1);
    expect((await send(as("part-user", password), "POST", whoami, review)).status).toBe(201);
    expect((await send(ADMIN, "PUT", `${APPS}/posted`, app("posted", parts(second, password)))).status).toBe(200);
    expect(await decrypted("posted")).toBe(2);
    const title = { spec: { title: "Another" } };
    expect((await send(ADMIN, "PATCH", `${APPS}/posted`, title, "application/merge-patch+json")).status).toBe(200);
    const apply = "application/apply-patch+yaml";
    const path = `${APPS}/posted?fieldManager=kubectl&force=true`;
    expect((await send(ADMIN, "PATCH", path, app("posted", parts(third, password)), apply)).status).toBe(200);
    expect(await decrypted("posted")).toBe(3);
    await hidden(value, password, second, third);
    expect((await send(ADMIN, "DELETE", `${APPS}/posted`)).status).toBe(200);
    await hidden(value, password, second, third);
  });

  it("is taken out of the notes of kubectl apply, of the app and of its parts", async () => {
    const value = unique();
    const part = secureValue("noted", { value });
    const note = (object: unknown) => ({
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(object) },
    });
    const noted = app("noted", [secureValue("noted", { value }, note(part))], note(app("noted", [part])));
    expect(await send(ADMIN, "POST", APPS, noted)).toMatchObject({ status: 201 });
    const { body } = await send(ADMIN, "GET", `${APPS}/noted`);
    const kept = JSON.parse(body.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]);
    expect(kept.spec.objects[0].spec).toEqual({ decrypters: ["datasource.entrepot.dev"] });
    await hidden(value);
  });

  it.each([
    [
      "in an annotation of the app",
      (value: string) => app("loud", [secureValue("loud", { value })], { annotations: { a: `x${value}` } }),
    ],
    [
      "in a label of a part",
      (value: string) => app("loud", [secureValue("loud", { value }, { annotations: { a: value } })]),
    ],
    [
      "in a part of a kind that is not there",
      (value: string) => app("loud", [{ ...secureValue("loud", { value }), kind: "SecureValu" }]),
    ],
    ["in a part that is refused", (value: string) => app("loud", [secureValue("loud", { value, keeper: "vault" })])],
    ["in a part that names its field wrongly", (value: string) => app("loud", [secureValue("loud", { vale: value })])],
  ])("does not get into the database %s", async (_where, make) => {
    const value = unique();
    expect([400, 422]).toContain((await send(ADMIN, "POST", APPS, make(value))).status);
    expect((await send(ADMIN, "GET", `${APPS}/loud`)).status).toBe(404);
    await hidden(value);
  });

  it("goes out of what earlier versions have stored", async () => {
    const files = import.meta.glob("../../../migrations/0007_*.sql", { query: "?raw", import: "default", eager: true });
    const [sql = ""] = Object.values(files);
    const value = unique();
    const made = await send(
      ADMIN,
      "POST",
      APPS,
      app("old", [secureValue("old", { value: "s3cret-of-before" }), keeper("kept")]),
    );
    expect(made.status).toBe(201);
    const stored = JSON.stringify({
      ...made.body,
      metadata: {
        ...made.body.metadata,
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": value, b: "c" },
      },
      spec: { title: "x", definitions: [], objects: [secureValue("old", { value }), keeper("kept")] },
    });
    for (const table of ["resources", "resource_events"]) {
      await bindings.DB.prepare(`UPDATE ${table} SET object = ?1 WHERE resource = 'apps' AND name = 'old'`)
        .bind(stored)
        .run();
    }
    expect((await databaseText()).includes(value)).toBe(true);
    const statements = sql
      .replaceAll(/^--.*$/gm, "")
      .split(";")
      .filter((statement) => statement.trim() !== "");
    await bindings.DB.batch(statements.map((statement) => bindings.DB.prepare(statement)));
    await hidden(value);
    const { body } = await send(ADMIN, "GET", `${APPS}/old`);
    expect(body.spec.objects).toEqual([secureValue("old", {}), keeper("kept")]);
    expect(body.metadata.annotations).toEqual({ b: "c" });
  });
});

describe("who changes an app", () => {
  beforeAll(async () => {
    const iam = "/apis/iam.entrepot.dev/v1";
    const rules = [
      { apiGroups: ["platform.entrepot.dev"], resources: ["apps"], verbs: ["*"] },
      { apiGroups: ["secret.entrepot.dev"], resources: ["keepers"], verbs: ["get", "create", "update"] },
      { apiGroups: ["iam.entrepot.dev"], resources: ["clusterroles"], verbs: ["get", "create", "update"] },
    ];
    const meta = { apiVersion: "iam.entrepot.dev/v1", metadata: { name: "app-installer" } };
    const roleRef = { kind: "ClusterRole", name: "app-installer" };
    const subjects = [{ kind: "User", name: "installer" }];
    const role = await send(ADMIN, "POST", `${iam}/clusterroles`, { ...meta, kind: "ClusterRole", spec: { rules } });
    const binding = { ...meta, kind: "ClusterRoleBinding", spec: { subjects, roleRef } };
    expect(role.status).toBe(201);
    expect((await send(ADMIN, "POST", `${iam}/clusterrolebindings`, binding)).status).toBe(201);
  });

  const refused = (verb: string) => ({ status: 403, text: expect.stringContaining(`cannot ${verb}`) as string });

  it("may create each part, or nothing is stored", async () => {
    const wanted = app("theirs", [keeper("k1"), secureValue("s1", { value: unique() })]);
    expect(await send(INSTALLER, "POST", APPS, wanted)).toMatchObject(refused("create"));
    expect(await send(INSTALLER, "POST", `${APPS}?dryRun=All`, wanted)).toMatchObject(refused("create"));
    expect((await send(ADMIN, "GET", `${APPS}/theirs`)).status).toBe(404);
    expect((await send(ADMIN, "GET", `${SECRETS}/keepers/k1`)).status).toBe(404);
    const trash = await send(ADMIN, "GET", `${APPS}?labelSelector=entrepot.dev%2Fget-trash%3Dtrue`);
    expect(trash.body.items.map(({ metadata }: Loose) => metadata.name)).not.toContain("theirs");
    expect((await send(INSTALLER, "POST", APPS, app("theirs", [keeper("k1"), keeper("k2")]))).status).toBe(201);
  });

  it("may delete what the app no longer has, or it stays as it is", async () => {
    const fewer = app("theirs", [keeper("k1")]);
    expect(await send(INSTALLER, "PUT", `${APPS}/theirs`, fewer)).toMatchObject(refused("delete"));
    const { body } = await send(ADMIN, "GET", `${APPS}/theirs`);
    expect(body.spec.objects).toHaveLength(2);
    expect((await send(ADMIN, "GET", `${SECRETS}/keepers/k2`)).status).toBe(200);
    const changed = app("theirs", [keeper("k1", "changed"), keeper("k2")]);
    expect((await send(INSTALLER, "PUT", `${APPS}/theirs`, changed)).status).toBe(200);
  });

  it("may update each part, also of an app that somebody else made", async () => {
    const made = app("ours", [keeper("k3"), secureValue("s3", { value: unique() })]);
    expect((await send(ADMIN, "POST", APPS, made)).status).toBe(201);
    const title = { spec: { title: "Mine" } };
    const type = "application/merge-patch+json";
    expect(await send(INSTALLER, "PATCH", `${APPS}/ours`, title, type)).toMatchObject(refused("update"));
    expect((await send(ADMIN, "GET", `${APPS}/ours`)).body.spec.title).toBe("An app");
  });

  it("may delete each part, or the app stays", async () => {
    expect(await send(INSTALLER, "DELETE", `${APPS}/theirs`)).toMatchObject(refused("delete"));
    expect(await send(INSTALLER, "DELETE", APPS)).toMatchObject(refused("delete"));
    expect((await send(ADMIN, "GET", `${APPS}/theirs`)).status).toBe(200);
    // To let the parts be is to delete none.
    expect((await send(INSTALLER, "DELETE", `${APPS}/theirs?propagationPolicy=Orphan`)).status).toBe(200);
  });

  it("leaves nothing in it that was refused, for the next one to install", async () => {
    const role = (verbs: readonly string[]) => ({
      apiVersion: "iam.entrepot.dev/v1",
      kind: "ClusterRole",
      metadata: { name: "from-app" },
      spec: { rules: [{ apiGroups: ["platform.entrepot.dev"], resources: ["apps"], verbs }] },
    });
    expect((await send(INSTALLER, "POST", APPS, app("roles", [role(["get"])]))).status).toBe(201);
    const more = { ...role(["get"]), spec: { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] } };
    expect((await send(INSTALLER, "PUT", `${APPS}/roles`, app("roles", [more]))).status).toBe(403);
    const { body } = await send(ADMIN, "GET", `${APPS}/roles`);
    expect(body.spec.objects).toEqual([role(["get"])]);
    expect(body.status.conditions[0]).toMatchObject({ type: "Installed", status: "False" });
    const label = { metadata: { labels: { a: "b" } } };
    expect((await send(ADMIN, "PATCH", `${APPS}/roles`, label, "application/merge-patch+json")).status).toBe(200);
    const installed = await send(ADMIN, "GET", "/apis/iam.entrepot.dev/v1/clusterroles/from-app");
    expect(installed.body.spec).toEqual(role(["get"]).spec);
  });
});
