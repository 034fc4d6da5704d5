import { beforeEach, describe, expect, it } from "vitest";
import { ANONYMOUS, type Grant } from "../../../src/access/index.ts";
import { ContentListStore } from "../../../src/content/content-list-store.ts";
import { Names } from "../../../src/content/names.ts";
import { ReadCache } from "../../../src/content/read-cache.ts";
import { TagStore } from "../../../src/content/tag-store.ts";
import { contentGroup } from "../../../src/distribution/index.ts";
import {
  type ApiServices,
  authorizerChain,
  groupAuthorizer,
  resourceApi,
  type ResourceObject,
  roleAuthorizer,
  scopeAuthorizer,
  systemAuthorizer,
  type WatchFrame,
  WatchLimit,
} from "../../../src/resources/index.ts";
import { bindings } from "../bindings.ts";
import { pushImage } from "../content-images.ts";
import { createKernel } from "../fixture.ts";
import { widgets } from "../resources/definition-fixture.ts";
import { exampleGroup, newGroup, PLATFORM, resourcePlatform } from "../resources/fixture.ts";
import { as, grant, listAudit, repositoriesRule, type World, worldGate } from "./gate-fixture.ts";

const group = newGroup();
const API = `/apis/${group}/v1`;
const TASKS = `${API}/namespaces/team-a/tasks`;
const CONTENT = "/apis/content.entrepot.dev/v1";

function rule(verbs: readonly string[], resources: readonly string[], apiGroup = group): Grant["rules"][number] {
  return { apiGroups: [apiGroup], resources, verbs };
}

const EDIT = ["get", "list", "watch", "create", "update", "patch", "delete"];
const world: World = {
  grants: {
    nobody: [],
    editor: [grant([rule(EDIT, ["tasks"]), rule(["get", "patch"], ["namespaces"], "")], "team-a")],
    updater: [grant([rule(["get", "update", "patch"], ["tasks"])])],
    installer: [grant([rule(["*"], ["apps"], PLATFORM), rule(EDIT, ["tasks"])])],
    puller: [grant([repositoriesRule(["pull"])], "private")],
    lister: [grant([rule(["list"], ["tags"], "content.entrepot.dev")], "private")],
    watcher: [grant([rule(["watch"], ["tasks"])])],
  },
  publicNamespaces: new Set(["open"]),
  tokens: {
    scoped: { name: "puller", scope: [{ type: "repository", name: "private/app", actions: ["pull"] }] },
    "scoped-editor": { name: "editor", scope: [{ type: "repository", name: "private/app", actions: ["pull"] }] },
    anonymous: { name: ANONYMOUS, scope: [] },
  },
  generation: 1,
};
const gate = worldGate(world);
const { entries, audit } = listAudit();
const kernel = createKernel();
const time = { now: Date.now() };
const frames: WatchFrame[] = [];

function server(): ApiServices {
  const tasks = exampleGroup(group);
  const watched = exampleGroup(`watched.${group}`);
  const platform = resourcePlatform({
    authorizer: () => authorizer,
    groups: [
      tasks,
      {
        ...watched,
        kinds: watched.kinds.map((kind) => ({
          ...kind,
          storage: () => ({
            async *watch() {
              for (;;) {
                yield* frames;
                await new Promise((resolve) => setTimeout(resolve, 10));
              }
            },
          }),
        })),
      },
      contentGroup({
        gate,
        lists: new ContentListStore(bindings.DB),
        names: new Names(new TagStore(bindings.DB), new ReadCache(Date.now, 0, 0)),
        manifests: kernel.manifests,
        clock: Date.now,
        readOnly: false,
      }),
    ],
  });
  const { registry } = platform;
  const authorizer = authorizerChain([
    systemAuthorizer,
    scopeAuthorizer,
    groupAuthorizer(registry),
    roleAuthorizer(gate),
  ]);
  return {
    gate,
    audit,
    registry,
    authorizer,
    clock: () => time.now,
    stopping: () => false,
    watches: new WatchLimit(1, () => time.now),
    defer: async () => {},
    rest: async () => {},
    reportFailure: () => "failure",
  };
}

const services = server();

