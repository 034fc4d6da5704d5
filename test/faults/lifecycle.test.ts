import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Registry } from "../conformance/registry-client.ts";
import { type Server, type ServerOptions, startServer } from "../support/server.ts";
import { halfRequest } from "./half-request.ts";
import { blobStatus, expectSound, image, pushBlob, pushImage, sha256, someBytes, tagsOf } from "./images.ts";
import { openUpload } from "./uploads.ts";

const MIB = 1024 * 1024;

/** How long a stop takes that waits for nothing, in milliseconds, at the most: a third of how long it would wait. */
const QUICK_MS = 10_000;

/** How long a stop takes at the most, in milliseconds, and what a busy machine adds to it. */
const STOP_MS = 30_000 + 10_000;

const registry = new Registry();
let data: string;

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), "entrepot-lifecycle-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

async function start(storage = "filesystem"): Promise<Server> {
  const server = await startServer({ data, env: { STORAGE: storage } });
  registry.connect(server.url);
  return server;
}

/** What a server printed that did not start. */
async function refusal(options: ServerOptions): Promise<string[]> {
  const message = await startServer({ data, ...options }).then(
    async (server) => {
      await server.stop();
      return "it started";
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const [ended, ...lines] = message.split("\n");
  expect(ended).toMatch(/^the server ended with 1 /);
  return lines;
}

/** A port of loopback that something listens on until `close`. */
async function takenPort(): Promise<{ readonly port: number; readonly close: () => void }> {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return { port: address.port, close: () => void other.close() };
}

/** The workerd that a server started. */
function runtimeOf(server: number): number {
  const children = readFileSync(`/proc/${server}/task/${server}/children`, "utf8").trim().split(" ").map(Number);
  const runtime = children.find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd"));
  if (runtime === undefined) throw new Error("the server has no runtime");
  return runtime;
}

/** Waits until a process is gone. */
async function gone(pid: number): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(50);
  }
  throw new Error(`process ${pid} is still there`);
}

describe.each(["filesystem", "r2"])("a stop, with STORAGE=%s", (storage) => {
  it.each([
    ["SIGTERM to the server", (server: Server) => process.kill(server.pid, "SIGTERM")],
    ["SIGINT to all its processes, as a terminal sends it", (server: Server) => process.kill(-server.pid, "SIGINT")],
  ])("by %s finishes a running upload", async (_, signal) => {
    const server = await start(storage);
    const repository = registry.named("stop/slow");
    const bytes = someBytes(10 * MIB, `${storage} slow`);
    const upload = await openUpload(repository);
    const target = `${server.url}${upload}&digest=${sha256(bytes)}`;
    const half = await halfRequest(target, "PUT", bytes.byteLength, bytes.subarray(0, 5 * MIB));
    await sleep(300);
    signal(server);
    await sleep(1000);
    half.finish(bytes.subarray(5 * MIB));
    expect(await half.answered).toBe(201);
    await gone(server.pid);
    expect(await server.stop(), server.output()).toBe(0);
    const again = await start(storage);
    expect(await blobStatus(repository, sha256(bytes))).toBe(200);
    expect(await again.stop()).toBe(0);
  });

  it("keeps everything", async () => {
    const server = await start(storage);
    const repository = registry.named("stop/kept");
    const blob = await pushBlob(repository, someBytes(MIB, "kept"));
    expect((await pushImage(repository, image(blob, [blob], "kept"), "v1")).status).toBe(201);
    expect(await server.stop(), server.output()).toBe(0);
    const again = await start(storage);
    expect(await tagsOf(repository)).toEqual(["v1"]);
    await expectSound(repository);
    expect(await again.stop()).toBe(0);
  });
});

describe("a stop", () => {
  it("is quick when nothing runs, and takes no new connections", async () => {
    const server = await start();
    const stopping = performance.now();
    expect(await server.stop(), server.output()).toBe(0);
    expect(performance.now() - stopping).toBeLessThan(QUICK_MS);
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });
});

describe("a stop of a runtime that does not hear of it", () => {
  it("ends in its time all the same", { timeout: 90_000 }, async () => {
    const server = await start();
    const runtime = runtimeOf(server.pid);
    // It neither answers nor heeds a request to end.
    process.kill(runtime, "SIGSTOP");
    const stopping = performance.now();
    await server.stop();
    expect(performance.now() - stopping).toBeLessThan(STOP_MS);
    await gone(runtime);
    const again = await start();
    expect(await again.stop(), again.output()).toBe(0);
  });
});

describe("a start", () => {
  it("answers nobody before the tables are there", async () => {
    const { port, close } = await takenPort();
    close();
    const url = `http://127.0.0.1:${port}/v2/_catalog`;
    const starting = startServer({ data, args: ["--port", String(port)] });
    let first: Response | undefined;
    while (first === undefined) {
      first = await fetch(url).catch(() => undefined);
      await sleep(10);
    }
    expect(first.status, await first.text()).toBe(200);
    const server = await starting;
    const stopping = performance.now();
    expect(await server.stop(), server.output()).toBe(0);
    expect(performance.now() - stopping).toBeLessThan(QUICK_MS);
  });

  it("is possible after the process was killed, but not its runtime", async () => {
    const { port, close } = await takenPort();
    close();
    const args = ["--port", String(port)];
    const killed = await startServer({ data, args });
    process.kill(killed.pid, "SIGKILL");
    await vi.waitFor(async () => expect(fetch(`${killed.url}/healthz`)).rejects.toThrow(), 60_000);
    const server = await startServer({ data, args });
    expect(await server.stop(), server.output()).toBe(0);
  });
});

describe("a server that cannot start says so in one line", () => {
  it("about a port in use", async () => {
    const { port, close } = await takenPort();
    const lines = await refusal({ args: ["--port", String(port)] });
    close();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^PORT: .*in use/);
  });

  it.each<[string, ServerOptions, RegExp]>([
    ["a setting", { env: { LOG_LEVEL: "loud" } }, /^LOG_LEVEL: /],
    ["a missing setting", { env: { STORAGE: "s3" } }, /^S3_ENDPOINT: required/],
    ["an address without a password", { args: ["--host", "0.0.0.0"] }, /^ADMIN_PASSWORD: required/],
    ["an option", { args: ["--verbose"] }, /--verbose/],
    ["a port that is none", { args: ["--port", "http"] }, /^PORT: /],
    ["an address that is not this machine's", { args: ["--host", "127.0.0.1.example"] }, /^ADMIN_PASSWORD: /],
  ])("about %s", async (_, options, line) => {
    const lines = await refusal(options);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  it("about a data folder that another one has, which goes on", async () => {
    const server = await start();
    const lines = await refusal({});
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^DATA_DIR: .* is in use by /);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await server.stop(), server.output()).toBe(0);
  });

  it("and gives the data folder back", async () => {
    await refusal({ args: ["--port", "http"] });
    const { port, close } = await takenPort();
    await refusal({ args: ["--port", String(port)] });
    close();
    const server = await start();
    expect(await server.stop(), server.output()).toBe(0);
  });
});
