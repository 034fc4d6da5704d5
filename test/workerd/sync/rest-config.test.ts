import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { SYNC_ROUTES } from "../../../src/sync/index.ts";
import { ADMIN, ask, type Loose, POWERLESS, services } from "./rest-fixture.ts";

const YAML = `version: "1.0"
global:
  concurrency: 5
  retry:
    max_attempts: 3
registries:
  Docker Hub:
    url: registry-1.docker.io
    username: ann
    password: pass-of-the-hub
    ratelimit:
      qps: 5
  harbor:
    url: https://harbor.example.com
    username: robot
    password: { secret: harbor-robot }
  me:
    type: local
sync_rules:
  - name: nightly nginx
    source: { registry: Docker Hub, repository: library/nginx }
    target: { registry: harbor, repository: prod/nginx }
    tags: { include: ["^1\\\\."], latest: 3 }
    architectures: [amd64, arm64]
    enabled: true
    cron_expression: "0 2 * * *"
  - name: to-us
    source: { registry: harbor, project: library }
    target: { registry: me, repository: "mirror/{{ .Name }}" }
    enabled: false
`;

const statuses = (entries: readonly { name: string; status: string }[]) =>
  Object.fromEntries(entries.map(({ name, status }) => [name, status]));

describe("POST /api/v1/sync/config", () => {
  const place = "?namespace=config";

  it("makes everything once", async () => {
    const dry = await ask("POST", `/sync/config${place}&dryRun=true`, YAML);
    expect(dry.text).not.toContain("pass-of-the-hub");
    expect(dry.body).toMatchObject({ dry_run: true, registries: [{ status: "created" }, { status: "created" }, {}] });
    expect((await ask("GET", `/tasks${place}`)).body).toEqual([]);

    const first = await ask("POST", `/sync/config${place}`, YAML);
    expect(`${first.status} ${first.status === 200 ? "" : first.text}`).toBe("200 ");
    expect(statuses(first.body.registries)).toEqual({ "Docker Hub": "created", harbor: "created", me: "unchanged" });
    expect(statuses(first.body.tasks)).toEqual({ "nightly nginx": "created", "to-us": "created" });

    const again = await ask("POST", `/sync/config${place}`, YAML);
    expect(statuses([...again.body.registries, ...again.body.tasks])).toEqual({
      "Docker Hub": "unchanged",
      harbor: "unchanged",
      me: "unchanged",
      "nightly nginx": "unchanged",
      "to-us": "unchanged",
    });

    const changed = await ask(
      "POST",
      `/sync/config${place}`,
      YAML.replace("latest: 3", "latest: 4").replace("qps: 5", "qps: 6"),
    );
    expect(statuses([...changed.body.registries, ...changed.body.tasks])).toEqual({
      "Docker Hub": "configured",
      harbor: "unchanged",
      me: "unchanged",
      "nightly nginx": "configured",
      "to-us": "unchanged",
    });
    const secret = await ask("POST", `/sync/config${place}`, YAML.replace("pass-of-the-hub", "a new one"));
    expect(statuses(secret.body.registries)["Docker Hub"]).toBe("configured");
  });

  it("is what the endpoints show", async () => {
    await ask("POST", `/sync/config${place}`, YAML);
    const { body: tasks } = await ask("GET", `/tasks${place}`);
    const nightly = tasks.find(({ name }: { name: string }) => name === "nightly nginx");
    expect(nightly).toMatchObject({
      source_repo: "library/nginx",
      target_repo: "prod/nginx",
      tag_latest: 3,
      architectures: ["amd64", "arm64"],
      cron_expression: "0 2 * * *",
      source_registry_obj: { name: "Docker Hub", rate_limit: 5, has_password: true },
      rules: { concurrency: 5, retry: { attempts: 3 } },
    });
    const toUs = tasks.find(({ name }: { name: string }) => name === "to-us");
    expect(toUs.rules.targets).toEqual([{ registry: "local", repository: "mirror/{{ .Name }}" }]);
    const object = await services().sync.registries.test("config", "harbor");
    // The SecureValue it names is not there.
    expect(object.ok).toBe(false);
  });

  it("comes back without secrets, and reads as the same", async () => {
    await ask("POST", `/sync/config${place}`, YAML);
    const { text, headers } = await ask("GET", `/sync/config${place}`);
    expect(headers.get("content-type")).toContain("yaml");
    expect(text).not.toContain("pass-of-the-hub");
    expect(text).toContain("${DOCKER_HUB_PASSWORD}");
    const variables = { DOCKER_HUB_PASSWORD: "pass-of-the-hub", HARBOR_PASSWORD: "x" };
    const back = await ask("POST", `/sync/config${place}`, { config: text, variables });
    expect(back.status).toBe(200);
    expect(statuses([...back.body.registries, ...back.body.tasks])).toMatchObject({
      "Docker Hub": "unchanged",
      "nightly nginx": "unchanged",
      "to-us": "unchanged",
    });
  });

  it("comes back also where there are registries and no tasks", async () => {
    await ask("POST", `/sync/config?namespace=bare`, "registries: { a: { url: a.example.com } }\nsync_rules: []\n");
    const { text } = await ask("GET", `/sync/config?namespace=bare`);
    const back = await ask("POST", `/sync/config?namespace=bare`, text);
    expect(back.body).toMatchObject({ registries: [{ name: "a", status: "unchanged" }], tasks: [] });
  });

  it("refuses variables that are not sent, whatever the server's environment has", async () => {
    const { status, body } = await ask("POST", "/sync/config", YAML.replace("pass-of-the-hub", "${ADMIN_PASSWORD}"));
    expect(status).toBe(400);
    expect(body.details).toEqual([
      {
        line: 10,
        column: expect.any(Number),
        field: "registries.Docker Hub.password",
        message: "the variable ADMIN_PASSWORD is not set",
      },
    ]);
  });

  it("tells all mistakes with their places, and writes nothing", async () => {
    const wrong = YAML.replace("latest: 3", "latest: -1").replace("registry: me", "registry: you");
    const { status, body } = await ask("POST", "/sync/config?namespace=mistakes", wrong);
    expect(status).toBe(400);
    expect(body.details.length).toBeGreaterThan(0);
    expect(body.details[0]).toMatchObject({ line: expect.any(Number), field: expect.stringContaining("sync_rules") });
    expect((await ask("GET", "/tasks?namespace=mistakes")).body).toEqual([]);
  });

  it("writes the others if one is refused", async () => {
    // That name is for this registry itself.
    const taken = YAML.replaceAll("harbor:", "local:").replaceAll("registry: harbor", "registry: local");
    const { status, body } = await ask("POST", "/sync/config?namespace=partly", taken);
    expect(status).toBe(207);
    expect(statuses(body.registries)).toMatchObject({ "Docker Hub": "created", local: "failed" });
    expect(body.registries[1].error.details[0].field).toBe("rules.type");
  });

  it("is for who may write tasks", async () => {
    expect((await ask("POST", "/sync/config", YAML, {})).status).toBe(401);
    expect((await ask("POST", "/sync/config", YAML, POWERLESS)).status).toBe(403);
    expect((await ask("GET", "/sync/config", undefined, POWERLESS)).status).toBe(403);
  });
});

