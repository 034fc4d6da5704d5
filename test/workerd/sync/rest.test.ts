import { describe, expect, it } from "vitest";
import { createExecutionContext } from "cloudflare:test";
import { serve } from "../../../src/app.ts";
import { SYNC_GROUP } from "../../../src/sync/index.ts";
import { ADMIN, ask, env, type Loose, POWERLESS, services, unique } from "./rest-fixture.ts";

const SECRET = "s3cret-of-the-hub";

async function registry(more: object = {}): Promise<{ id: number; name: string }> {
  const name = unique("registry");
  const given = { name, url: `https://${name}.example.com`, ...more };
  const { status, body, text } = await ask("POST", "/registries", given);
  expect(`${status} ${status === 201 ? "" : text}`).toBe("201 ");
  return body;
}

async function secretValue(namespace: string, name: string): Promise<string | undefined> {
  const { decrypter } = services().syncRest;
  const value = (await decrypter.decrypt(SYNC_GROUP, namespace, [name])).get(name);
  return value?.ok === true ? value.value : undefined;
}

describe("registries", () => {
  it("are made, read, changed and deleted by number", async () => {
    const name = unique("hub");
    const made = await ask("POST", "/registries", {
      name,
      url: "https://registry-1.docker.io",
      username: "ann",
      password: SECRET,
      insecure: false,
      rate_limit: 5,
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name, username: "ann", has_password: true, rate_limit: 5, insecure: false });
    expect(Number.isInteger(made.body.id)).toBe(true);
    expect(await secretValue("default", `registry-${name}`)).toBe(SECRET);

    const path = `/registries/${made.body.id}`;
    const changed = await ask("PUT", path, { rate_limit: 9, password: "" });
    expect(changed.body).toMatchObject({ name, url: "https://registry-1.docker.io", username: "ann", rate_limit: 9 });
    expect(await secretValue("default", `registry-${name}`)).toBe(SECRET);
    await ask("PUT", path, { password: "another" });
    expect(await secretValue("default", `registry-${name}`)).toBe("another");

    const read = await ask("GET", path);
    const list = await ask("GET", "/registries");
    expect(list.body.map(({ id }: { id: number }) => id)).toContain(made.body.id);
    for (const { text } of [made, changed, read, list]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('"password"');
    }
    expect(await ask("DELETE", path)).toMatchObject({ status: 200, body: { message: "registry deleted" } });
    expect((await ask("GET", path)).status).toBe(404);
  });

  it("may be called anything, once", async () => {
    const name = `${unique("Mein Registry")} ✓`;
    const made = await registry({ name });
    expect(made.name).toBe(name);
    const twice = await ask("POST", "/registries", { name, url: "https://registry.example.com" });
    expect(twice).toMatchObject({ status: 409, body: { error: expect.stringContaining(name) } });
    const other = await registry();
    expect((await ask("PUT", `/registries/${other.id}`, { name })).status).toBe(409);
    const renamed = await ask("PUT", `/registries/${other.id}`, { name: `${name} too` });
    expect(renamed.body).toMatchObject({ id: other.id, name: `${name} too` });
  });

  it("may be called what another was called before", async () => {
    const name = unique("renamed");
    const old = await registry({ name, url: "https://registry.example.com" });
    await ask("PUT", `/registries/${old.id}`, { name: `${name}-old` });
    const made = await registry({ name, username: "ann", password: SECRET });
    expect(made).toMatchObject({ name });
    expect(made.id).not.toBe(old.id);
    const config = `registries:
  ${name}: { url: "https://other.example.com", username: ann }
  me: { type: local }
sync_rules:
  - { name: ${name}, source: { registry: ${name}, project: a }, target: { registry: me, repository: "default/{{ .Base }}" } }
`;
    const imported = await ask("POST", "/sync/config", config);
    expect(imported.body).toMatchObject({
      registries: [{ name, status: "configured" }, {}],
      tasks: [{ status: "created" }],
    });
    expect((await ask("GET", `/registries/${old.id}`)).body.url).toBe("https://registry.example.com");
    expect((await ask("GET", `/registries/${made.id}`)).body.url).toBe("https://other.example.com");
  });

  it("keep their password when a change is refused, and lose it with the user name", async () => {
    const { id, name } = await registry({ username: "ann", password: SECRET });
    const refused = await ask("PUT", `/registries/${id}`, {
      password: "other",
      url: "http://not-insecure.example.com",
    });
    expect(refused.status).toBe(400);
    expect(await secretValue("default", `registry-${name}`)).toBe(SECRET);
    expect((await ask("PUT", `/registries/${id}`, { username: "" })).body).toMatchObject({
      username: "",
      has_password: false,
    });
  });

  it("have this registry among them, which cannot be changed", async () => {
    const { body } = await ask("GET", "/registries");
    const local = body.find(({ type }: { type: string }) => type === "local");
    expect(local).toMatchObject({ name: "local", namespace: "default" });
    expect((await ask("GET", `/registries/${local.id}`)).body).toEqual(local);
    expect((await ask("PUT", `/registries/${local.id}`, { description: "x" })).status).toBe(409);
    expect((await ask("DELETE", `/registries/${local.id}`)).status).toBe(409);
  });

  it("say that they cannot be used", async () => {
    const { id } = await registry({ url: "http://127.0.0.1:1", insecure: true });
    const { status, body } = await ask("POST", `/registries/${id}/test`);
    expect(status).toBe(503);
    expect(body).toMatchObject({ error: expect.any(String), details: expect.any(String) });
    expect((await ask("GET", `/registries/${id}`)).body.healthy).toBe(false);
    expect((await ask("GET", `/registries/${id}/projects`)).status).toBe(503);
    expect((await ask("GET", `/registries/${id}/projects/library/repositories`)).status).toBe(503);
  });

  it("do not take a SecureValue that is not theirs", async () => {
    const name = unique("shared");
    const object = {
      apiVersion: "secret.entrepot.dev/v1",
      kind: "SecureValue",
      metadata: { name: `registry-${name}` },
      spec: { value: "theirs", decrypters: [SYNC_GROUP] },
    };
    expect((await ask("POST", "/apply", JSON.stringify(object))).status).toBe(200);
    const { status } = await ask("POST", "/registries", {
      name,
      url: "https://x.example.com",
      username: "a",
      password: "b",
    });
    expect(status).toBe(409);
    expect(await secretValue("default", `registry-${name}`)).toBe("theirs");
  });

  it("leave no secret behind if they are refused", async () => {
    const name = unique("refused");
    const given = { name, url: "http://not-insecure.example.com", username: "a", password: "b" };
    const { status, body } = await ask("POST", "/registries", given);
    expect(status).toBe(400);
    expect(body.details).toContainEqual({ field: "rules.url", message: expect.stringContaining("https") });
    expect(await secretValue("default", `registry-${name}`)).toBeUndefined();
  });
});

