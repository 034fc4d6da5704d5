import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ADDRESS, frontOf, mirror, raw, text } from "./front.fixture.ts";
import { ownCertificate } from "./tls.ts";

/** How long a connection may take to be accepted, in milliseconds. */
const PATIENCE = 30_000;

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
    await vi.waitUntil(() => front.accepted() === 2, PATIENCE);
    const closed = front.close();
    await once(silent, "close");
    server.closeIdleConnections();
    await closed;
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
    await once(server, "request");
    const closed = front.close();
    await setImmediate();
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
    onTestFinished(() => rmSync(folder, { recursive: true }));
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
    await vi.waitUntil(() => front.accepted() === 2, PATIENCE);
    await front.close();
    await ended;
  });
});
