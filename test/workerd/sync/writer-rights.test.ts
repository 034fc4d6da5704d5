import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hashSync } from "bcryptjs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { serve } from "../../../src/app.ts";
import type { Env } from "../../../src/platform/index.ts";
import { servicesOf } from "../../../src/services.ts";
import { bindings } from "../bindings.ts";
import { masterKey } from "../secret-fixture.ts";

// A task does what its writer may do at the time, and nobody looks into a registry with a credential that is not theirs.

const PASSWORD = "correct horse battery staple";
const NAMESPACE = "writer-rights";
const hash = hashSync(PASSWORD, 4);
const messages: unknown[] = [];
// As a deployment: a self-host answers a message before it is done.
const { DISK: _disk, ...deployed } = bindings;
const env: Env & Record<string, unknown> = {
  ...deployed,
  SYNC: {
    send: async (body: unknown) => void messages.push(body),
    sendBatch: async (batch: Iterable<{ body: unknown }>) => void messages.push(...[...batch].map(({ body }) => body)),
  } as unknown as Queue,
  ACCESS: "closed",
  ADMIN_PASSWORD: PASSWORD,
  HTPASSWD: `writer:${hash}\nlooker:${hash}\nrunner:${hash}`,
  HTPASSWD_ROLE: "none",
  AUTH_CHALLENGE: "basic",
  SECRETS_KEY: masterKey("k1"),
  READ_STALENESS_MS: "0",
};
const as = (user: string) => ({ authorization: `Basic ${btoa(`${user}:${PASSWORD}`)}` });
const [ADMIN, WRITER, LOOKER, RUNNER] = [as("admin"), as("writer"), as("looker"), as("runner")];
const IAM = `/apis/iam.entrepot.dev/v1/namespaces/${NAMESPACE}`;
const SYNC = `/apis/sync.entrepot.dev/v1/namespaces/${NAMESPACE}`;

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

async function made(path: string, apiVersion: string, kind: string, name: string, spec: unknown, who = ADMIN) {
  const answer = await send(who, "POST", path, { apiVersion, kind, metadata: { name }, spec });
  expect(answer.status === 201 ? "" : answer.text).toBe("");
  return answer.body;
}

const role = (name: string, rules: readonly object[]) =>
  made(`${IAM}/roles`, "iam.entrepot.dev/v1", "Role", name, { rules });
const bind = (name: string, user: string, roleRef: object) =>
  made(`${IAM}/rolebindings`, "iam.entrepot.dev/v1", "RoleBinding", name, {
    subjects: [{ kind: "User", name: user }],
    roleRef,
  });

/** Runs a task by the clock, as nobody in particular; answers how it ended. */
async function runByClock(name: string): Promise<{ state: string; error: string | null }> {
  const { sync, resources } = servicesOf(env);
  const stored = await resources.registry.resource("sync.entrepot.dev", "synctasks");
  expect(stored).toBeDefined();
  const { body } = await send(ADMIN, "GET", `${SYNC}/synctasks/${name}`);
  const about = {
    namespace: NAMESPACE,
    task: name,
    taskUid: body.metadata.uid,
    cause: "schedule",
    actor: "x",
  } as const;
  const begun = await sync.executions.begin(about);
  if (begun.outcome !== "begun") throw new Error(begun.outcome);
  messages.push({ type: "plan", execution: begun.execution.id });
  while (messages.length > 0) await sync.messages.run(messages.shift());
  const ended = await sync.executions.get(begun.execution.id);
  return { state: ended?.state ?? "", error: ended?.error ?? null };
}

const copy = { apiGroups: ["content.entrepot.dev"], resources: ["repositories"], verbs: ["pull", "push"] };
const tasks = { apiGroups: ["sync.entrepot.dev"], resources: ["*"], verbs: ["*"] };
const localTask = {
  source: { registry: "local", repository: `${NAMESPACE}/from` },
  targets: [{ registry: "local", repository: `${NAMESPACE}/to` }],
};
const remoteTask = {
  source: { registry: "hub", repository: "library/nginx" },
  targets: [{ registry: "local", repository: `${NAMESPACE}/nginx` }],
};
const DENIED = "the task may not do this: its writer, writer:";

beforeAll(async () => {
  await role("copies", [copy]);
  await role("tasks", [tasks]);
  await role("runs", [{ apiGroups: ["sync.entrepot.dev"], resources: ["synctasks/run"], verbs: ["create"] }]);
  await role("secrets", [{ apiGroups: ["secret.entrepot.dev"], resources: ["securevalues"], verbs: ["get"] }]);
  await bind("writer-tasks", "writer", { kind: "Role", name: "tasks" });
  await bind("runner-runs", "runner", { kind: "Role", name: "runs" });
  await bind("looker-views", "looker", { kind: "ClusterRole", name: "viewer" });
  const secrets = `/apis/secret.entrepot.dev/v1/namespaces/${NAMESPACE}/securevalues`;
  const value = { value: "a-password-of-a-robot", decrypters: ["sync.entrepot.dev"] };
  await made(secrets, "secret.entrepot.dev/v1", "SecureValue", "hub-password", value);
  const hub = { url: "https://registry.invalid", username: "robot", passwordRef: { name: "hub-password" } };
  await made(`${SYNC}/registries`, "sync.entrepot.dev/v1", "Registry", "hub", hub);
  await made(`${SYNC}/registries`, "sync.entrepot.dev/v1", "Registry", "open", { url: "https://open.invalid" });
});