describe("tasks", () => {
  it.each([
    [
      "in two parts",
      { source_project: "library", source_repo: "nginx", target_project: "prod", target_repo: "web" },
      { project: "library", repositories: ["nginx"] },
      "prod/web",
      {},
    ],
    [
      "in two parts, under the same name",
      { source_project: "library", source_repo: "nginx", target_project: "prod" },
      { project: "library", repositories: ["nginx"] },
      "prod/{{ .Name }}",
      { target_repo: "" },
    ],
    [
      "as a whole project",
      { source_project: "library", source_repo: "", target_project: "mirror", target_repo: "" },
      { project: "library" },
      "mirror/{{ .Name }}",
      {},
    ],
    [
      "as whole names",
      { source_repo: "library/nginx", target_repo: "prod/nginx" },
      { repository: "library/nginx" },
      "prod/nginx",
      { source_project: "", target_project: "" },
    ],
    ["without a name at the target", { source_repo: "library/nginx" }, { repository: "library/nginx" }, undefined, {}],
  ])("are taken %s, and read as they were written", async (_shape, given, source, repository, more) => {
    const [from, to] = [await registry(), await registry()];
    const name = unique("task");
    const body = { name, source_registry: from.id, target_registry: to.id, ...given };
    const made = await ask("POST", "/tasks", body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ ...body, ...more });
    expect(made.body.rules.source).toEqual({ registry: from.name, ...source });
    expect(made.body.rules.targets).toEqual([
      { registry: to.name, ...(repository === undefined ? {} : { repository }) },
    ]);
    // What is written back as it was read changes nothing.
    const again = await ask("PUT", `/tasks/${made.body.id}`, made.body);
    expect(again.body).toEqual(made.body);
  });

  async function task(more: object = {}): Promise<Loose> {
    const [from, to] = [await registry({ username: "ann", password: SECRET }), await registry()];
    const { status, body, text } = await ask("POST", "/tasks", {
      name: unique("task"),
      source_registry: from.id,
      source_repo: "library/nginx",
      target_registry: to.id,
      target_repo: "prod/nginx",
      ...more,
    });
    expect(`${status} ${status === 201 ? "" : text}`).toBe("201 ");
    return body;
  }

  it("have all fields of the older shape, and rules", async () => {
    const channel = await ask("POST", "/notifications", {
      name: unique("ops"),
      type: "wechat",
      webhook_url: "https://hooks.example.com/x",
    });
    const given = {
      description: "Every night",
      tag_include: ["^v1"],
      tag_exclude: ["-rc"],
      tag_latest: 5,
      architectures: ["amd64", "arm/v7"],
      enabled: false,
      cron_expression: "0 2 * * *",
      send_notification: true,
      notification_condition: "all",
      notification_channel_ids: `[${channel.body.id}]`,
    };
    const made = await task({
      ...given,
      rules: { concurrency: 7, schedule: { cron: "0 3 * * *", timeZone: "Europe/Berlin" } },
    });
    expect(made).toMatchObject(given);
    expect(made.rules).toMatchObject({
      concurrency: 7,
      schedule: { cron: "0 2 * * *", timeZone: "Europe/Berlin" },
      tags: { newest: { count: 5, by: "version" } },
      platforms: { mode: "rewrite", select: [{ architecture: "amd64" }, { architecture: "arm", variant: "v7" }] },
      notifications: { when: "all", channels: [channel.body.name] },
    });
    const asList = await ask("PUT", `/tasks/${made.id}`, { notification_channel_ids: [] });
    expect(asList.body).toMatchObject({ notification_channel_ids: "[]", send_notification: false });
  });

  it("keep what a change does not give", async () => {
    const made = await task({
      tag_include: ["^v1"],
      rules: { prune: { enabled: true }, tags: { newest: { count: 3, by: "created" } } },
    });
    const changed = await ask("PUT", `/tasks/${made.id}`, { enabled: false, cron_expression: "0 3 * * *" });
    expect(changed.status).toBe(200);
    const { updated_at: _updated, ...rest } = changed.body;
    expect(made).toMatchObject({ enabled: true, cron_expression: "" });
    expect(rest).toMatchObject({
      enabled: false,
      cron_expression: "0 3 * * *",
      tag_include: ["^v1"],
      source_repo: "library/nginx",
    });
    expect(rest.rules).toMatchObject({ prune: { enabled: true }, tags: { newest: { count: 3, by: "created" } } });
    const fewer = await ask("PUT", `/tasks/${made.id}`, { tag_latest: 2, rules: { prune: null } });
    expect(fewer.body.rules).toMatchObject({
      prune: { enabled: false },
      tags: { newest: { count: 2, by: "created" } },
    });
    expect(changed.body.next_runs).toHaveLength(0);
    const on = await ask("PUT", `/tasks/${made.id}`, { enabled: true });
    expect(on.body.next_runs).toHaveLength(3);
    expect(on.body.next_runs[0]).toMatch(/T03:00:00Z$/);
    const off = await ask("PUT", `/tasks/${made.id}`, { cron_expression: "" });
    expect(off.body.rules.schedule).toBeUndefined();
  });

  it("never have the password of a registry in them", async () => {
    const made = await task();
    expect(made.source_registry_obj).toMatchObject({ id: made.source_registry, has_password: true });
    for (const path of ["/tasks", `/tasks/${made.id}`]) {
      const { text } = await ask("GET", path);
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('"password"');
    }
  });

  it("run once at a time", async () => {
    const { id, name } = await task();
    expect(await ask("POST", `/tasks/${id}/stop`)).toMatchObject({ status: 409, body: { error: expect.any(String) } });
    // A wish to copy nothing that is misspelt must not copy.
    expect((await ask("POST", `/tasks/${id}/run`, { dryRun: true })).status).toBe(400);
    const run = await ask("POST", `/tasks/${id}/run`);
    expect(run).toMatchObject({ status: 200, body: { message: "task started", execution_id: expect.any(Number) } });
    const { executions, logs } = services().sync;
    const execution = run.body.execution_id;
    expect(await ask("POST", `/tasks/${id}/run`)).toMatchObject({ status: 409, body: { error: expect.any(String) } });
    await logs.append(execution, [
      { at: 1, level: "info", message: "one" },
      { at: 2, level: "error", message: "two" },
    ]);

    const detail = await ask("GET", `/executions/${execution}`);
    expect(detail.body).toMatchObject({ id: execution, task_id: id, task_name: name, end_time: null });
    expect(detail.body.task).toMatchObject({ id, name });
    expect(detail.body.logs.map(({ message }: { message: string }) => message)).toEqual(
      expect.arrayContaining(["one", "two"]),
    );
    const errors = await ask("GET", `/executions/${execution}/logs?level=error&limit=1`);
    expect(errors.body).toMatchObject([{ execution_id: execution, level: "error", message: "two" }]);
    expect(errors.headers.get("x-total-count")).toBe("1");
    expect((await ask("DELETE", `/executions/${execution}`)).status).toBe(409);

    expect((await ask("POST", `/tasks/${id}/stop`)).body).toEqual({ message: "task stopped" });
    await executions.finish(execution, "failed", "it broke");
    expect((await ask("POST", `/executions/${execution}/stop`)).status).toBe(409);
    expect((await ask("POST", `/executions/${execution}/retry`)).status).toBe(409);

    expect((await ask("GET", `/tasks/${id}`)).body.last_execution).toMatchObject({ id: execution, status: "pending" });
    const list = await ask("GET", `/executions?task_id=${id}&limit=1`);
    expect(list.headers.get("x-total-count")).toBe("1");
    expect(list.body).toMatchObject([{ id: execution, error_message: expect.any(String) }]);
    expect((await ask("GET", `/executions?task_id=${id}&offset=1`)).body).toEqual([]);
    const { status } = list.body[0];
    expect((await ask("GET", `/executions?task_id=${id}&status=${status}`)).body).toHaveLength(1);
    expect((await ask("GET", `/executions?task_id=${id}&status=success`)).body).toHaveLength(0);
    expect((await ask("DELETE", `/executions/${execution}`)).body).toEqual({ message: "execution deleted" });
    expect((await ask("DELETE", `/tasks/${id}`)).body).toEqual({ message: "task deleted" });
    expect((await ask("POST", `/tasks/${id}/run`)).status).toBe(404);
  });

  it("are counted", async () => {
    await task();
    const { body } = await ask("GET", "/stats");
    expect(Object.keys(body)).toEqual([
      "total_tasks",
      "enabled_tasks",
      "total_executions",
      "running_executions",
      "success_executions",
      "failed_executions",
      "total_registries",
    ]);
    expect(body.total_tasks).toBeGreaterThan(0);
    expect(body.total_registries).toBeGreaterThan(2);
  });

  it.each([
    ["no registry of that number", { source_registry: 999_999 }, "source_registry"],
    ["a bad expression", { tag_include: ["("] }, "rules.tags.include"],
    ["a bad schedule", { cron_expression: "every day" }, "rules.schedule.cron"],
    ["an architecture that is none", { architectures: ["am d64"] }, "architectures"],
    ["channels that are no numbers", { notification_channel_ids: '["x"]' }, "notification_channel_ids"],
    ["a channel that is not there", { notification_channel_ids: "[99999]" }, "notification_channel_ids"],
    ["a wrong type", { enabled: "yes" }, "enabled"],
    ["a name at the target that is none", { target_repo: "Prod" }, "rules.targets[0].repository"],
  ])("are refused with the field: %s", async (_case, given, field) => {
    const { id } = await task();
    const { status, body } = await ask("PUT", `/tasks/${id}`, given);
    expect(status).toBe(400);
    expect(body.error).toBe("the request is not valid");
    expect(body.details.map((problem: { field: string }) => problem.field).join()).toContain(field);
  });
});

