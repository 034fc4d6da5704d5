import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type AcceptorOptions, createAcceptor } from "./front-worker.ts";

export const MIB = 1024 * 1024;
/** The header in which the Worker has the client's address. */
export const ADDRESS = "x-entrepot-0123456789abcdef01234567";

/** The front, in the test's own process. */
export interface Front {
  readonly port: number;
  /** How many connections it has accepted. */
  accepted(): number;
  close(): Promise<void>;
}

/** A front of a server that stands for the Worker, until the test ends. */
export async function frontOf(worker: http.RequestListener, options: Partial<AcceptorOptions> = {}) {
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, worker);
  // As the runtime, it answers a client that has closed its half.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
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
    accepted: () => taken.size,
    async close() {
      listener.close();
      await acceptor.close();
    },
  };
  onTestFinished(async () => {
    for (const connection of taken) connection.destroy();
    await front.close();
  });
  return { front, server };
}

/** Sends bytes as they are, and answers all that comes back until the connection ends. */
export async function raw(front: Front, text: string, end = false): Promise<string> {
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
export const mirror: http.RequestListener = (request, response) => {
  const { method, url, rawHeaders } = request;
  response.end(JSON.stringify({ method, url, rawHeaders }));
};

/** The whole body, as text. */
export async function text(message: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
