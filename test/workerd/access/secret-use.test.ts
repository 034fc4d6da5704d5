import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hashSync } from "bcryptjs";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { serve } from "../../../src/app.ts";
import type { Env } from "../../../src/platform/index.ts";
import type { SchemaNode } from "../../../src/resources/kinds/kind.ts";
import { usesObjects } from "../../../src/resources/use/index.ts";
import { nodeFromZod } from "../../../src/resources/schema/from-zod.ts";
import { federatedIssuerSpec } from "../../../src/iam/federated-issuer.ts";
import { keeperSpec, secureValueSpec } from "../../../src/secrets/kinds.ts";
import { servicesOf } from "../../../src/services.ts";
import { registrySpec } from "../../../src/sync/kinds/registry.ts";
import { notificationChannelSpec } from "../../../src/sync/kinds/notification-channel.ts";
import { syncTaskSpec } from "../../../src/sync/kinds/sync-task.ts";
import { bindings } from "../bindings.ts";
import { masterKey } from "../secret-fixture.ts";

// Who uses a secret may get it, and changing where it goes is using it: asked of every kind there is, whether it was
// thought of here or not.

const PASSWORD = "correct horse battery staple";
const NAMESPACE = "secret-use";
const env: Env & Record<string, unknown> = {
  ...bindings,
  SYNC: { send: async () => {}, sendBatch: async () => {} } as unknown as Queue,
  ACCESS: "closed",
  ADMIN_PASSWORD: PASSWORD,
  HTPASSWD: `writer:${hashSync(PASSWORD, 4)}`,
  HTPASSWD_ROLE: "none",
  AUTH_CHALLENGE: "basic",
  SECRETS_KEY: masterKey("k1"),
  OUTBOUND_PRIVATE: "allow",
};
const ADMIN = { authorization: `Basic ${btoa(`admin:${PASSWORD}`)}` };
/** May do everything but get the SecureValues whose names do not begin with `mine`. */
const WRITER = { authorization: `Basic ${btoa(`writer:${PASSWORD}`)}` };

type Loose = ReturnType<typeof JSON.parse>;