function send(
  method: string,
  path: string,
  who: Record<string, string> = {},
  body?: unknown,
  type = "application/json",
) {
  const headers = { "content-type": type, "user-agent": "test/1", ...who };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  return resourceApi(services, new Request(`http://registry${path}`, init));
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const task = (name: string) => ({ apiVersion: `${group}/v1`, kind: "Task", metadata: { name }, spec: {} });
const apply = (name: string, who: Record<string, string>) =>
  send("PATCH", `${TASKS}/${name}?fieldManager=test`, who, task(name), "application/apply-patch+yaml");

beforeEach(() => {
  entries.length = 0;
});

describe("nobody", () => {
  it.each(["/livez", "/readyz"])("may ask %s", async (path) => {
    expect((await send("GET", path)).status).toBe(200);
    expect((await send("GET", path, as("locked"))).status).toBe(200);
  });

  it.each([
    ["GET", "/version"],
    ["GET", "/api"],
    ["GET", "/apis"],
    ["GET", API],
    ["GET", "/apis/no.such/v1"],
    ["GET", "/apis/no.such/v1/things"],
    ["GET", "/openapi/v2"],
    ["GET", "/openapi/v3"],
    ["GET", `/openapi/v3/apis/${group}/v1`],
    ["POST", "/livez"],
    ["GET", TASKS],
    ["POST", TASKS],
    ["PUT", TASKS],
    ["OPTIONS", TASKS],
    ["GET", `${TASKS}/a`],
    ["GET", `${TASKS}/a/nothing`],
    ["POST", `${TASKS}/a/restore`],
    ["GET", `${TASKS}?watch=true`],
    ["POST", "/api/v1/apply"],
    ["POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews"],
    ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"],
    ["GET", `${CONTENT}/repositories`],
    ["GET", `${CONTENT}/namespaces/private/tags/app:v1`],
    ["GET", `${CONTENT}/namespaces/private/tags/absent:v1`],
    ["GET", `${CONTENT}/namespaces/private/tags/No%2fname`],
  ])("is told to sign in by %s %s", async (method, path) => {
    for (const who of [{}, bearer("anonymous")]) {
      const response = await send(method, path, who);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("Bearer");
      expect(await response.json()).toMatchObject({ kind: "Status", reason: "Unauthorized" });
    }
  });

  it("is told how long to wait when locked out", async () => {
    const response = await send("GET", "/version", as("locked"));
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("30");
    expect(await response.json()).toMatchObject({ reason: "TooManyRequests", details: { retryAfterSeconds: 30 } });
  });
});

describe("a user without roles", () => {
  it.each([
    ["GET", TASKS],
    ["GET", `${API}/tasks`],
    ["POST", TASKS],
    ["PUT", `${TASKS}/a`],
    ["PATCH", `${TASKS}/a`],
    ["DELETE", `${TASKS}/a`],
    ["DELETE", TASKS],
    ["PUT", TASKS],
    ["POST", `${TASKS}/a`],
    ["GET", `${TASKS}/a/status`],
    ["POST", `${TASKS}/a/restore`],
    ["GET", `${TASKS}/a/nothing`],
    ["GET", `${TASKS}?watch=true`],
    ["GET", `${API}/namespaces/team%2da/tasks/a`],
    ["GET", "/api/v1/namespaces/team-a"],
    ["GET", `${CONTENT}/namespaces/private/tags/app:v1`],
    ["GET", `${CONTENT}/namespaces/private/tags/absent:v1`],
    ["DELETE", `${CONTENT}/namespaces/private/tags/absent:v1`],
    ["GET", `${CONTENT}/namespaces/private/tags`],
  ])("is refused %s %s", async (method, path) => {
    const response = await send(method, path, as("nobody"));
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ reason: "Forbidden" });
  });

  it("may read what the API is", async () => {
    for (const path of ["/version", "/api", API]) expect((await send("GET", path, as("nobody"))).status).toBe(200);
  });

  it("sees who they are", async () => {
    const review = await send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", as("nobody"), {});
    expect(await review.json()).toMatchObject({
      status: {
        userInfo: {
          username: "nobody",
          groups: ["system:authenticated"],
          extra: { "access.entrepot.dev/credential-type": ["password"] },
        },
      },
    });
  });
});