describe("notifications", () => {
  it("are channels whose address and secret are kept", async () => {
    const name = unique("Team chat");
    const url = "https://hooks.example.com/services/T0/very-secret";
    const made = await ask("POST", "/notifications", { name, type: "wechat", webhook_url: url, secret: SECRET });
    expect(made).toMatchObject({ status: 201, body: { name, type: "wecom", has_secret: true, enabled: true } });
    const path = `/notifications/${made.body.id}`;
    const changed = await ask("PUT", path, { enabled: false, webhook_url: "" });
    expect(changed.body).toMatchObject({ name, type: "wecom", enabled: false, has_secret: true });
    for (const answer of [made, changed, await ask("GET", path), await ask("GET", "/notifications")]) {
      expect(answer.text).not.toContain("very-secret");
      expect(answer.text).not.toContain(SECRET);
    }
    expect((await ask("DELETE", path)).body).toEqual({ message: "notification channel deleted" });
    expect((await ask("GET", path)).status).toBe(404);
  });

  it("say that a test was not received", async () => {
    const made = await ask("POST", "/notifications", {
      name: unique("gone"),
      type: "webhook",
      webhook_url: "http://127.0.0.1:1/secret-path",
    });
    const { status, body, text } = await ask("POST", `/notifications/${made.body.id}/test`);
    expect(status).toBe(503);
    expect(body.details).toContain("could not be reached");
    expect(text).not.toContain("secret-path");
  });

  it.each([
    [{ name: "x", type: "irc", webhook_url: "https://x.example.com" }, "type"],
    [{ name: "x", type: "slack", webhook_url: "ftp://x.example.com" }, "webhook_url"],
    [{ type: "slack", webhook_url: "https://x.example.com" }, "name"],
  ])("are refused with the field: %j", async (given, field) => {
    const { status, body } = await ask("POST", "/notifications", given);
    expect(status).toBe(400);
    expect(body.details[0].field).toBe(field);
  });
});