async function send(
  who: Record<string, string>,
  method: string,
  path: string,
  body?: unknown,
  type = "application/json",
) {
  const context = createExecutionContext();
  const init = { method, headers: { "content-type": type, ...who } };
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

/** An object of each kind that uses something, naming a secret directly or by others, and a field that says where it goes. */
interface Example {
  readonly path: string;
  readonly kind: string;
  readonly apiVersion: string;
  /** @param secret `mine` or `theirs`: names what is named after it */
  readonly spec: (secret: string) => Loose;
  /** Merged into the spec: goes somewhere else, or does something else. */
  readonly elsewhere: Loose;
}

const SYNC = `/apis/sync.entrepot.dev/v1/namespaces/${NAMESPACE}`;
const SECRET = `/apis/secret.entrepot.dev/v1/namespaces/${NAMESPACE}`;
const named = (name: string) => ({ name });

const dataSource = (type: string): Example => ({
  path: `/apis/${type}.datasource.entrepot.dev/v1/namespaces/${NAMESPACE}/datasources`,
  kind: "DataSource",
  apiVersion: `${type}.datasource.entrepot.dev/v1`,
  spec: (secret) => ({ title: "x", url: "https://a.example.com", secure: { token: named(secret) } }),
  elsewhere: { url: "https://b.example.com" },
});

/** By the kind's plural and group. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  "securevalues.secret.entrepot.dev": {
    path: `${SECRET}/securevalues`,
    kind: "SecureValue",
    apiVersion: "secret.entrepot.dev/v1",
    spec: (secret) => ({ keeper: `keeper-${secret}`, ref: "secret/data/a#b", decrypters: ["x"] }),
    elsewhere: { ref: "secret/data/other#b" },
  },
  "keepers.secret.entrepot.dev": {
    path: `${SECRET}/keepers`,
    kind: "Keeper",
    apiVersion: "secret.entrepot.dev/v1",
    spec: (secret) => ({ vault: { address: "https://a.example.com", token: named(secret) } }),
    elsewhere: { vault: { address: "https://b.example.com" } },
  },
  "datasources.gitea.datasource.entrepot.dev": dataSource("gitea"),
  "datasources.http.datasource.entrepot.dev": dataSource("http"),
  "datasources.oci.datasource.entrepot.dev": dataSource("oci"),
  "registries.sync.entrepot.dev": {
    path: `${SYNC}/registries`,
    kind: "Registry",
    apiVersion: "sync.entrepot.dev/v1",
    spec: (secret) => ({ url: "https://a.example.com", username: "robot", passwordRef: named(secret) }),
    elsewhere: { url: "https://b.example.com" },
  },
  "notificationchannels.sync.entrepot.dev": {
    path: `${SYNC}/notificationchannels`,
    kind: "NotificationChannel",
    apiVersion: "sync.entrepot.dev/v1",
    spec: (secret) => ({ type: "webhook", urlRef: named(secret) }),
    elsewhere: { type: "slack" },
  },
  "synctasks.sync.entrepot.dev": {
    path: `${SYNC}/synctasks`,
    kind: "SyncTask",
    apiVersion: "sync.entrepot.dev/v1",
    spec: (secret) => ({
      source: { registry: `registry-${secret}`, repository: "library/nginx" },
      targets: [{ registry: "local", repository: `${NAMESPACE}/nginx` }],
    }),
    elsewhere: { source: { repository: "library/redis" } },
  },
  "federatedissuers.iam.entrepot.dev": {
    path: "/apis/iam.entrepot.dev/v1/federatedissuers",
    kind: "FederatedIssuer",
    apiVersion: "iam.entrepot.dev/v1",
    spec: (secret) => ({
      issuer: "https://a.example.com",
      audiences: ["x"],
      login: { clientId: "x", displayName: "X", clientSecret: { namespace: NAMESPACE, name: secret } },
    }),
    elsewhere: { issuer: "https://b.example.com" },
  },
};

const object = ({ apiVersion, kind }: Example, name: string, spec: Loose) => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
});

beforeAll(async () => {
  const rules = [
    { apiGroups: ["*", "!secret.entrepot.dev"], resources: ["*"], verbs: ["*"] },
    { apiGroups: ["secret.entrepot.dev"], resources: ["*", "!securevalues"], verbs: ["*"] },
    {
      apiGroups: ["secret.entrepot.dev"],
      resources: ["securevalues"],
      verbs: ["create", "update", "patch", "delete", "list"],
    },
    { apiGroups: ["secret.entrepot.dev"], resources: ["securevalues"], verbs: ["get"], resourceNames: ["mine*"] },
    { apiGroups: ["secret.entrepot.dev"], resources: ["securevalues/audit"], verbs: ["get"] },
  ];
  const iam = "/apis/iam.entrepot.dev/v1";
  const made = await Promise.all([
    send(ADMIN, "POST", `${iam}/clusterroles`, {
      apiVersion: "iam.entrepot.dev/v1",
      kind: "ClusterRole",
      metadata: { name: "secret-use-writer" },
      spec: { rules },
    }),
    send(ADMIN, "POST", `${iam}/clusterrolebindings`, {
      apiVersion: "iam.entrepot.dev/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "secret-use-writer" },
      spec: {
        subjects: [{ kind: "User", name: "writer" }],
        roleRef: { kind: "ClusterRole", name: "secret-use-writer" },
      },
    }),
  ]);
  expect(made.map(({ status, text }) => (status === 201 ? "" : text))).toEqual(["", ""]);
  const keepers = EXAMPLES["keepers.secret.entrepot.dev"] as Example;
  const registries = EXAMPLES["registries.sync.entrepot.dev"] as Example;
  for (const secret of ["mine", "theirs"]) {
    const value = { value: "s3cret-value-x", decrypters: ["sync.entrepot.dev", "secret.entrepot.dev"] };
    const answers = [
      await send(ADMIN, "POST", `${SECRET}/securevalues`, {
        apiVersion: "secret.entrepot.dev/v1",
        kind: "SecureValue",
        metadata: { name: secret },
        spec: value,
      }),
      await send(ADMIN, "POST", keepers.path, object(keepers, `keeper-${secret}`, keepers.spec(secret))),
      await send(ADMIN, "POST", registries.path, object(registries, `registry-${secret}`, registries.spec(secret))),
    ];
    expect(answers.map(({ status, text }) => (status === 201 ? "" : text))).toEqual(["", "", ""]);
  }
});

async function usingKinds(): Promise<string[]> {
  const groups = await servicesOf(env).resources.registry.groups();
  return groups.flatMap(({ versions }) =>
    versions.flatMap(({ resources }) =>
      resources.filter(({ served }) => usesObjects(served)).map(({ served }) => `${served.plural}.${served.group}`),
    ),
  );
}

it("knows an example of every kind that uses what it names, so that each is tried below", async () => {
  expect((await usingKinds()).toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
});

describe.each(Object.entries(EXAMPLES))("%s", (resource, example) => {
  const { path, spec, elsewhere } = example;
  const forbidden = { status: 422, text: expect.stringContaining("you may not use the SecureValue") as string };
  const url = (name: string) => `${path}/${name}`;

  it("is made with a secret only by those who may get it", async () => {
    expect(await send(WRITER, "POST", path, object(example, "refused", spec("theirs")))).toMatchObject(forbidden);
    expect(await send(WRITER, "POST", `${path}?dryRun=All`, object(example, "refused", spec("theirs")))).toMatchObject(
      forbidden,
    );
    const apply = `${url("refused")}?fieldManager=x&force=true`;
    const applied = await send(
      WRITER,
      "PATCH",
      apply,
      object(example, "refused", spec("theirs")),
      "application/apply-patch+yaml",
    );
    expect(applied).toMatchObject(forbidden);
    const many = await send(WRITER, "POST", "/api/v1/apply", {
      ...object(example, "refused", spec("theirs")),
      metadata: { name: "refused", ...(path.includes("/namespaces/") ? { namespace: NAMESPACE } : {}) },
    });
    expect(many.text).toContain("you may not use the SecureValue");
    expect((await send(ADMIN, "GET", url("refused"))).status).toBe(404);
    expect(await send(WRITER, "POST", path, object(example, "allowed", spec("mine")))).toMatchObject({ status: 201 });
  });

  it("is not pointed elsewhere, nor at another secret, by those who may not get the secret", async () => {
    expect(await send(ADMIN, "POST", path, object(example, "pointed", spec("theirs")))).toMatchObject({ status: 201 });
    const merge = "application/merge-patch+json";
    expect(await send(WRITER, "PATCH", url("pointed"), { spec: elsewhere }, merge)).toMatchObject(forbidden);
    const { body: current } = await send(ADMIN, "GET", url("pointed"));
    const replaced = { ...current, spec: merged(current.spec, elsewhere) };
    expect(await send(WRITER, "PUT", url("pointed"), replaced)).toMatchObject(forbidden);
    expect(await send(WRITER, "PATCH", url("allowed"), { spec: spec("theirs") }, merge)).toMatchObject(forbidden);
    expect((await send(ADMIN, "GET", url("pointed"))).body.spec).toEqual(current.spec);
    // Labels send a secret nowhere.
    const labels = { metadata: { labels: { a: "b" } } };
    expect(await send(WRITER, "PATCH", url("pointed"), labels, merge)).toMatchObject({ status: 200 });
    expect(await send(ADMIN, "PATCH", url("pointed"), { spec: elsewhere }, merge)).toMatchObject({ status: 200 });
  });

  it("is not brought back as it was, nor by an app, by those who may not get the secret", async () => {
    const { body: now } = await send(ADMIN, "GET", url("pointed"));
    const { body: past } = await send(ADMIN, "GET", `${path}?limit=500&${HISTORY}`);
    const earlier = (past?.items ?? []).find(
      ({ metadata }: Loose) => metadata.name === "pointed" && metadata.resourceVersion !== now.metadata.resourceVersion,
    );
    const version = earlier?.metadata.resourceVersion ?? "1";
    const restored = await send(WRITER, "POST", `${url("pointed")}/restore`, { resourceVersion: version });
    // SecureValues and Keepers cannot be restored at all.
    expect([403, 404, 405, 422]).toContain(restored.status);
    expect((await send(ADMIN, "GET", url("pointed"))).body.spec).toEqual(now.spec);
    const part = object(example, "by-app", spec("theirs"));
    const app = {
      apiVersion: "platform.entrepot.dev/v1",
      kind: "App",
      metadata: { name: `app-${resource.replaceAll(".", "-")}` },
      spec: { title: "x", objects: [{ ...part, metadata: { ...part.metadata, namespace: NAMESPACE } }] },
    };
    const installed = await send(WRITER, "POST", "/apis/platform.entrepot.dev/v1/apps", app);
    expect(installed).toMatchObject(forbidden);
    expect((await send(ADMIN, "GET", url("by-app"))).status).toBe(404);
  });
});

const HISTORY = `labelSelector=${encodeURIComponent("entrepot.dev/get-history=true")}`;

/** RFC 7386, for objects. */
function merged(value: Loose, change: Loose): Loose {
  if (typeof change !== "object" || change === null) return change;
  const entries = Object.entries(change).map(([key, part]) => [key, merged(value?.[key], part)]);
  return { ...value, ...Object.fromEntries(entries) };
}

it("holds for kinds that are defined at run time, in all of their versions", async () => {
  const schema = (token: SchemaNode) => ({
    openAPIV3Schema: {
      type: "object",
      properties: { spec: { type: "object", properties: { to: { type: "string" }, token } } },
    },
  });
  const mark = { "x-entrepot-uses": { resource: "securevalues.secret.entrepot.dev" } };
  const definition = {
    apiVersion: "platform.entrepot.dev/v1",
    kind: "ResourceDefinition",
    metadata: { name: "hooks.use.example.dev" },
    spec: {
      group: "use.example.dev",
      scope: "Namespaced",
      names: { plural: "hooks", kind: "Hook" },
      versions: [
        { name: "v1", served: true, storage: true, schema: schema({ type: "string", ...mark }) },
        { name: "v1beta1", served: true, storage: false, schema: schema({ type: "string" }) },
      ],
    },
  };
  const made = await send(ADMIN, "POST", "/apis/platform.entrepot.dev/v1/resourcedefinitions", definition);
  expect(made).toMatchObject({ status: 201 });
  for (const version of ["v1", "v1beta1"]) {
    const path = `/apis/use.example.dev/${version}/namespaces/${NAMESPACE}/hooks`;
    const hook = (token: string) => ({
      apiVersion: `use.example.dev/${version}`,
      kind: "Hook",
      metadata: { name: `hook-${version}` },
      spec: { to: "x", token },
    });
    expect(await send(WRITER, "POST", path, hook("theirs"))).toMatchObject({ status: 422 });
    expect(await send(WRITER, "POST", path, hook("mine"))).toMatchObject({ status: 201 });
  }
});

it("lets nobody use what is not there yet but those who may get all secrets of the namespace", async () => {
  const example = EXAMPLES["securevalues.secret.entrepot.dev"] as Example;
  const early = object(example, "early", { ...example.spec("mine"), keeper: "later" });
  expect(await send(WRITER, "POST", example.path, early)).toMatchObject({
    status: 422,
    text: expect.stringContaining("is not there") as string,
  });
  expect(await send(ADMIN, "POST", example.path, early)).toMatchObject({ status: 201 });
});

describe("endpoints below an object", () => {
  it("are for those who may use the secret, unless they say that they use none", async () => {
    const groups = await servicesOf(env).resources.registry.groups();
    const open: string[] = [];
    for (const { versions } of groups) {
      for (const { served, connecters } of versions.flatMap(({ resources }) => resources)) {
        const example = EXAMPLES[`${served.plural}.${served.group}`];
        if (example === undefined) continue;
        for (const { subresource, methods } of connecters) {
          const [method = "GET"] = methods;
          const { status, text } = await send(
            WRITER,
            method,
            `${example.path}/pointed/${subresource}`,
            method === "GET" ? undefined : {},
          );
          if (status !== 403) open.push(`${served.plural}/${subresource}`);
          else expect(text).toContain("you may not use the SecureValue");
        }
      }
    }
    expect(open.toSorted()).toEqual(["keepers/rotate", "securevalues/audit", "synctasks/run", "synctasks/stop"]);
  });
});

describe("marks", () => {
  const count = (value: unknown): number => JSON.stringify(value).split('"x-entrepot-uses"').length - 1;

  it.each([
    ["SecureValue", secureValueSpec],
    ["Keeper", keeperSpec],
    ["Registry", registrySpec],
    ["NotificationChannel", notificationChannelSpec],
    ["SyncTask", syncTaskSpec],
    ["FederatedIssuer", federatedIssuerSpec],
  ] as const)("of %s are all in the schema that is served", (_kind, schema) => {
    const written = count(z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" }));
    expect(written).toBeGreaterThan(0);
    expect(count(nodeFromZod(schema))).toBe(written);
  });

  it("are on every field that looks like a reference to a SecureValue", async () => {
    const bare: string[] = [];
    const look = (node: SchemaNode, path: string): void => {
      const isMarked = node["x-entrepot-uses"] !== undefined;
      const text = `${node.description ?? ""} ${node.properties?.["name"]?.description ?? ""}`;
      const names = node.type === "string" || node.properties?.["name"] !== undefined;
      if (names && !isMarked && /\bSecureValue\b/.test(text) && !path.endsWith(".name")) bare.push(path);
      for (const [key, child] of Object.entries(node.properties ?? {})) look(child, `${path}.${key}`);
      if (node.items !== undefined) look(node.items, `${path}[]`);
      if (typeof node.additionalProperties === "object") look(node.additionalProperties, `${path}{}`);
    };
    for (const { versions } of await servicesOf(env).resources.registry.groups()) {
      for (const { served } of versions.flatMap(({ resources }) => resources)) look(served.schema, served.plural);
    }
    expect(bare).toEqual([]);
  });
});
