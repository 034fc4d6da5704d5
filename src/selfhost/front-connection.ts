import net from "node:net";
import { type Passed, RequestStream } from "./request-stream.ts";

/** Where a connection leads. */
export interface ConnectionOptions {
  /** Where the Worker listens on loopback. */
  readonly workerPort: number;
  /** Header that tells the Worker the client's address. Nobody else's is let through. */
  readonly addressHeader?: string;
}

/** How long an end of a connection may go on, in milliseconds, once there is nothing more to tell it. */
const LINGER_MS = 5000;

/** How much waits for the Worker while it does not take it, in bytes. */
const BUFFER_BYTES = 256 * 1024;

const SOCKET = { noDelay: true, highWaterMark: BUFFER_BYTES, allowHalfOpen: false } as const;

const REFUSALS = { 400: "Bad Request", 431: "Request Header Fields Too Large" } as const;

/**
 * Pipes a client's connection to one of the Worker's, and tells it in each request's head where it came from. Answers
 * what the client has asked for so far.
 */
export function pipe(client: net.Socket, options: ConnectionOptions): RequestStream {
  const worker = new WorkerSocket(SOCKET).connect(options.workerPort, "127.0.0.1");
  const requests = new RequestStream(
    options.addressHeader === undefined
      ? undefined
      : { name: options.addressHeader, value: plainAddress(client.remoteAddress ?? "") },
  );
  /** How many requests the client had made when the Worker last said something. */
  let answered = 0;
  let over = false;

  const pass = ({ forward, refused }: Passed): void => {
    worker.cork();
    for (const piece of forward) worker.write(piece);
    worker.uncork();
    if (refused !== undefined) refuse(refused);
    else if (requests.waiting || worker.writableNeedDrain) client.pause();
  };
  /** Nothing more comes from the Worker. */
  const finish = (): void => {
    if (over) return;
    over = true;
    worker.destroy();
    endGently(client);
  };
  const refuse = ({ status, request }: NonNullable<Passed["refused"]>): void => {
    worker.unpipe(client);
    // Otherwise the answer to an earlier request is outstanding, or there is one to this.
    if (answered === request - 1) {
      client.write(`HTTP/1.1 ${status} ${REFUSALS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
    finish();
  };

  client.on("data", (chunk: Buffer) => {
    if (!over) pass(requests.push(chunk));
  });
  worker.on("drain", () => {
    if (!requests.waiting) client.resume();
  });
  worker.on("data", () => {
    answered = requests.count;
  });
  watchForUpgrade(worker, requests, (passed) => {
    client.resume();
    pass(passed);
  });
  worker.pipe(client);
  worker.on("error", () => {});
  worker.once("end", finish);
  worker.once("close", finish);
  client.on("error", () => {});
  client.once("end", () => {
    if (over) return;
    // A client may close its half once it has said all. One that does so in the middle of a request or of an answer is
    // gone: a watch with nothing to say would not find out.
    if (requests.idle && answered < requests.count) worker.end();
    else client.destroy();
  });
  client.once("close", () => {
    over = true;
    // A closed half would not tell the Worker that nobody takes the rest of an answer; but what has arrived of an upload
    // must not be lost with the connection.
    if (requests.idle && answered === requests.count) worker.resetAndDestroy();
    else worker.destroySoon();
    if (worker.closed) return;
    const timer = setTimeout(() => worker.destroy(), LINGER_MS);
    worker.once("close", () => clearTimeout(timer));
  });
  return requests;
}

/** Ends a connection after `last`. What the other end still sends is not waited for, but it may read what it was told. */
export function endGently(socket: net.Socket, last = ""): void {
  socket.end(last);
  socket.resume();
  const linger = (): void => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  };
  if (socket.writableFinished) linger();
  else socket.once("finish", linger);
}

/**
 * A connection to the Worker on which a write that fails does not end what is to be read: the Worker closes the
 * connection of a body that it does not want, and has answered before.
 */
class WorkerSocket extends net.Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, callback: () => void): void {
    super._write(chunk, encoding, () => callback());
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: () => void): void {
    super._writev?.(chunks, () => callback());
  }
}

const SWITCHED = "HTTP/1.1 101 ";

/** Tells the requests whether the Worker's first bytes are the switch to a WebSocket. */
function watchForUpgrade(worker: net.Socket, requests: RequestStream, then: (passed: Passed) => void): void {
  let status = "";
  const read = (chunk: Buffer): void => {
    status += chunk.toString("latin1", 0, SWITCHED.length - status.length);
    if (status.length < SWITCHED.length) return;
    worker.off("data", read);
    const waited = requests.waiting;
    const passed = requests.firstAnswered(status === SWITCHED);
    if (waited) then(passed);
  };
  worker.on("data", read);
}

/** An IPv4 address as such, where the socket takes both. @see RFC 4291, section 2.5.5.2 */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}
