import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Certificate } from "./tls.ts";

/** What the front is started with. */
export interface FrontOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Where the Worker listens on loopback. */
  readonly workerPort: number;
  /** Serves HTTPS if it is there. */
  readonly certificate?: Certificate;
  /** Header that tells the Worker the client's address. Nobody else's is let through. */
  readonly addressHeader?: string;
}

/** What is in front of the Worker where clients are not on this machine, or come by TLS. */
export interface Front {
  readonly port: number;
  /** Takes no new connection, and resolves when the running requests have ended or after `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

/** Bytes of a request's or an answer's head: an identity token of 16 KiB fits, in base64 once more. */
const MAX_HEAD_BYTES = 64 * 1024;

/** How long an idle connection of a client is kept, in milliseconds. */
const CLIENT_IDLE_MS = 65_000;

/** The runtime closes connections that are idle for 5 seconds; ours to it must be gone before. */
const WORKER_IDLE_MS = 3000;

/** How long a client may go on with a body that nobody reads, once it has its answer. */
const LINGER_MS = 5000;

/** How much is read at once, in bytes. */
const CHUNK_BYTES = 256 * 1024;

/** Headers that are about one connection only. @see RFC 9110, section 7.6.1 */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"]);

/** Headers that `Connection` cannot make hop-by-hop: without them the message would be another. */
const ESSENTIAL = new Set(["host", "content-length", "transfer-encoding", "authorization", "cookie"]);

/** Forwards every request to the Worker, as it came, with the client's address. Resolves once it listens. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const agent = new http.Agent({ keepAlive: true, timeout: WORKER_IDLE_MS, maxFreeSockets: 256, scheduling: "lifo" });
  const settings = {
    requestTimeout: 0,
    keepAliveTimeout: CLIENT_IDLE_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
    keepAlive: true,
    highWaterMark: CHUNK_BYTES,
    // An upgrade to anything else, such as HTTP/2, is an offer that is not taken up.
    shouldUpgradeCallback: ({ headers }: http.IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
  };
  const { certificate } = options;
  const server =
    certificate === undefined
      ? http.createServer(settings)
      : https.createServer({ ...settings, ...certificate, ALPNProtocols: ["http/1.1"] });
  // Otherwise Node ends the connection with the client's half of it; `forward` knows better.
  Object.assign(server, { httpAllowHalfOpen: true });
  const forwarder = new Forwarder(options, agent);
  server.on("request", (request, response) => forwarder.forward(request, response));
  server.on("upgrade", (request, socket, head) => forwarder.upgrade(request, socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(patience) {
      forwarder.closing = true;
      // Connections end as soon as their requests have; those that take too long are cut.
      const sweep = setInterval(() => server.closeIdleConnections(), 20);
      const cut = setTimeout(() => {
        server.closeAllConnections();
        forwarder.cutTunnels();
      }, patience);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearInterval(sweep);
      clearTimeout(cut);
      agent.destroy();
    },
  };
}

class Forwarder {
  closing = false;
  readonly #options: FrontOptions;
  readonly #agent: http.Agent;
  readonly #tunnels = new Set<Duplex>();

  constructor(options: FrontOptions, agent: http.Agent) {
    this.#options = options;
    this.#agent = agent;
  }

  cutTunnels(): void {
    for (const socket of this.#tunnels) socket.destroy();
  }

  forward(request: http.IncomingMessage, response: http.ServerResponse, retried = false): void {
    const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
    const headers = this.#requestHead(request);
    // Without it, Node would take a method that usually has a body to have one.
    if (!hasBody && !["GET", "HEAD"].includes(request.method ?? "")) headers.push("Content-Length", "0");
    const onward = this.#send(request, headers);
    if (onward === undefined) {
      response.writeHead(400).end();
      return;
    }
    const stop = hasBody ? pump(request, onward) : () => {};
    let answered = false;
    onward.once("response", (answer) => {
      answered = true;
      // The Worker has its reasons not to wait for the rest.
      if (!request.complete) {
        stop();
        linger(request, response);
      }
      this.#answer(answer, response);
    });
    onward.on("error", (error: NodeJS.ErrnoException) => {
      // The answer, if there is one, ends in its own way.
      if (answered || response.destroyed) return;
      if (onward.reusedSocket && !hasBody && !retried && error.code === "ECONNRESET") {
        this.forward(request, response, true);
        return;
      }
      stop();
      response.writeHead(502, { "Content-Type": "text/plain" }).end("the server is not there\n");
      linger(request, response);
    });
    // A client may close its half once it has said all. One that does so in the middle of the answer is gone: a watch
    // with nothing to say would not find out.
    const { socket } = request;
    const half = (): void => {
      if (response.headersSent) socket.destroy();
    };
    socket.once("end", half);
    response.once("close", () => {
      socket.off("end", half);
      // Also after the end of the answer; then there is nothing left to break off.
      onward.destroy();
    });
    if (!hasBody) onward.end();
  }

  /** WebSockets: once the Worker has agreed, bytes go to and fro. */
  upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      // Only where Node does not ask first (before version 24). A body has not been parsed, and cannot be.
      const body = "transfer-encoding" in request.headers || Number(request.headers["content-length"] ?? 0) > 0;
      if (body) socket.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      else this.forward(request, responseOn(socket, request));
      return;
    }
    const headers = [...this.#requestHead(request), "Connection", "Upgrade", "Upgrade", "websocket"];
    const onward = this.#send(request, headers, false);
    if (onward === undefined) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    socket.once("close", () => onward.destroy());
    onward.on("error", () => socket.destroy());
    onward.once("response", (answer) => this.#answer(answer, responseOn(socket, request)));
    onward.once("upgrade", (answer, worker, rest) => {
      socket.write(rawHead(answer));
      socket.write(rest);
      worker.write(head);
      this.#tunnels.add(socket);
      worker.on("error", () => socket.destroy());
      worker.once("close", () => socket.destroy());
      socket.once("close", () => {
        this.#tunnels.delete(socket);
        worker.destroy();
      });
      socket.pipe(worker).pipe(socket);
    });
    onward.end();
  }

  /** The request to the Worker, its head on the way; `undefined` if there can be none. */
  #send(request: http.IncomingMessage, headers: string[], reuse = true): http.ClientRequest | undefined {
    try {
      return http.request({
        host: "127.0.0.1",
        port: this.#options.workerPort,
        method: request.method,
        path: request.url,
        headers,
        agent: reuse ? this.#agent : false,
        maxHeaderSize: MAX_HEAD_BYTES,
      });
    } catch {
      return undefined;
    }
  }

  #requestHead(request: http.IncomingMessage): string[] {
    const { addressHeader } = this.#options;
    const own = addressHeader?.toLowerCase();
    const headers = endToEnd(request, (name) => name !== own && name !== "expect");
    const address = request.socket.remoteAddress;
    if (addressHeader !== undefined && address !== undefined) headers.push(addressHeader, plainAddress(address));
    return headers;
  }

  #answer(answer: http.IncomingMessage, response: http.ServerResponse): void {
    if (this.closing) response.shouldKeepAlive = false;
    const headers = endToEnd(answer, (name) => name !== "transfer-encoding");
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    answer.once("close", () => {
      // Broken off: the client must not take what it has for the whole.
      if (!answer.complete) response.destroy();
    });
    answer.on("error", () => response.destroy());
    answer.pipe(response);
    // A head whose body is long in coming goes first; otherwise both go at once.
    setImmediate(() => {
      if (!response.writableEnded && !response.destroyed) response.flushHeaders();
    });
  }
}

