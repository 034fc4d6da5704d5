import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { frontOf, MIB, mirror, raw, text } from "./front.fixture.ts";

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
    // The Worker sends each part when the client has the one before it.
    const has = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { front } = await frontOf(async (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.flushHeaders();
      await has[0]?.promise;
      response.write("first\n");
      await has[1]?.promise;
      response.end("second\n");
    });
    const [answer] = (await once(http.get({ port: front.port }), "response")) as [http.IncomingMessage];
    has[0]?.resolve();
    const parts: string[] = [];
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part.toString());
      has[1]?.resolve();
    }
    expect(parts).toEqual(["first\n", "second\n"]);
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
