import type net from "node:net";
import tls from "node:tls";
import { type ConnectionOptions, endGently, pipe } from "./front-connection.ts";
import type { RequestStream } from "./request-stream.ts";
import type { Certificate } from "./tls.ts";

/** What a worker of the front is started with. It goes over a pipe as JSON. */
export interface AcceptorOptions extends ConnectionOptions {
  /** Serves HTTPS if it is there. */
  readonly certificate?: Certificate;
  /** 48 bytes in base64, the same for all workers: a client may resume its session with any of them. */
  readonly ticketKeys?: string;
}

/** What a worker is told: what it is started with, that a connection comes along, or to take leave of its clients. */
export type WorkerMessage = { readonly start: AcceptorOptions } | "connection" | "close";

/** Serves connections that somebody else accepted. */
export interface Acceptor {
  accept(connection: net.Socket): void;
  /**
   * Ends the connections that never asked for anything. The others end with those of the Worker, which knows what is
   * running. Resolves when all have.
   */
  close(): Promise<void>;
}

/** How long a client may take to agree on a key, in milliseconds. */
const HANDSHAKE_MS = 120_000;

/** The first byte of a TLS connection. @see RFC 8446, section 5.1 */
const HANDSHAKE_RECORD = 22;

/** How requests of HTTP/1.1 begin. @see RFC 9112, section 3 */
const REQUEST_LINE = /^[A-Z]+ /;

const PLAIN_TEXT = "Client sent an HTTP request to an HTTPS server.\n";

const PLAIN_ANSWER = [
  "HTTP/1.1 400 Bad Request",
  "Connection: close",
  "Content-Type: text/plain; charset=utf-8",
  `Content-Length: ${PLAIN_TEXT.length}`,
  "",
  PLAIN_TEXT,
].join("\r\n");

/** Pipes connections to the Worker: by TLS if there is a certificate. */
export function createAcceptor(options: AcceptorOptions): Acceptor {
  /** What those asked for that came so far as to ask. */
  const connections = new Map<net.Socket, RequestStream | undefined>();
  const closed = Promise.withResolvers<void>();
  let closing = false;
  const secure = options.certificate === undefined ? undefined : secureContext(options.certificate, options.ticketKeys);
  const isUseless = (requests: RequestStream | undefined): boolean =>
    requests === undefined || (requests.count === 0 && requests.idle);
  return {
    accept(connection) {
      connection.allowHalfOpen = true;
      connection.setNoDelay(true);
      connection.setKeepAlive(true);
      connection.on("error", () => {});
      connections.set(connection, undefined);
      connection.once("close", () => {
        connections.delete(connection);
        if (closing && connections.size === 0) closed.resolve();
      });
      const take = (client: net.Socket): void => {
        connections.set(connection, pipe(client, options));
      };
      if (secure === undefined) take(connection);
      else startTls(connection, secure, take);
    },
    async close() {
      closing = true;
      if (connections.size === 0) return;
      for (const [connection, requests] of connections) if (isUseless(requests)) connection.destroy();
      await closed.promise;
    },
  };
}

function secureContext(certificate: Certificate, ticketKeys: string | undefined): tls.SecureContext {
  return tls.createSecureContext({
    ...certificate,
    ...(ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(ticketKeys, "base64") }),
  });
}

/** Agrees with the client on keys, then gives its connection to `take`. One that speaks HTTP is told that this is HTTPS. */
function startTls(connection: net.Socket, secureContext: tls.SecureContext, take: (client: net.Socket) => void): void {
  const timer = setTimeout(() => connection.destroy(), HANDSHAKE_MS);
  connection.once("close", () => clearTimeout(timer));
  connection.once("data", (first: Buffer) => {
    connection.pause();
    if (first[0] !== HANDSHAKE_RECORD) {
      clearTimeout(timer);
      endGently(connection, REQUEST_LINE.test(first.toString("latin1", 0, 16)) ? PLAIN_ANSWER : "");
      return;
    }
    connection.unshift(first);
    const client = new tls.TLSSocket(connection, {
      isServer: true,
      secureContext,
      ALPNProtocols: ["http/1.1"],
    });
    client.on("error", () => {});
    client.once("secure", () => {
      clearTimeout(timer);
      take(client);
    });
  });
  connection.once("end", () => {
    if (connection.bytesRead === 0) connection.destroy();
  });
}

/** Takes connections from the process that listens, until that one says so or is gone. */
function serveParent(): void {
  // A terminal's Ctrl-C reaches everyone. When to end is the parent's to say.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  let acceptor: Acceptor | undefined;
  process.on("message", (message: WorkerMessage, connection?: net.Socket) => {
    if (message === "connection") {
      // One that has ended on the way is not there.
      if (connection === undefined || acceptor === undefined) return void process.send?.("closed");
      connection.once("close", () => process.send?.("closed"));
      acceptor.accept(connection);
    } else if (message === "close") void (acceptor?.close() ?? Promise.resolve()).then(() => process.exit(0));
    else acceptor = createAcceptor(message.start);
  });
  process.on("disconnect", () => process.exit(0));
}

if (import.meta.main) serveParent();
