import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, expect, it, vi } from "vitest";
import { type FrontOptions, startFront } from "./front.ts";
import { ownCertificate } from "./tls.ts";

const ADDRESS = "x-entrepot-0123456789abcdef01234567";
/** Long enough for a process to start on a busy machine. */
const TIMEOUT_MS = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A front of a server that stands for the Worker. */
async function frontOf(worker: http.RequestListener, options: Partial<FrontOptions> = {}) {
  const server = http.createServer(worker).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const workerPort = (server.address() as AddressInfo).port;
  const front = await startFront({ host: "127.0.0.1", port: 0, workerPort, addressHeader: ADDRESS, ...options });
  cleanups.push(() => front.close(0));
  return { front, server };
}

/** The client's address, as the Worker was told it. */
const told: http.RequestListener = (request, response) => {
  response.end(request.headers[ADDRESS]);
};

async function answerOf(request: http.ClientRequest): Promise<string> {
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  return text(answer);
}

/** The processes of fronts that this process started. */
function workerPids(): readonly number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => Number(parent) === process.pid && args.join(" ").includes("front-worker.ts"))
    .map(([pid]) => Number(pid));
}

it(
  "serves HTTPS from processes of its own, one more while each has a connection",
  { timeout: TIMEOUT_MS },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "entrepot-front-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const certificate = await ownCertificate(folder, "127.0.0.1");
    const { front } = await frontOf(told, { certificate, workers: 2 });
    expect(workerPids()).toHaveLength(1);
    const agent = new https.Agent({ keepAlive: true, ca: certificate.cert });
    cleanups.push(() => agent.destroy());
    const answers = [1, 2, 3].map(() => answerOf(https.get({ port: front.port, host: "127.0.0.1", agent })));
    expect(await Promise.all(answers)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
    expect(workerPids()).toHaveLength(2);
  },
);

it("replaces a process that dies", { timeout: TIMEOUT_MS }, async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { front } = await frontOf(told, { workers: 1 });
  const ask = async (): Promise<string> => answerOf(http.get({ port: front.port, host: "127.0.0.1", agent: false }));
  expect(await ask()).toBe("127.0.0.1");
  const [pid = 0] = workerPids();
  process.kill(pid, "SIGKILL");
  await vi.waitUntil(() => workerPids().length === 0, TIMEOUT_MS);
  await vi.waitUntil(async () => (await ask().catch(() => "")) === "127.0.0.1", TIMEOUT_MS);
  expect(workerPids()).not.toContain(pid);
  expect(console.error).toHaveBeenCalledWith("a process of the front ended (SIGKILL)");
});

it(
  "lets running requests finish when it closes, and ends connections that never asked",
  { timeout: TIMEOUT_MS },
  async () => {
    const { front, server } = await frontOf(async (request, response) => response.end(await text(request)));
    const upload = http.request({ port: front.port, host: "127.0.0.1", method: "PUT", agent: false });
    upload.write("one ");
    await once(server, "request");
    const silent = net.connect(front.port, "127.0.0.1");
    silent.on("error", () => {});
    await once(silent, "connect");
    const closed = front.close(TIMEOUT_MS);
    await once(silent, "close");
    upload.end("two");
    expect(await answerOf(upload)).toBe("one two");
    server.closeIdleConnections();
    await closed;
    expect(workerPids()).toEqual([]);
  },
);

it("cuts what takes longer than its patience", { timeout: TIMEOUT_MS }, async () => {
  const { front, server } = await frontOf(() => {});
  const stuck = http.get({ port: front.port, host: "127.0.0.1" });
  const failed = once(stuck, "error");
  await once(server, "request");
  await front.close(200);
  await failed;
  expect(workerPids()).toEqual([]);
});

it("does not start on an address in use", async () => {
  const other = net.createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  cleanups.push(() => other.close());
  const { port } = other.address() as AddressInfo;
  await expect(startFront({ host: "127.0.0.1", port, workerPort: 1 })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