beforeEach(() => messages.splice(0));

describe("a task", () => {
  it("does no longer what its writer may no longer do", async () => {
    await bind("writer-copies", "writer", { kind: "Role", name: "copies" });
    await made(`${SYNC}/synctasks`, "sync.entrepot.dev/v1", "SyncTask", "local", localTask, WRITER);
    expect((await runByClock("local")).error ?? "").not.toContain(DENIED);
    // Labels are not what it does: whoever changes them is not its writer.
    const label = { metadata: { labels: { a: "b" } } };
    expect((await send(ADMIN, "PATCH", `${SYNC}/synctasks/local`, label, "application/merge-patch+json")).status).toBe(
      200,
    );
    expect((await send(ADMIN, "DELETE", `${IAM}/rolebindings/writer-copies`)).status).toBe(200);
    expect(await runByClock("local")).toMatchObject({
      state: "failed",
      error: expect.stringContaining(`${DENIED} they may not pull in the namespace "${NAMESPACE}"`) as string,
    });
    // Nor for those who may begin it, whoever they are.
    for (const who of [ADMIN, RUNNER]) {
      const begun = await send(who, "POST", `${SYNC}/synctasks/local/run`, {});
      expect(begun).toMatchObject({ status: 400, text: expect.stringContaining(DENIED) as string });
    }
    // It is whoever's who says anew what it is to do.
    const spec = { spec: { description: "mine now" } };
    expect((await send(ADMIN, "PATCH", `${SYNC}/synctasks/local`, spec, "application/merge-patch+json")).status).toBe(
      200,
    );
    expect((await runByClock("local")).error ?? "").not.toContain(DENIED);
  });

  it("uses only registries that its writer may use, when it is written and when it runs", async () => {
    await bind("writer-copies", "writer", { kind: "Role", name: "copies" });
    const object = {
      apiVersion: "sync.entrepot.dev/v1",
      kind: "SyncTask",
      metadata: { name: "remote" },
      spec: remoteTask,
    };
    const refused = 'the Registry \\"hub\\": you may not use the SecureValue \\"hub-password\\"';
    expect(await send(WRITER, "POST", `${SYNC}/synctasks`, object)).toMatchObject({
      status: 422,
      text: expect.stringContaining(refused) as string,
    });
    await bind("writer-secrets", "writer", { kind: "Role", name: "secrets" });
    expect((await send(WRITER, "POST", `${SYNC}/synctasks`, object)).status).toBe(201);
    expect((await send(ADMIN, "DELETE", `${IAM}/rolebindings/writer-secrets`)).status).toBe(200);
    expect(await runByClock("remote")).toMatchObject({
      state: "failed",
      error: expect.stringContaining(`${DENIED} the Registry "hub": they may not use the SecureValue`) as string,
    });
  });

  it("ends with its writer's account", async () => {
    const user = {
      apiVersion: "iam.entrepot.dev/v1",
      kind: "User",
      metadata: { name: "leaver" },
      spec: { password: PASSWORD },
    };
    expect((await send(ADMIN, "POST", "/apis/iam.entrepot.dev/v1/users", user)).status).toBe(201);
    await bind("leaver", "leaver", { kind: "ClusterRole", name: "admin" });
    await made(`${SYNC}/synctasks`, "sync.entrepot.dev/v1", "SyncTask", "left", localTask, as("leaver"));
    expect((await runByClock("left")).error ?? "").not.toContain("may not");
    expect((await send(ADMIN, "DELETE", "/apis/iam.entrepot.dev/v1/users/leaver")).status).toBe(200);
    expect(await runByClock("left")).toMatchObject({
      state: "failed",
      error: expect.stringContaining("its writer, leaver, has no account here any more") as string,
    });
  });
});

describe("who may only view", () => {
  const forbidden = { status: 403, text: expect.stringContaining("you may not use the SecureValue") as string };

  it("does not browse a registry with its credential, by the resource API", async () => {
    for (const subresource of ["projects", "repositories"]) {
      expect(await send(LOOKER, "GET", `${SYNC}/registries/hub/${subresource}`)).toMatchObject(forbidden);
      // One that has no credential uses none.
      expect((await send(LOOKER, "GET", `${SYNC}/registries/open/${subresource}`)).status).not.toBe(403);
    }
    expect(await send(LOOKER, "GET", `${SYNC}/synctasks/remote/preview`)).toMatchObject({ status: 403 });
  });

  it("does not either by the REST API", async () => {
    const { body } = await send(ADMIN, "GET", `/api/v1/registries?namespace=${NAMESPACE}`);
    const hub = body.find(({ name }: { name: string }) => name === "hub").id;
    for (const path of ["projects", "projects/library/repositories"]) {
      expect(await send(LOOKER, "GET", `/api/v1/registries/${hub}/${path}`)).toMatchObject(forbidden);
    }
    expect((await send(LOOKER, "POST", `/api/v1/registries/${hub}/test`, {})).status).toBe(403);
  });
});
