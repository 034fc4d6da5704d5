import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { registryFetch } from "./registry-fetch.ts";

const servers: http.Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

const fetch = registryFetch({}, true);

describe("registryFetch", () => {
  it("sends a stream whose length is given without chunked coding", async () => {
    const url = await serve(async (request, response) => {
      const { "content-length": length, "transfer-encoding": coding } = request.headers;
      response.end(JSON.stringify([request.method, length, coding ?? null, await text(request)]));
    });
    const body = new Blob(["four", "score"]).stream();
    const answer = await fetch(url, { method: "PUT", headers: { "content-length": "9" }, body });
    expect(await answer.json()).toEqual(["PUT", "9", null, "fourscore"]);
  });

  it("answers a redirect as it is, with every value of its headers", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(307, { location: "/elsewhere", link: ["<a>", "<b>"] }).end("moved");
    });
    const answer = await fetch(url, {});
    expect([answer.status, answer.headers.get("location"), answer.headers.get("link")]).toEqual([
      307,
      "/elsewhere",
      "<a>, <b>",
    ]);
    expect(await answer.text()).toBe("moved");
  });

  it("has no body where there is none, and the length of a HEAD", async () => {
    const url = await serve((request, response) => {
      response.writeHead(
        request.method === "HEAD" ? 200 : 204,
        request.method === "HEAD" ? { "content-length": 7 } : {},
      );
      response.end();
    });
    const [head, empty] = [await fetch(url, { method: "HEAD" }), await fetch(url, { method: "DELETE" })];
    expect([head.status, head.body, head.headers.get("content-length")]).toEqual([200, null, "7"]);
    expect([empty.status, empty.body]).toEqual([204, null]);
  });

  it("unpacks what is packed although that was not asked for", async () => {
    const url = await serve((_request, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync("plain"));
    });
    expect(await (await fetch(url, {})).text()).toBe("plain");
  });

  it("passes on why a body that is sent failed", async () => {
    const url = await serve((request) => void request.resume());
    const reason = new Error("the source broke off");
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(reason) });
    await expect(fetch(url, { method: "PUT", headers: { "content-length": "9" }, body })).rejects.toBe(reason);
  });

  it("fails a body that breaks off, and ends a connection whose body is given up or whose caller ends", async () => {
    let closed = 0;
    const url = await serve((request, response) => {
      response.on("close", () => {
        closed += 1;
      });
      response.writeHead(200, { "content-length": 1_000_000 }).write("some");
      if (request.url === "/broken") setTimeout(() => response.destroy(), 20);
    });
    await expect((await fetch(`${url}/broken`, {})).text()).rejects.toThrow();
    await (await fetch(url, {})).body?.cancel();
    const end = new AbortController();
    const answer = await fetch(url, { signal: end.signal });
    const rest = answer.text();
    end.abort(new Error("over"));
    await expect(rest).rejects.toThrow();
    await expect.poll(() => closed, { timeout: 10_000 }).toBe(3);
  });
});
