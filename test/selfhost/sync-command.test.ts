import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpRegistry, startHttpRegistry } from "../support/memory-http-registry.ts";

const COMMAND = path.resolve("src/cli/entrepot.sh");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let source: HttpRegistry;
let target: HttpRegistry;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "entrepot-cli-"));
  source = await startHttpRegistry("source");
  target = await startHttpRegistry("target");
});

afterEach(() => {
  source.close();
  target.close();
  rmSync(folder, { recursive: true });
});

function start(
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(COMMAND, args, { cwd: folder, env: { PATH: process.env["PATH"], ...env } });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data: Buffer) => (output.stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output.stderr += data.toString()));
  return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, ...output }))) };
}

async function entrepot(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  return await start(args, env).ended;
}

/** Writes a sync.yaml with the two registries. */
function configure(rules: string): void {
  writeFileSync(
    path.join(folder, "sync.yaml"),
    `registries:
  source: { url: "${source.url}", insecure: true }
  target: { url: "${target.url}", insecure: true }
sync_rules:
${rules}`,
  );
}

const RULE = `  - name: app
    enabled: true
    source: { registry: source, repository: app }
    target: { registry: target, repository: mirror/app }
    retry: { attempts: 1 }
`;

describe("entrepot", () => {
  it("prints its version", async () => {
    expect(await entrepot(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it("ends with 2 on wrong use", async () => {
    expect(await entrepot(["copy"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("copy is not a command"),
    });
  });
});

describe("entrepot sync", () => {
  it("copies, and then finds nothing to do", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["one"] });
    source.registry.addPlatforms("app", "v2", ["linux/amd64", "linux/arm64"]);
    configure(RULE);
    const first = await entrepot(["sync"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("app: app:v1 copied to mirror/app:v1");
    expect(first.stdout).toContain("app: succeeded: 2 copied; ");
    expect(target.registry.tagsOf("mirror/app")).toEqual(source.registry.tagsOf("app"));
    source.requests.length = 0;
    const second = await entrepot(["sync"]);
    expect(second.stdout).toContain("app: unchanged: 2 unchanged; 0 B in");
    expect(second.code).toBe(0);
    expect(source.requests.filter((line) => line.includes("/manifests/"))).toHaveLength(2);
  });

  it("ends with 1 when something failed, and copies the rest", async () => {
    source.registry.addImage("app", { tag: "good", layers: ["x"] });
    source.registry.addManifest(
      "app",
      { schemaVersion: 1 },
      "application/vnd.docker.distribution.manifest.v1+json",
      "bad",
    );
    configure(RULE);
    const ended = await entrepot(["sync"]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("app:bad failed");
    expect(ended.stdout).toContain("app: partial: 1 copied, 1 failed");
  });

  it("writes one JSON object per line", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    configure(RULE);
    const { stdout, code } = await entrepot(["sync", "--format", "json"]);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line): { type: string } => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ type: "summary", task: "app", state: "succeeded", counts: { copied: 1 } });
    expect(lines.find(({ type }) => type === "item")).toMatchObject({
      repository: "app",
      tag: "v1",
      outcome: "copied",
    });
  });

  it("writes nothing in a dry run", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    configure(RULE);
    const ended = await entrepot(["sync", "--dry-run"]);
    expect(ended.stdout).toContain("app:v1 would be copied to mirror/app:v1");
    expect(target.requests.filter((line) => !/^(?:GET|HEAD) /.test(line))).toEqual([]);
  });

  it("checks a configuration without a request", async () => {
    configure(RULE);
    const ended = await entrepot(["sync", "--validate"]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("sync.yaml is in order: 2 registries; tasks app");
    expect([...source.requests, ...target.requests]).toEqual([]);
  });

  it("tells every problem of a configuration with its place: 2", async () => {
    configure(RULE.replace("registry: source,", "registry: nowhere,").replace("attempts: 1", "attempts: '${TRIES}'"));
    const ended = await entrepot(["sync", "--validate"]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^sync\.yaml:9:24: sync_rules\[0\]\.retry\.attempts: /m);
    expect(ended.stderr).toContain("the variable TRIES is not set");
  });

  it("says that it is no registry itself: 2", async () => {
    writeFileSync(
      path.join(folder, "sync.yaml"),
      `registries: { a: { type: local }, b: { url: b.example.com } }\nsync_rules:\n${RULE.replace("registry: source", "registry: a").replace("registry: target", "registry: b")}`,
    );
    const ended = await entrepot(["sync"]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("the type local is for tasks that a registry runs itself");
  });

  it("runs only the tasks that are named, also disabled ones", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    const other = RULE.replace("name: app", "name: other").replace("mirror/app", "mirror/other");
    configure(RULE + other.replace("enabled: true", "enabled: false"));
    expect((await entrepot(["sync", "--task", "other"])).code).toBe(0);
    expect([...target.registry.stored.keys()]).toContain("mirror/other");
    expect(target.registry.tagsOf("mirror/app")).toEqual({});
    const wrong = await entrepot(["sync", "--task", "none"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("there is no task none; there are app, other");
  });

  it("lets one process have the state folder at a time", async () => {
    configure(RULE);
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    source.registry.slow = 5000;
    const first = start(["sync"]);
    await seen(source, "/blobs/");
    const second = await entrepot(["sync"]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain("is used by process");
    first.child.kill("SIGKILL");
    await first.ended;
    source.registry.slow = 0;
    expect((await entrepot(["sync"])).code).toBe(0);
  });

  it("stops on SIGINT: 130, within seconds", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    source.registry.slow = 60_000;
    configure(RULE);
    const { child, ended } = start(["sync"]);
    await seen(source, "/blobs/");
    const before = Date.now();
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, stdout: expect.stringContaining("app: canceled") });
    expect(Date.now() - before).toBeLessThan(5000);
    expect(target.registry.tagsOf("mirror/app")).toEqual({});
  });

  it("stays to keep a schedule, and runs what has an interval at once", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    configure(`${RULE}    interval: 1h\n`);
    const { child, ended } = start(["sync", "--watch"]);
    await seen(target, "PUT /v2/mirror/app/manifests/v1");
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(143);
    expect(stdout).toContain("app: succeeded: 1 copied");
    expect(stdout).toMatch(/app: runs next at /);
  });

  it("has nothing to watch without a schedule: 2", async () => {
    configure(RULE);
    expect(await entrepot(["sync", "--watch"])).toMatchObject({ code: 2, stderr: expect.stringContaining("no task") });
  });
});

async function seen({ requests }: HttpRegistry, part: string): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (requests.some((line) => line.includes(part))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no request with ${part}`);
}