describe("errors", () => {
  it.each([
    ["GET", "/registries/x", 400],
    ["GET", "/registries/0", 400],
    ["GET", "/registries/999999", 404],
    ["GET", "/tasks/999999", 404],
    ["DELETE", "/tasks/999999", 404],
    ["POST", "/tasks/999999/run", 404],
    ["GET", "/executions/999999", 404],
    ["POST", "/notifications/999999/test", 404],
    ["PATCH", "/tasks/1", 405],
    ["GET", "/tasks/1/nothing", 404],
    ["GET", "/executions?limit=0", 400],
    ["GET", "/executions?status=lost", 400],
  ])("%s %s is %i", async (method, path, status) => {
    const answer = await ask(method, path);
    expect(answer.status).toBe(status);
    expect(typeof answer.body.error).toBe("string");
  });

  it("are told of a body that is no JSON", async () => {
    const answer = await ask("POST", "/tasks", "{", { ...ADMIN, "content-type": "application/json" });
    expect(answer.status).toBe(400);
    expect(typeof answer.body.error).toBe("string");
  });

  it("say no more to who may do nothing than to who asks for what is not there", async () => {
    const { id } = await registry();
    for (const number of [id, 999_999]) {
      expect(await ask("GET", `/registries/${number}`, undefined, POWERLESS)).toMatchObject({ status: 403 });
    }
    expect((await ask("GET", "/registries?namespace=*", undefined, POWERLESS)).status).toBe(403);
  });
});