describe("GET /api/v1/openapi.json", () => {
  it("has every endpoint below /api/v1 that is not the resource API's", async () => {
    const { status, body } = await ask("GET", "/openapi.json");
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\.1/);
    const described = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = SYNC_ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:([a-z]+)/g, "{$1}")}`);
    const others = [
      "GET /api/v1/health",
      "GET /api/v1/usage",
      "GET /api/v1/audit",
      "GET /api/v1/audit/verify",
      "POST /api/v1/apply",
    ];
    expect(described.toSorted()).toEqual([...served, ...others].toSorted());
    // What the router has besides these is in the table that they are of.
    const prefixes = new Set(described.map((route) => route.split("/")[3]));
    const routed = app.routes.flatMap(({ path }) => (path.startsWith("/api/v1/") ? [path.split("/")[3] ?? ""] : []));
    expect(routed.filter((name) => !prefixes.has(name))).toEqual([]);
  });

  it("names every operation once, and says what it takes and answers", async () => {
    const { body } = await ask("GET", "/openapi.json");
    const operations = Object.values<Record<string, Loose>>(body.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const create = body.paths["/api/v1/tasks"].post;
    const schema = create.requestBody.content["application/json"].schema;
    expect(schema.required).toEqual(["name"]);
    expect(Object.keys(schema.properties.rules.properties)).toContain("prune");
    const view = body.paths["/api/v1/registries/{id}"].get.responses["200"].content["application/json"].schema;
    expect(Object.keys(view.properties)).not.toContain("password");
    for (const reference of JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const path = reference[1]?.split("/") ?? [];
      expect(path.reduce((node: Loose, step) => node?.[step], body)).toBeDefined();
    }
  });

  it("is for users", async () => {
    expect((await ask("GET", "/openapi.json", undefined, {})).status).toBe(401);
    expect((await ask("GET", "/openapi.json", undefined, POWERLESS)).status).toBe(200);
    expect((await ask("GET", "/openapi.json", undefined, ADMIN)).status).toBe(200);
  });
});
