import { connect } from "node:net";
import type { Payload } from "./payload.ts";

/** What is sent. */
export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Payload;
  /** How the body's end is told; `chunked` is what docker does. */
  readonly coding?: "length" | "chunked";
}

/** What came back. The body is counted, not kept. */
export interface WireAnswer {
  readonly status: number;
  readonly location: string | undefined;
  /** Bytes of the body, as far as `Content-Length` or the end of the connection tells. */
  readonly received: number;
}

/** Memory into which answers are read, for one connection at a time. */
const READ_BYTES = 1024 * 1024;

/**
 * One request on a connection of its own, by as little code as possible: client and server share the machine, so what
 * the client spends is missing from what is measured.
 * @throws if the answer's status is not 2xx
 */
export async function exchange(request: WireRequest): Promise<WireAnswer> {
  const url = new URL(request.url);
  return new Promise((resolve, reject) => {
    let head: Head | undefined;
    let seen = Buffer.alloc(0);
    let received = 0;
    const finish = (): void => {
      socket.destroy();
      if (head === undefined) reject(new Error(`${request.method} ${url.pathname}: no answer`));
      else if (head.status < 200 || head.status > 299)
        reject(
          new Error(`${request.method} ${url.pathname}: ${head.status} ${seen.toString("latin1").slice(0, 1000)}`),
        );
      else resolve({ status: head.status, location: absolute(head.location, url), received });
    };
    const take = (bytes: Buffer): void => {
      if (head === undefined) {
        seen = Buffer.concat([seen, bytes]);
        head = parseHead(seen);
        received = head === undefined ? 0 : seen.byteLength - head.length;
      } else received += bytes.byteLength;
      if (head !== undefined && (request.body !== undefined || received >= (head.contentLength ?? Infinity))) finish();
    };
    const socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: new Uint8Array(READ_BYTES),
        callback: (count, buffer) => {
          take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
          return true;
        },
      },
    });
    socket.once("error", reject);
    socket.once("end", finish);
    socket.resume();
    socket.once("connect", () => {
      send().catch(reject);
    });
    const send = async (): Promise<void> => {
      socket.write(requestHead(request, url));
      for (const piece of request.body?.pieces(request.coding === "chunked") ?? []) {
        if (!socket.write(piece) && socket.writableNeedDrain) await drained();
        if (socket.destroyed) return;
      }
    };
    const drained = async (): Promise<void> =>
      new Promise((go) => {
        const on = (): void => {
          socket.off("drain", on);
          socket.off("close", on);
          go();
        };
        socket.on("drain", on);
        socket.on("close", on);
      });
  });
}

function requestHead(request: WireRequest, url: URL): string {
  const { body, coding } = request;
  const lines = [`${request.method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, "Connection: close"];
  for (const [name, value] of Object.entries(request.headers ?? {})) lines.push(`${name}: ${value}`);
  if (body === undefined) lines.push("Content-Length: 0");
  else {
    lines.push("Content-Type: application/octet-stream");
    lines.push(coding === "chunked" ? "Transfer-Encoding: chunked" : `Content-Length: ${body.size}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

interface Head {
  readonly status: number;
  /** Bytes, with the empty line. */
  readonly length: number;
  readonly location: string | undefined;
  readonly contentLength: number | undefined;
}

function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [start = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = headers.get("content-length");
  return {
    status: Number(start.split(" ")[1]),
    length: end + 4,
    location: headers.get("location"),
    contentLength: length === undefined ? undefined : Number(length),
  };
}

function absolute(location: string | undefined, base: URL): string | undefined {
  return location === undefined ? undefined : new URL(location, base).href;
}
