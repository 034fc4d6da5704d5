import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownCertificate } from "../../src/selfhost/tls.ts";
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

  it("has nothing to do without a rule: 2", async () => {
    writeFileSync(path.join(folder, "sync.yaml"), "registries: { a: { url: a.example.com } }\nsync_rules: []\n");
    const ended = await entrepot(["sync"]);
    expect([ended.code, ended.stderr.trim()]).toEqual([2, "sync.yaml: sync_rules: there is no rule to run"]);
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

  it("makes a dry run beside a process that has the state folder", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    configure(RULE);
    mkdirSync(path.join(folder, ".entrepot-sync"));
    writeFileSync(path.join(folder, ".entrepot-sync", "lock"), String(process.pid));
    expect((await entrepot(["sync"])).code).toBe(2);
    expect((await entrepot(["sync", "--dry-run"])).code).toBe(0);
  });

  it("runs only what failed, while something does", async () => {
    source.registry.addImage("app", { tag: "good", layers: ["x"] });
    const bad = source.registry.addImage("app", { tag: "bad", layers: ["y"] });
    configure(RULE);
    const manifest = source.registry.stored.get("app")?.manifests.get(bad.digest);
    source.registry.stored.get("app")?.manifests.set(bad.digest, { ...bad, bytes: new TextEncoder().encode("{}") });
    expect((await entrepot(["sync"])).stdout).toContain("app: partial: 1 copied, 1 failed");
    source.requests.length = 0;
    expect((await entrepot(["sync", "--only-failed"])).stdout).toContain("app: failed: 1 failed");
    expect(source.requests.filter((line) => line.includes("good") || line.includes("tags"))).toEqual([]);
    if (manifest !== undefined) source.registry.stored.get("app")?.manifests.set(bad.digest, manifest);
    expect((await entrepot(["sync", "--only-failed"])).stdout).toContain("app: succeeded: 1 copied");
    source.requests.length = 0;
    const nothing = await entrepot(["sync", "--only-failed"]);
    expect(nothing).toMatchObject({ code: 0, stdout: "app: nothing failed in its last run\n" });
    expect(source.requests).toEqual([]);
  });

  it("runs all when it is not known what failed", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    source.registry.failNext("tags", () => new Error("no list"), 1);
    configure(RULE);
    expect((await entrepot(["sync"])).code).toBe(1);
    expect((await entrepot(["sync", "--only-failed"])).stdout).toContain("app: succeeded: 1 copied");
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
    expect(Date.now() - before).toBeLessThan(50_000);
    expect(target.registry.tagsOf("mirror/app")).toEqual({});
  });

  it("stops when nobody reads its output: 141", async () => {
    for (let index = 0; index < 50; index += 1) source.registry.addImage("app", { tag: `v${index}`, layers: ["x"] });
    configure(RULE);
    const { child, ended } = start(["sync", "--format", "json"]);
    child.stdout?.once("data", () => child.stdout?.destroy());
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([141, ""]);
    expect(readdirSync(path.join(folder, ".entrepot-sync"))).not.toContain("lock");
  });

  it("stays to keep a schedule, and runs what has an interval at once", async () => {
    source.registry.addImage("app", { tag: "v1", layers: ["x"] });
    configure(`${RULE}    interval: 1h\n`);
    const { child, ended } = start(["sync", "--watch"]);
    await printed(child, "app: runs next at ");
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(143);
    expect(stdout).toContain("app: succeeded: 1 copied");
    expect(stdout).toMatch(/app: runs next at /);
  });

  it("says which tasks it does not watch", async () => {
    configure(`${RULE}    interval: 1h
${RULE.replace("name: app", "name: other")}`);
    const { child, ended } = start(["sync", "--watch"]);
    child.stderr?.once("data", () => child.kill("SIGTERM"));
    expect((await ended).stderr).toContain("other: has no schedule: --watch does not run it");
  });

  it("has nothing to watch without a schedule: 2", async () => {
    configure(RULE);
    expect(await entrepot(["sync", "--watch"])).toMatchObject({ code: 2, stderr: expect.stringContaining("no task") });
  });
});

/** Resolves when a program has printed a text. */
async function printed({ stdout }: ChildProcess, text: string): Promise<void> {
  let all = "";
  await new Promise<void>((resolve) => {
    stdout?.on("data", (data: Buffer) => {
      all += data.toString();
      if (all.includes(text)) resolve();
    });
  });
}

async function seen({ requests }: HttpRegistry, part: string): Promise<void> {
  for (let waited = 0; waited < 100_000; waited += 20) {
    if (requests.some((line) => line.includes(part))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no request with ${part}`);
}

describe("entrepot sync over TLS, with a certificate that nobody signed,", () => {
  let secure: HttpRegistry;

  beforeEach(async () => {
    secure = await startHttpRegistry("secure", await ownCertificate(folder, "127.0.0.1"));
    secure.registry.addImage("app", { tag: "v1", layers: ["x"] });
  });
  afterEach(() => secure.close());

  function configureSecure(insecure: boolean): void {
    configure(RULE);
    const file = path.join(folder, "sync.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/source: \{.*/, `source: { url: "${secure.url}", insecure: ${insecure} }`));
  }

  it("refuses it at once, and says what helps", async () => {
    configureSecure(false);
    const { code, stderr } = await entrepot(["sync"]);
    expect(code).toBe(1);
    expect(stderr).toContain("its certificate is not trusted: self-signed certificate (NODE_EXTRA_CA_CERTS=<file>");
    expect(stderr).not.toContain("trying again");
  });

  it.each<[string, boolean, () => Record<string, string>]>([
    ["takes it with insecure", true, () => ({})],
    ["takes it by NODE_EXTRA_CA_CERTS", false, () => ({ NODE_EXTRA_CA_CERTS: path.join(folder, "tls", "cert.pem") })],
  ])("%s", async (_what, insecure, env) => {
    configureSecure(insecure);
    const { code, stdout, stderr } = await entrepot(["sync"], env());
    expect(code, stdout + stderr).toBe(0);
    expect(target.registry.tagsOf("mirror/app")).toEqual(secure.registry.tagsOf("app"));
    expect(stderr.includes("source: certificates are not verified")).toBe(insecure);
  });
});