describe("a role in a namespace", () => {
  it("holds there", async () => {
    expect((await send("POST", TASKS, as("editor"), task("one"))).status).toBe(201);
    expect((await send("GET", TASKS, as("editor"))).status).toBe(200);
    expect((await send("GET", "/api/v1/namespaces/team-a", as("editor"))).status).toBe(200);
    expect((await send("GET", "/api/v1/namespaces/team-b", as("editor"))).status).toBe(403);
    expect((await send("GET", "/api/v1/namespaces", as("editor"))).status).toBe(403);
    expect((await send("GET", `${API}/tasks`, as("editor"))).status).toBe(403);
    expect((await send("GET", `${API}/namespaces/team-b/tasks`, as("editor"))).status).toBe(403);
    expect((await send("GET", `${API}/namespaces/team-a%2f..%2fteam-b/tasks`, as("editor"))).status).toBe(403);
    expect((await send("DELETE", TASKS, as("editor"))).status).toBe(403);
    expect((await send("PATCH", `${TASKS}/one/status`, as("editor"), {})).status).toBe(403);
  });

  it("is what `can-i` says", async () => {
    const ask = async (verb: string, namespace: string) => {
      const spec = { resourceAttributes: { verb, group, version: "v1", resource: "tasks", namespace } };
      const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const review = await send("POST", path, as("editor"), { spec });
      return (await review.json<{ status: { allowed: boolean } }>()).status.allowed;
    };
    expect([await ask("create", "team-a"), await ask("create", "team-b"), await ask("create", "")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("who may change but not create", () => {
  it("applies to what is there only", async () => {
    expect((await apply("absent", as("updater"))).status).toBe(403);
    expect((await send("GET", `${TASKS}/absent`, as("updater"))).status).toBe(404);
    expect((await apply("present", as("editor"))).status).toBe(201);
    expect((await apply("present", as("updater"))).status).toBe(200);
    expect((await send("PUT", `${TASKS}/absent`, as("updater"), task("absent"))).status).toBe(404);
  });

  it("does so for each object of many", async () => {
    const objects = [task("bulk"), { ...task("present"), metadata: { name: "present", namespace: "team-a" } }];
    const body = objects.map((object) => JSON.stringify(object)).join("\n---\n");
    const headers = { "content-type": "application/yaml", ...as("editor") };
    const request = new Request("http://registry/api/v1/apply?force=true", { method: "POST", headers, body });
    const { results } = await (await resourceApi(services, request)).json<{ results: { status: string }[] }>();
    expect(results.map(({ status }) => status)).toEqual(["failed", "configured"]);
    expect(entries).toMatchObject([
      { verb: "patch", namespace: "default", name: "bulk", allowed: false, status: 403 },
      { verb: "patch", namespace: "team-a", name: "present", allowed: true, status: 200 },
    ]);
  });
});

describe("an app", () => {
  const app = (name: string, objects: readonly object[], definitions: readonly object[] = []) => ({
    apiVersion: `${PLATFORM}/v1`,
    kind: "App",
    metadata: { name },
    spec: { title: "An app", definitions, objects },
  });
  const APPS = `/apis/${PLATFORM}/v1/apps`;
  const brought = (name: string) => ({ ...task(name), metadata: { name, namespace: "team-a" } });
  const area = { apiVersion: `${group}/v1`, kind: "Area", metadata: { name: "everywhere" }, spec: {} };

  it("brings what its writer may create, and nothing else", async () => {
    expect((await send("POST", APPS, as("installer"), app("good", [brought("by-app")]))).status).toBe(201);
    expect((await send("POST", APPS, as("installer"), app("bad", [brought("other"), area]))).status).toBe(403);
    for (const path of [`${APPS}/bad`, `${TASKS}/other`])
      expect((await send("GET", path, as("installer"))).status).toBe(404);
    const own = newGroup();
    const defined = app("defining", [], [widgets(own).spec as object]);
    expect((await send("POST", APPS, as("installer"), defined)).status).toBe(403);
    expect((await send("GET", `/apis/${own}/v1`, as("installer"))).status).toBe(404);
  });
});

describe("a credential that is limited to repositories", () => {
  it("is good for nothing else", async () => {
    expect((await send("GET", TASKS, bearer("scoped-editor"))).status).toBe(403);
    expect((await send("DELETE", `${CONTENT}/namespaces/private/tags/app:v1`, bearer("scoped"))).status).toBe(403);
  });
});

describe("what is in the registry", () => {
  const names = async (path: string, who: Record<string, string>) => {
    const response = await send("GET", `${CONTENT}${path}`, who);
    if (response.status !== 200) return response.status;
    const { items } = await response.json<{ items: ResourceObject[] }>();
    return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  };

  it("is listed for those who may pull it", async () => {
    for (const name of ["hidden/app", "open/app", "private/app", "private/other"])
      await pushImage(kernel, name, ["v1"]);
    const mine = ["open/app", "private/app", "private/other"];
    expect(await names("/repositories", as("puller"))).toEqual(mine);
    expect(await names("/repositories", bearer("scoped"))).toEqual(["private/app"]);
    expect(await names("/repositories", as("nobody"))).toEqual(["open/app"]);
    expect(await names("/namespaces/open/repositories", {})).toEqual(["open/app"]);
    expect(await names("/namespaces/private/repositories", {})).toBe(401);
    expect(await names("/namespaces/private/tags", as("puller"))).toEqual(["private/app:v1", "private/other:v1"]);
    expect(await names("/namespaces/private/tags", as("lister"))).toEqual(["private/app:v1", "private/other:v1"]);
    expect(await names("/namespaces/private/tags", as("nobody"))).toBe(403);
    expect(await names("/namespaces/hidden/tags", as("puller"))).toBe(403);
  });

  it("is listed page by page", async () => {
    const all: string[] = [];
    let next = "";
    do {
      const query = `limit=1${next === "" ? "" : `&continue=${next}`}`;
      const page = await send("GET", `${CONTENT}/repositories?${query}`, as("puller"));
      const { items, metadata } = await page.json<{ items: ResourceObject[]; metadata: { continue?: string } }>();
      expect(items.length).toBeLessThanOrEqual(1);
      all.push(...items.map((item) => `${item.metadata.namespace}/${item.metadata.name}`));
      next = metadata.continue ?? "";
    } while (next !== "");
    expect(all).toEqual(["open/app", "private/app", "private/other"]);
  });

  it("is read one by one", async () => {
    expect((await send("GET", `${CONTENT}/namespaces/private/tags/app:v1`, as("puller"))).status).toBe(200);
    expect((await send("GET", `${CONTENT}/namespaces/open/tags/app:v1`)).status).toBe(200);
    expect((await send("GET", `${CONTENT}/namespaces/open/tags/absent:v1`)).status).toBe(404);
    expect((await send("DELETE", `${CONTENT}/namespaces/private/tags/app:v1`, as("puller"))).status).toBe(403);
  });
});

describe("a watch", () => {
  const WATCH = `/apis/watched.${group}/v1/tasks?watch=true`;
  const bookmark: WatchFrame = { type: "BOOKMARK", resourceVersion: "1" };

  /** A watch in which nothing happens, of somebody who may watch. */
  async function quiet(query: string): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    world.grants["watcher"] = [grant([rule(["watch"], ["tasks"], "*")])];
    world.generation += 1;
    frames.splice(0, frames.length, bookmark);
    const response = await send("GET", WATCH + query, as("watcher"));
    expect(response.status).toBe(200);
    if (response.body === null) throw new Error("no body");
    return response.body.getReader();
  }

  const losses = [
    ["loses the role", 403, () => (world.grants["watcher"] = [])],
    ["is removed", 401, () => delete world.grants["watcher"]],
  ] as const;

  /** What is written until a watch ends. */
  async function restOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += decoder.decode(value);
      if (text.length > 10_000) throw new Error("it goes on");
    }
  }

  /** The only line, which says why there are no more. */
  function expectRefusal(text: string, code: number): void {
    expect(text.endsWith("\n")).toBe(true);
    const object = { kind: "Status", apiVersion: "v1", status: "Failure", code };
    expect(JSON.parse(text)).toMatchObject({ type: "ERROR", object });
  }

  it.each(losses)("that writes space ends with a line when its watcher %s", async (_, code, lose) => {
    const reader = await quiet("");
    time.now += 10_000;
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(" ");
    lose();
    world.generation += 1;
    time.now += 10_000;
    expectRefusal(await restOf(reader), code);
  });

  it.each(losses)("that writes nothing ends with a line when its watcher %s", async (_, code, lose) => {
    const reader = await quiet("&timeoutSeconds=1800");
    time.now += 10_000;
    const end = restOf(reader);
    const early = await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 100))]);
    expect(early).toBe(undefined);
    lose();
    world.generation += 1;
    time.now += 10_000;
    expectRefusal(await end, code);
  });

  it("that writes nothing is counted as long as it is there", async () => {
    const reader = await quiet("&timeoutSeconds=1800");
    const end = restOf(reader);
    for (let minutes = 0; minutes < 24; minutes += 8) {
      time.now += 8 * 60_000;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const refused = await send("GET", WATCH, as("watcher"));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(await refused.json()).toMatchObject({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "TooManyRequests",
      message: "watcher has too many watches open",
      details: { retryAfterSeconds: 10 },
      code: 429,
    });
    world.grants["watcher"] = [];
    world.generation += 1;
    time.now += 10_000;
    expectRefusal(await end, 403);
    await (await quiet("")).cancel();
  });
});

describe("the audit", () => {
  it("has writes and refusals, with the names of objects that were made", async () => {
    await send("POST", TASKS, as("editor"), task("noted"));
    await send("DELETE", `${TASKS}/noted`, as("editor"));
    await send("DELETE", `${TASKS}/noted`, as("updater"));
    await apply("applied", as("editor"));
    expect(entries).toMatchObject([
      { verb: "create", group, resource: "tasks", namespace: "team-a", name: "noted", allowed: true, status: 201 },
      { verb: "delete", name: "noted", allowed: true, status: 200 },
      { verb: "delete", name: "noted", allowed: false, status: 403, identity: { name: "updater" } },
      { verb: "create", name: "applied", allowed: true, status: 201 },
    ]);
  });
});
