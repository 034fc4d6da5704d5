import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ADDRESS, type Front, frontOf, MIB, mirror, raw, text } from "./front.fixture.ts";
import type { AcceptorOptions } from "./front-worker.ts";

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
    const [arrived, broken] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
    const { front } = await frontOf((request) => {
      let length = 0;
      request.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length === MIB) arrived.resolve();
      });
      request.on("error", () => broken.resolve(length));
    });
    const upload = http.request({ port: front.port, method: "PUT", headers: { "Content-Length": 10 * MIB } });
    upload.on("error", () => {});
    upload.write(Buffer.alloc(MIB));
    await arrived.promise;
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

/** Writes a MiB, and resolves once it was taken. */
async function written(upload: http.ClientRequest): Promise<boolean> {
  return new Promise((resolve) => {
    upload.write(Buffer.alloc(MIB), () => resolve(true));
  });
}
