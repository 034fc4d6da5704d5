import { describe, expect, it } from "vitest";
import { PLAIN_TASK, syncPlatform } from "./kinds-fixture.ts";

const platform = syncPlatform("sync-kinds");
const { api, fakes } = platform;

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** Fields that an answer finds fault with. */
const fieldsOf = ({ body }: { readonly body: { readonly details?: { readonly causes?: readonly Cause[] } } }) =>
  (body.details?.causes ?? []).map(({ field }) => field);

describe("registries", () => {
  it("are made, shown and deleted, and lose their number then", async () => {
    const spec = { url: "https://registry-1.docker.io", type: "docker-hub" };
    const made = await platform.registry("hub", spec);
    expect(made).toMatchObject({ status: 201, body: { spec: { ...spec, concurrency: 3, rateLimit: { qps: 0 } } } });
    const table = await api("GET", "/registries", undefined, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    expect(table.body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(["Name", "Type", "URL", "Ready"]),
    );
    const at = { namespace: "sync-kinds", name: "hub" };
    const id = await platform.ids.idOf("registry", at);
    expect((await api("DELETE", "/registries/hub")).status).toBe(200);
    expect(await platform.ids.find("registry", id)).toBeUndefined();
  });

  it.each([
    ["no address", {}, ["spec.url"]],
    ["an address with a password", { url: "https://a:b@registry.example.com" }, ["spec.url"]],
    ["another scheme", { url: "ftp://registry.example.com" }, ["spec.url"]],
    ["http that is not wanted", { url: "http://registry.example.com" }, ["spec.url"]],
    ["a private address", { url: "http://192.168.1.5:5000", insecure: true }, ["spec.url"]],
    ["an unknown type", { url: "registry.example.com", type: "nexus" }, ["spec.type"]],
    ["a password without a user", { url: "registry.example.com", passwordRef: { name: "p" } }, ["spec.username"]],
    ["the type of this registry", { type: "local" }, ["spec.type"]],
    ["too fast", { url: "registry.example.com", rateLimit: { qps: -1 } }, ["spec.rateLimit.qps"]],
    [
      "keys for another type",
      {
        url: "registry.example.com",
        ecr: { accessKeyIdRef: { name: "a" }, secretAccessKeyRef: { name: "b" } },
      },
      ["spec.ecr"],
    ],
  ])("are refused with %s", async (_title, spec, fields) => {
    const answer = await platform.registry("wrong", spec);
    expect([answer.status, fieldsOf(answer)]).toEqual([422, fields]);
  });

  it("have the name local for this registry alone", async () => {
    expect(fieldsOf(await platform.registry("local", { url: "registry.example.com" }))).toEqual(["spec.type"]);
    expect((await platform.registry("local", { type: "local" })).status).toBe(201);
  });

  it("use only secrets that their writer may use", async () => {
    fakes.forbiddenSecrets.add("theirs");
    const spec = { url: "registry.example.com", username: "u", passwordRef: { name: "theirs" } };
    const answer = await platform.registry("thief", spec);
    expect(fieldsOf(answer)).toEqual(["spec.passwordRef.name"]);
    expect((await platform.registry("honest", { ...spec, passwordRef: { name: "mine" } })).status).toBe(201);
    const url = { spec: { passwordRef: { name: "theirs" } } };
    const patched = await api("PATCH", "/registries/honest", url, { "content-type": "application/merge-patch+json" });
    expect(patched.status).toBe(422);
  });

  it("are tested, and remember it", async () => {
    await platform.registry("tested", { url: "registry.example.com" });
    expect((await api("POST", "/registries/tested/test")).body).toMatchObject({ ok: true, message: "signed in" });
    const shown = async () => (await api("GET", "/registries/tested")).body.status;
    expect(await shown()).toMatchObject({
      message: "signed in",
      capabilities: { catalog: true },
      conditions: [{ type: "Ready", status: "True", observedGeneration: 1 }],
    });
    fakes.test = { ok: false, message: "401" };
    await api("POST", "/registries/tested/test");
    expect(await shown()).toMatchObject({ message: "401", conditions: [{ type: "Ready", status: "False" }] });
    expect((await api("POST", "/registries/none/test")).status).toBe(404);
  });

  it("are browsed", async () => {
    await platform.registry("browsed", { url: "registry.example.com" });
    expect((await api("GET", "/registries/browsed/projects")).body.items).toEqual(fakes.names);
    await api("GET", "/registries/browsed/repositories?project=library");
    expect(fakes.asked.at(-1)).toMatchObject({ project: "library" });
    fakes.names = undefined;
    expect((await api("GET", "/registries/browsed/repositories")).status).toBe(503);
  });
});

describe("channels", () => {
  it("are made and tested", async () => {
    const spec = { type: "slack", urlRef: { name: "hook" } };
    expect(await platform.channel("ops", spec)).toMatchObject({ status: 201, body: { spec: { enabled: true } } });
    expect((await api("POST", "/notificationchannels/ops/test")).body).toMatchObject({ ok: true });
    expect(fieldsOf(await platform.channel("bad", { type: "pager", urlRef: { name: "hook" } }))).toEqual(["spec.type"]);
    fakes.forbiddenSecrets.add("their-hook");
    const answer = await platform.channel("thief", { ...spec, urlRef: { name: "their-hook" } });
    expect(fieldsOf(answer)).toEqual(["spec.urlRef.name"]);
  });
});

describe("tasks", () => {
  it("have defaults, and warn of what is not there", async () => {
    const made = await platform.task("plain", {
      ...PLAIN_TASK,
      source: { registry: "absent", repository: "library/nginx" },
      notifications: { channels: ["nobody"] },
    });
    expect(made.status).toBe(201);
    expect(made.body.spec).toMatchObject({
      enabled: true,
      concurrency: 3,
      tags: { include: [], anchored: false },
      platforms: { mode: "all" },
      retry: { attempts: 5 },
      notifications: { when: "failed" },
    });
    expect(made.headers.get("warning")).toContain("absent");
    expect(made.headers.get("warning")).toContain("nobody");
    expect(made.headers.get("warning")).not.toContain("local");
  });

  it.each([
    ["no source", { targets: PLAIN_TASK.targets }, "spec.source"],
    ["no targets", { ...PLAIN_TASK, targets: [] }, "spec.targets"],
    ["an expression that is none", { ...PLAIN_TASK, tags: { include: ["v1", "("] } }, "spec.tags.include[1]"],
    ["a range that is none", { ...PLAIN_TASK, tags: { semver: "=>1" } }, "spec.tags.semver"],
    ["platforms that are missing", { ...PLAIN_TASK, platforms: { mode: "single" } }, "spec.platforms.select"],
    ["a cron expression that is none", { ...PLAIN_TASK, schedule: { cron: "61 * * * *" } }, "spec.schedule.cron"],
    [
      "a time zone that is none",
      { ...PLAIN_TASK, schedule: { cron: "0 2 * * *", timeZone: "Mars/Base" } },
      "spec.schedule.timeZone",
    ],
    [
      "a schedule of two kinds",
      { ...PLAIN_TASK, schedule: { cron: "0 2 * * *", interval: "6h" } },
      "spec.schedule.interval",
    ],
    ["a wait that is none", { ...PLAIN_TASK, retry: { initial: "soon" } }, "spec.retry.initial"],
    [
      "a template that is none",
      { ...PLAIN_TASK, targets: [{ registry: "b", repository: "{{ .Nme }}" }] },
      "spec.targets[0].repository",
    ],
    ["itself as the target", { ...PLAIN_TASK, targets: [{ registry: "hub" }] }, "spec.targets[0].repository"],
    [
      "itself as the second target",
      {
        source: { registry: "a", project: "team" },
        targets: [{ registry: "b" }, { registry: "a", repository: "team/{{ .Name }}" }],
      },
      "spec.targets[1].repository",
    ],
    ["a target twice", { ...PLAIN_TASK, targets: [{ registry: "b" }, { registry: "b" }] }, "spec.targets[1]"],
    [
      "a name that no target can have",
      { source: { registry: "a", repository: "Team/App" }, targets: [{ registry: "b" }] },
      "spec.targets[0].repository",
    ],
  ])("are refused with %s", async (_title, spec, field) => {
    const answer = await platform.task("wrong", spec);
    expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
  });

  describe("that read what they write are refused", () => {
    const grow = { project: "grow" };
    const copy = { repository: "grow/{{ .Name }}-copy" };
    const refused = async (spec: object) => {
      const answer = await platform.task("circle", spec);
      expect([answer.status, fieldsOf(answer)]).toEqual([422, ["spec.targets[0].repository"]]);
      return String(answer.body.message);
    };

    it("by globs, and by registries that are one under two names", async () => {
      await refused({ source: { registry: "local", ...grow }, targets: [{ registry: "local", ...copy }] });
      await platform.registry("one", { url: "https://one.example.com/v2/" });
      await platform.registry("same", { url: "http://one.example.com", insecure: true });
      await refused({ source: { registry: "one", ...grow }, targets: [{ registry: "same", ...copy }] });
      const elsewhere = { source: { registry: "one", ...grow }, targets: [{ registry: "local", ...copy }] };
      expect((await platform.task("elsewhere", elsewhere)).status).toBe(201);
    });

    it("by this server's own address", async () => {
      await platform.registry("myself", { url: "https://entrepot.example.com" });
      await refused({ source: { registry: "myself", ...grow }, targets: [{ registry: "local", ...copy }] });
    });

    it("by way of other tasks, also when they are changed", async () => {
      await platform.registry("far", { url: "https://far.example.com" });
      const there = { source: { registry: "local", project: "ring" }, targets: [{ registry: "far" }] };
      expect((await platform.task("there", there)).status).toBe(201);
      const back = (repository: string) => ({
        source: { registry: "far", repositories: ["ring/*"] },
        targets: [{ registry: "local", repository }],
      });
      expect(await refused(back("ring/{{ .Base }}-again"))).toContain("by way of there");
      expect((await platform.task("back", back("done/{{ .Base }}"))).status).toBe(201);
      const change = { spec: back("ring/{{ .Base }}-again") };
      const patched = await api("PATCH", "/synctasks/back", change, { "content-type": "application/merge-patch+json" });
      expect(patched.status).toBe(422);
    });
  });

  it("are refused by a name that runs could not have", async () => {
    expect(fieldsOf(await platform.task("a".repeat(201), PLAIN_TASK))).toEqual(["metadata.name"]);
  });

  const local = { registry: "local" };

  it.each([
    ["push mirror", PLAIN_TASK],
    ["push library", { ...PLAIN_TASK, targets: [local] }],
    ["push *", { ...PLAIN_TASK, source: { registry: "hub", repositories: ["**"] }, targets: [local] }],
    ["push *", { ...PLAIN_TASK, targets: [{ ...local, repository: "{{ .Tag }}/app" }] }],
    ["push default", { ...PLAIN_TASK, targets: [{ ...local, repository: "{{ .Base }}" }] }],
    ["pull team-b", { source: { ...local, repository: "team-b/app" }, targets: [{ registry: "b" }] }],
    ["pull team-b", { source: { ...local, project: "team-b" }, targets: [{ registry: "b" }] }],
    ["pull default", { source: { ...local, repositories: ["nginx*"] }, targets: [{ registry: "b" }] }],
    ["pull *", { source: { ...local, repositories: ["*/app"] }, targets: [{ registry: "b" }] }],
    ["pull *", { source: { ...local, repositories: ["**"] }, targets: [{ registry: "b" }] }],
  ])("need the right to %s", async (right, spec) => {
    fakes.forbiddenCopies.add(right);
    const answer = await platform.task("greedy", spec);
    fakes.forbiddenCopies.clear();
    expect([answer.status, fieldsOf(answer)]).toMatchObject([422, [expect.stringMatching(/^spec\.(source|targets)/)]]);
    expect(answer.body.message).toContain("you may not");
  });

  it("run, are refused while they run, and stop", async () => {
    await platform.task("nightly", PLAIN_TASK);
    const run = await api("POST", "/synctasks/nightly/run", { dryRun: true, tags: ["v1"] });
    expect(run).toMatchObject({
      status: 201,
      body: { kind: "Execution", spec: { task: "nightly", dryRun: true, tags: ["v1"], requestedBy: "alice" } },
    });
    expect(run.body.metadata.name).toBe(`nightly-${run.body.spec.id}`);
    const again = await api("POST", "/synctasks/nightly/run");
    expect(again).toMatchObject({ status: 409, body: { reason: "Conflict" } });
    expect(again.body.message).toContain(run.body.metadata.name);
    const stopped = await api("POST", "/synctasks/nightly/stop");
    expect(stopped).toMatchObject({ status: 200, body: { status: { stopRequested: true } } });
    await platform.executions.finish(run.body.spec.id, "canceled");
    expect((await api("POST", "/synctasks/nightly/stop")).status).toBe(409);
    expect((await api("POST", "/synctasks/none/run")).status).toBe(404);
  });

  it("repeat what failed only, if something did", async () => {
    await platform.task("flaky", PLAIN_TASK);
    expect((await api("POST", "/synctasks/flaky/run", { onlyFailed: true })).status).toBe(409);
    const { id } = await platform.run("flaky");
    await platform.executions.count(id, { itemsFailed: 1 });
    await platform.executions.finish(id, "partial");
    const retried = await api("POST", "/synctasks/flaky/run", { onlyFailed: true });
    expect(retried).toMatchObject({ status: 201, body: { spec: { onlyFailedOf: `flaky-${id}`, trigger: "retry" } } });
  });

  it("say what is wrong with a request to run", async () => {
    await platform.task("asked", PLAIN_TASK);
    expect((await api("POST", "/synctasks/asked/run", { tags: "v1" })).status).toBe(400);
    expect((await api("POST", "/synctasks/asked/run", { tags: ["x".repeat(70_000)] })).status).toBe(413);
    await platform.task("lost", { ...PLAIN_TASK, source: { registry: "unknown", repository: "a/b" } });
    expect(await api("POST", "/synctasks/lost/run")).toMatchObject({ status: 400, body: { message: "no registry" } });
  });

  it("are previewed, within bounds", async () => {
    await platform.task("tried", PLAIN_TASK);
    expect((await api("GET", "/synctasks/tried/preview?limit=7")).body).toMatchObject({ kind: "Preview", items: [] });
    expect(fakes.asked.at(-1)).toEqual({ limit: 7 });
    await api("POST", "/synctasks/tried/preview", { tags: ["v1"] });
    expect(fakes.asked.at(-1)).toEqual({ limit: 100, tags: ["v1"] });
    expect((await api("GET", "/synctasks/tried/preview?limit=1001")).status).toBe(400);
    fakes.preview = undefined;
    expect((await api("GET", "/synctasks/tried/preview")).status).toBe(503);
  });

  it("take their runs with them", async () => {
    await platform.task("doomed", PLAIN_TASK);
    const first = await platform.run("doomed");
    await platform.executions.finish(first.id, "succeeded");
    const second = await platform.run("doomed");
    expect((await api("DELETE", "/synctasks/doomed")).status).toBe(200);
    expect((await api("GET", `/executions/${first.name}`)).status).toBe(404);
    expect((await api("GET", `/executions/${second.name}`)).body.status.stopRequested).toBe(true);
  });
});