describe("the live channel", () => {
  it.each([
    ["strangers", {}, 401],
    ["the powerless", POWERLESS, 403],
  ])("is not for %s", async (_who, headers, status) => {
    const answer = await ask("GET", "/ws", undefined, { ...headers, upgrade: "websocket" });
    expect(answer.status).toBe(status);
  });

  it("is a WebSocket, of runs that there are", async () => {
    expect((await ask("GET", "/ws")).status).toBe(426);
    expect((await ask("GET", "/ws?execution_id=999999", undefined, { ...ADMIN, upgrade: "websocket" })).status).toBe(
      404,
    );
  });

  it("tells what is happening", async () => {
    const headers = { ...ADMIN, upgrade: "websocket" };
    const request = new Request("https://registry/api/v1/ws?since=0", { headers });
    const { status, webSocket } = await serve(request, env, createExecutionContext());
    expect(status).toBe(101);
    const first = new Promise<string>((resolve) => {
      webSocket?.addEventListener("message", ({ data }) => resolve(String(data)), { once: true });
    });
    webSocket?.accept();
    expect(JSON.parse(await first)).toMatchObject({ type: "hello" });
    webSocket?.close();
  });
});

describe("namespaces", () => {
  it("have their own objects, and numbers of one are nothing to another", async () => {
    const name = unique("apart");
    const here = await registry({ name });
    const there = await ask("POST", "/registries?namespace=elsewhere", { name, url: "https://registry.example.com" });
    expect(there).toMatchObject({ status: 201, body: { name, namespace: "elsewhere" } });
    expect(there.body.id).not.toBe(here.id);
    const mixed = await ask("POST", "/tasks", {
      name: unique("mixed"),
      source_registry: there.body.id,
      source_repo: "library/nginx",
      target_registry: here.id,
    });
    expect(mixed).toMatchObject({ status: 400, body: { details: [{ field: "source_registry" }] } });
    const elsewhere = await ask("GET", "/executions?namespace=elsewhere&offset=0");
    expect(elsewhere).toMatchObject({ status: 200, body: [] });
    const all = await ask("GET", "/registries?namespace=*");
    const ids = all.body.map(({ id }: { id: number }) => id);
    expect(ids).toEqual(expect.arrayContaining([here.id, there.body.id]));
  });

  it.each(["*", "Not A Name", "-"])("are called as namespaces are: %s", async (namespace) => {
    const place = `/registries?namespace=${encodeURIComponent(namespace)}`;
    const made = await ask("POST", place, {
      name: unique("x"),
      url: "https://x.example.com",
      username: "a",
      password: "b",
    });
    expect(made.status).toBe(400);
  });
});
