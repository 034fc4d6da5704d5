import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type AcceptorOptions, createAcceptor } from "./front-worker.ts";
import { ownCertificate } from "./tls.ts";

const MIB = 1024 * 1024;
const ADDRESS = "x-entrepot-0123456789abcdef01234567";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** The front, in the test's own process. */
interface Front {
  readonly port: number;
  close(): Promise<void>;
}

/** A front of a server that stands for the Worker. */
async function frontOf(worker: http.RequestListener, options: Partial<AcceptorOptions> = {}) {
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, worker);
  // As the runtime, it answers a client that has closed its half.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const workerPort = (server.address() as AddressInfo).port;
  const acceptor = createAcceptor({ workerPort, addressHeader: ADDRESS, ...options });
  const taken = new Set<net.Socket>();
  const listener = net.createServer((connection) => {
    taken.add(connection);
    acceptor.accept(connection);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const front: Front = {
    port: (listener.address() as AddressInfo).port,
    async close() {
      listener.close();
      await acceptor.close();
    },
  };
  cleanups.push(async () => {
    for (const connection of taken) connection.destroy();
    await front.close();
  });
  return { front, server };
}

/** Sends bytes as they are, and answers all that comes back until the connection ends. */
async function raw(front: Front, text: string, end = false): Promise<string> {
  const socket = net.connect(front.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  if (end) socket.end(text);
  else socket.write(text);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

/** The request's head as the Worker saw it. */
const mirror: http.RequestListener = (request, response) => {
  const { method, url, rawHeaders } = request;
  response.end(JSON.stringify({ method, url, rawHeaders }));
};

async function mirrored(front: Front, head: string): Promise<{ method: string; url: string; rawHeaders: string[] }> {
  const answer = await raw(front, `${head}\r\nConnection: close\r\n\r\n`);
  return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
}

describe("a request is as it came,", () => {
  it("with its headers as they are, after the client's address", async () => {
    const { front } = await frontOf(mirror);
    const head =
      "GET /v2/%2e%2E//a?x=%zz HTTP/1.1\r\nHOST: Registry.Example\r\nx-B: 1\r\nTE: trailers\r\nX-b: 2\r\naccept: a";
    const sent = ["HOST", "Registry.Example", "x-B", "1", "TE", "trailers", "X-b", "2", "accept", "a"];
    expect(await mirrored(front, head)).toEqual({
      method: "GET",
      url: "/v2/%2e%2E//a?x=%zz",
      rawHeaders: [ADDRESS, "127.0.0.1", ...sent, "Connection", "close"],
    });
  });

  it("but for an address that the client made up", async () => {
    const { front } = await frontOf(mirror);
    const spoofs = [ADDRESS, ADDRESS.toUpperCase()].map((name) => `${name}: 10.0.0.1`).join("\r\n");
    const { rawHeaders } = await mirrored(front, `GET / HTTP/1.1\r\nHost: a\r\n${spoofs}`);
    expect(rawHeaders.filter((_, at) => at % 2 === 0 && rawHeaders[at]?.toLowerCase() === ADDRESS)).toEqual([ADDRESS]);
    expect(rawHeaders).not.toContain("10.0.0.1");
  });

  it("with whatever header the user's own proxy sets", async () => {
    const options = { addressHeader: undefined } as unknown as AcceptorOptions;
    const { front } = await frontOf(mirror, options);
    const { rawHeaders } = await mirrored(front, "GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 10.0.0.1");
    expect(rawHeaders).toEqual(["Host", "a", "X-Real-IP", "10.0.0.1", "Connection", "close"]);
  });

  it("also with a head of nearly 32 KiB", async () => {
    const { front } = await frontOf(mirror);
    const { rawHeaders } = await mirrored(front, `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${"x".repeat(32_000)}`);
    expect(rawHeaders[5]).toHaveLength(32_000);
  });

  it("one after the other, and also where the client does not wait", async () => {
    const { front } = await frontOf(mirror);
    const spoofed = `GET /a HTTP/1.1\r\nHost: a\r\n${ADDRESS}: 10.0.0.1\r\n\r\n`;
    const body = `POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: ${spoofed.length}\r\n\r\n${spoofed}`;
    const last = "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const answer = await raw(front, spoofed + body + spoofed + last);
    expect([...answer.matchAll(/"url":"(.*?)"/g)].map((match) => match[1])).toEqual(["/a", "/b", "/a", "/c"]);
    expect(answer.match(/127\.0\.0\.1/g)).toHaveLength(4);
    expect(answer).not.toContain("10.0.0.1");
  });

  it("or refused, if it is too long", async () => {
    const { front } = await frontOf(mirror);
    const answer = await raw(front, `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${"x".repeat(500_000)}`);
    expect(answer).toBe(
      "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
  });

  it("or refused, after the answers to those before it", async () => {
    const { front } = await frontOf(mirror);
    const socket = net.connect(front.port, "127.0.0.1");
    socket.write("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(first.toString()).toContain("/first");
    socket.write("GET /second HTTP/1.1\r\nHost : a\r\n\r\n");
    const [second] = (await once(socket, "data")) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1\.1 400 /);
    await once(socket, "close");
  });
});

describe("a body", () => {
  it.each(["content-length", "chunked"])("of 100 MB (%s) goes through piece by piece", async (framing) => {
    const hash = createHash("sha256");
    let longest = 0;
    const { front } = await frontOf((request, response) => {
      request.on("data", (chunk: Buffer) => {
        longest = Math.max(longest, chunk.length);
        hash.update(chunk);
      });
      request.on("end", () => response.end(hash.digest("hex")));
    });
    const sent = createHash("sha256");
    const piece = randomBytes(MIB);
    const upload = http.request({
      port: front.port,
      method: "PUT",
      headers: framing === "chunked" ? {} : { "Content-Length": 100 * MIB },
    });
    for (let count = 0; count < 100; count += 1) {
      sent.update(piece);
      if (!upload.write(piece)) await once(upload, "drain");
    }
    upload.end();
    const [answer] = (await once(upload, "response")) as [http.IncomingMessage];
    expect(await text(answer)).toBe(sent.digest("hex"));
    expect(longest).toBeLessThanOrEqual(2 * MIB);
  });

  it("waits where the Worker does", async () => {
    const { front } = await frontOf(() => {});
    const upload = http.request({ port: front.port, method: "PUT", headers: { "Content-Length": 100 * MIB } });
    upload.on("error", () => {});
    let sent = 0;
    while (sent < 100 && (await Promise.race([written(upload), sleep(500, false)]))) sent += 1;
    expect(sent).toBeLessThan(50);
    upload.destroy();
  });

  it("that breaks off is seen by the Worker", async () => {
    const broken = Promise.withResolvers<number>();
    const { front } = await frontOf((request) => {
      let length = 0;
      request.on("data", (chunk: Buffer) => (length += chunk.length));
      request.on("error", () => broken.resolve(length));
    });
    const upload = http.request({ port: front.port, method: "PUT", headers: { "Content-Length": 10 * MIB } });
    upload.on("error", () => {});
    upload.write(Buffer.alloc(MIB));
    await sleep(200);
    upload.destroy();
    expect(await broken.promise).toBe(MIB);
  });

  it("is asked for where the client waits", async () => {
    const { front } = await frontOf(async (request, response) => {
      response.end(`${request.headers.expect} ${await text(request)}`);
    });
    const upload = http.request({
      port: front.port,
      method: "PUT",
      headers: { Expect: "100-continue", "Content-Length": 4 },
    });
    upload.flushHeaders();
    await once(upload, "continue");
    upload.end("body");
    const [answer] = (await once(upload, "response")) as [http.IncomingMessage];
    expect(await text(answer)).toBe("100-continue body");
  });

  it.each([0, 50])("that nobody wants does not keep its answer from the client (%i ms)", async (patience) => {
    // The runtime goes on reading for a moment, and then closes the connection.
    const { front } = await frontOf(async (request, response) => {
      response.writeHead(401, { "Content-Length": 7 }).end("refused");
      request.on("error", () => {});
      if (patience > 0) request.resume();
      await sleep(patience);
      request.socket.destroy();
    });
    const upload = http.request({ port: front.port, method: "PUT", headers: { "Content-Length": 50 * MIB } });
    upload.on("error", () => {});
    for (let count = 0; count < 50; count += 1) upload.write(Buffer.alloc(MIB));
    const [answer] = (await once(upload, "response")) as [http.IncomingMessage];
    expect([answer.statusCode, await text(answer)]).toEqual([401, "refused"]);
    upload.destroy();
  });

  it.each([
    ["two lengths", "Content-Length: 4\r\nContent-Length: 5"],
    ["a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked"],
    ["chunks that are not the last coding", "Transfer-Encoding: chunked, gzip"],
    ["a coding that is spelled in a strange way", "Transfer-Encoding: xchunked"],
  ])("of %s is refused", async (_, framing) => {
    let seen = 0;
    const { front } = await frontOf((_request, response) => {
      seen += 1;
      response.end();
    });
    const smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    const answer = await raw(front, `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${smuggled}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toBe(0);
  });
});

describe("an answer is as it came,", () => {
  it("with its headers in order and case", async () => {
    const { front } = await frontOf((_, response) => {
      response.sendDate = false;
      const headers = ["X-B", "1", "Date", "then", "x-b", "2", "Content-Encoding", "gzip", "Content-Length", "3"];
      response.writeHead(299, "Quite Good", headers);
      response.end("abc");
    });
    const answer = await raw(front, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(answer).toBe(
      "HTTP/1.1 299 Quite Good\r\nX-B: 1\r\nDate: then\r\nx-b: 2\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    );
  });

  it.each([
    ["HEAD", 200, { "Content-Length": "1234" }, /content-length: 1234\r\n/i],
    ["HEAD", 200, {}, /^HTTP\/1\.1 200 OK\r\n/],
    ["GET", 204, {}, /^HTTP\/1\.1 204 /],
    ["GET", 304, { "Content-Length": "1234", ETag: '"x"' }, /content-length: 1234\r\n/i],
  ])("without a body for %s and %i %j", async (method, status, headers, head) => {
    const { front } = await frontOf((_, response) => {
      response.writeHead(status, headers).end();
    });
    const request = `${method} / HTTP/1.1\r\nHost: a\r\n`;
    // The second request of the connection proves that the first answer had no more bytes than its head.
    const answer = await raw(front, `${request}\r\n${request}Connection: close\r\n\r\n`);
    const heads = answer.split("\r\n\r\n");
    expect(heads).toHaveLength(3);
    expect(heads[2]).toBe("");
    for (const text of heads.slice(0, 2)) {
      expect(`${text}\r\n`).toMatch(head);
      expect(text).not.toMatch(/transfer-encoding/i);
    }
  });

  it("event by event where it is a long one", async () => {
    const { front } = await frontOf(async (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.flushHeaders();
      await sleep(200);
      response.write("first\n");
      await sleep(200);
      response.end("second\n");
    });
    const times: number[] = [];
    const started = performance.now();
    const watch = http.get({ port: front.port });
    const [answer] = (await once(watch, "response")) as [http.IncomingMessage];
    times.push(performance.now() - started);
    answer.on("data", () => times.push(performance.now() - started));
    await once(answer, "end");
    expect(times).toHaveLength(3);
    expect(times[0]).toBeLessThan(150);
    expect(times[1]).toBeLessThan(350);
  });

  it("also in HTTP/1.0, and for a client that has closed its half", async () => {
    const { front } = await frontOf(async (_, response) => {
      await sleep(100);
      response.write("a");
      response.end("b");
    });
    expect(await raw(front, "GET / HTTP/1.0\r\nHost: a\r\n\r\n")).toMatch(/\r\n\r\nab$/);
    expect(await raw(front, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true)).toContain("chunked\r\n");
  });

  it("broken off where the Worker breaks it off", async () => {
    const { front } = await frontOf(async (_, response) => {
      response.write("some");
      await sleep(100);
      response.destroy();
    });
    const answer = await fetch(`http://127.0.0.1:${front.port}/`);
    await expect(answer.text()).rejects.toThrow();
  });

  it("and a client that goes away is seen by the Worker", async () => {
    const gone = Promise.withResolvers<void>();
    const { front } = await frontOf((_, response) => {
      response.write("some");
      response.once("close", () => gone.resolve());
    });
    const watch = http.get({ port: front.port });
    watch.on("error", () => {});
    await once(watch, "response");
    watch.destroy();
    await gone.promise;
  });

  it("whole for a client that is slow to take it, where the Worker closes at once", async () => {
    const { front } = await frontOf((_, response) => {
      response.writeHead(200, { Connection: "close" }).end(Buffer.alloc(8 * MIB));
    });
    const [answer] = (await once(http.get({ port: front.port }), "response")) as [http.IncomingMessage];
    await sleep(500);
    expect((await text(answer)).length).toBe(8 * MIB);
  });

  it("and none where there is no Worker", async () => {
    const { front, server } = await frontOf(mirror);
    expect((await fetch(`http://127.0.0.1:${front.port}/`)).status).toBe(200);
    server.close();
    server.closeAllConnections();
    await expect(fetch(`http://127.0.0.1:${front.port}/`)).rejects.toThrow();
  });

  it.each([0, 100])("unless the client closes its half in the middle of it (after %i bytes)", async (length) => {
    const gone = Promise.withResolvers<void>();
    const { front } = await frontOf((request, response) => {
      if (length === 0) request.once("error", () => gone.resolve());
      else response.write("x".repeat(length));
      response.once("close", () => gone.resolve());
    });
    const socket = net.connect(front.port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${length === 0 ? "Content-Length: 1\r\n" : ""}\r\n`);
    if (length > 0) await once(socket, "data");
    else await sleep(100);
    socket.end();
    await gone.promise;
  });
});

describe("an upgrade", () => {
  const UPGRADE = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";

  it("to a WebSocket is piped both ways", async () => {
    const { front, server } = await frontOf(mirror);
    const seen = Promise.withResolvers<http.IncomingMessage>();
    server.on("upgrade", (request, socket) => {
      seen.resolve(request);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
      socket.on("data", (chunk: Buffer) => socket.end(chunk.toString().toUpperCase()));
    });
    const answer = await raw(front, `${UPGRADE}${ADDRESS}: 10.0.0.1\r\n\r\nearly`);
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n(?:.+\r\n)+\r\nhelloEARLY$/);
    expect((await seen.promise).headers[ADDRESS]).toBe("127.0.0.1");
  });

  it("that is refused lets nothing through", async () => {
    const { front } = await frontOf(mirror);
    const next = `GET /second HTTP/1.1\r\nHost: a\r\n${ADDRESS}: 10.0.0.1\r\nConnection: close\r\n\r\n`;
    const answer = await raw(front, `${UPGRADE}\r\n${next}`);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(answer.match(/127\.0\.0\.1/g)).toHaveLength(2);
    expect(answer).not.toContain("10.0.0.1");
  });

  it("behind an answer that looks like a switch lets nothing through", async () => {
    const { front } = await frontOf((request, response) => {
      if (request.url === "/bait") response.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      else mirror(request, response);
    });
    const next = `GET /second HTTP/1.1\r\nHost: a\r\n${ADDRESS}: 10.0.0.1\r\nConnection: close\r\n\r\n`;
    const answer = await raw(front, `GET /bait HTTP/1.1\r\nHost: a\r\n\r\n${UPGRADE}\r\n${next}`);
    expect(answer.match(/127\.0\.0\.1/g)).toHaveLength(2);
    expect(answer).not.toContain("10.0.0.1");
  });

  it("to HTTP/2 is not taken up", async () => {
    const { front } = await frontOf(mirror);
    const offer =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk";
    const answer = await raw(front, `${offer}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).not.toContain("h2c");
  });
});

describe("close", () => {
  it("ends connections that never asked for anything at once, and others with the Worker's", async () => {
    const { front, server } = await frontOf(mirror);
    const agent = new http.Agent({ keepAlive: true });
    const [answer] = (await once(http.get({ port: front.port, agent }), "response")) as [http.IncomingMessage];
    await text(answer);
    const silent = net.connect(front.port, "127.0.0.1");
    await once(silent, "connect");
    await sleep(50);
    const started = performance.now();
    const closed = front.close();
    await once(silent, "close");
    server.closeIdleConnections();
    await closed;
    expect(performance.now() - started).toBeLessThan(1000);
    await expect(fetch(`http://127.0.0.1:${front.port}/`)).rejects.toThrow();
    agent.destroy();
  });

  it("lets running requests finish", async () => {
    const { front, server } = await frontOf(async (request, response) => {
      response.end(await text(request));
    });
    const agent = new http.Agent({ keepAlive: true });
    const upload = http.request({ port: front.port, method: "PUT", agent });
    upload.write("one ");
    await sleep(100);
    const closed = front.close();
    await sleep(100);
    upload.end("two");
    const [answer] = (await once(upload, "response")) as [http.IncomingMessage];
    expect(await text(answer)).toBe("one two");
    server.closeIdleConnections();
    await closed;
    agent.destroy();
  });
});

describe("with a certificate", () => {
  async function secureFront() {
    const folder = mkdtempSync(path.join(tmpdir(), "entrepot-front-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const certificate = await ownCertificate(folder, "127.0.0.1");
    return { ...(await frontOf(mirror, { certificate })), certificate };
  }

  it("it serves HTTPS", async () => {
    const { front, certificate } = await secureFront();
    const request = https.get({ port: front.port, host: "127.0.0.1", ca: certificate.cert });
    const [answer] = (await once(request, "response")) as [http.IncomingMessage];
    expect(JSON.parse(await text(answer)).rawHeaders).toContain(ADDRESS);
  });

  it.each(["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"])(
    "it tells a client that speaks HTTP: %j",
    async (request) => {
      const { front } = await secureFront();
      const [head, body] = (await raw(front, request, true)).split("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(head).toMatch(/\r\nConnection: close\r\n/);
      expect(body).toBe("Client sent an HTTP request to an HTTPS server.\n");
    },
  );

  it("it says nothing to what is neither", async () => {
    const { front } = await secureFront();
    expect(await raw(front, "\x80\x00\x01 nothing known", true)).toBe("");
    expect(await raw(front, "", true)).toBe("");
  });

  it("close ends connections that have not agreed on keys", async () => {
    const { front } = await secureFront();
    const silent = net.connect(front.port, "127.0.0.1");
    const begun = net.connect(front.port, "127.0.0.1");
    begun.write(Buffer.from([22, 3, 1]));
    for (const socket of [silent, begun]) socket.on("error", () => {});
    const ended = Promise.all([once(silent, "close"), once(begun, "close")]);
    await sleep(100);
    await front.close();
    await ended;
  });
});

async function text(message: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Writes a MiB, and resolves once it was taken. */
async function written(upload: http.ClientRequest): Promise<boolean> {
  return new Promise((resolve) => {
    upload.write(Buffer.alloc(MIB), () => resolve(true));
  });
}