/**
 * Sends the body on, and answers what stops that. Before each piece there is a turn in which an answer can be read: the
 * Worker closes the connection of a body that it does not want, and a write to it would take the unread answer with it.
 */
function pump(request: http.IncomingMessage, onward: http.ClientRequest): () => void {
  let stopped = false;
  const resume = (): void => {
    if (!stopped) request.resume();
  };
  const take = (chunk: Buffer): void => {
    request.pause();
    setImmediate(() => {
      if (stopped || onward.destroyed) return;
      if (onward.write(chunk)) resume();
      else onward.once("drain", resume);
    });
  };
  // After the turn of the last piece.
  const finish = (): void => {
    setImmediate(() => {
      if (!stopped) onward.end();
    });
  };
  request.on("data", take);
  request.once("end", finish);
  return () => {
    stopped = true;
    request.off("data", take);
    request.off("end", finish);
  };
}

/** Lets a client take its answer that is still sending, rather than cut the connection under it. */
function linger(request: http.IncomingMessage, response: http.ServerResponse): void {
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  response.once("close", () => clearTimeout(timer));
}

/** The headers that are for the other end, in their order and spelling, and as often as they came. */
function endToEnd(message: http.IncomingMessage, wanted: (name: string) => boolean): string[] {
  const named = (message.headers.connection ?? "").toLowerCase().split(/[\s,]+/);
  const headers: string[] = [];
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    const [name, value] = [message.rawHeaders[index] ?? "", message.rawHeaders[index + 1] ?? ""];
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || (named.includes(key) && !ESSENTIAL.has(key)) || !wanted(key)) continue;
    headers.push(name, value);
  }
  return headers;
}

/** An answer by hand, for a socket that the server has given away. */
function responseOn(socket: Duplex, request: http.IncomingMessage): http.ServerResponse {
  const response = new http.ServerResponse(request);
  response.shouldKeepAlive = false;
  if (socket instanceof net.Socket) response.assignSocket(socket);
  response.once("finish", () => socket.end());
  return response;
}

function rawHead(answer: http.IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** An IPv4 address as such, where the socket takes both. @see RFC 4291, section 2.5.5.2 */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}
