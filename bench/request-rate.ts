import { connect, type Socket } from "node:net";

/** What is asked over and over. */
export interface RateOptions {
  readonly method: "GET" | "HEAD";
  readonly url: string;
  /** Each has one request under way at a time. */
  readonly connections: number;
  readonly seconds: number;
  /** The value of `Authorization`; none if absent. */
  readonly authorization?: string;
}

/** What a client sends that pulls images; docker-registry answers 404 without it. */
const ACCEPT = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, */*";

/**
 * Requests answered per second, over connections that are kept. A loop of our own, because `wrk` waits for the body of
 * an answer to `HEAD` forever, and `ab` speaks HTTP/1.0.
 * @throws if an answer's status is not 200
 */
export async function requestRate(options: RateOptions): Promise<number> {
  const { connections, seconds } = options;
  const start = performance.now();
  const deadline = start + seconds * 1000;
  const counts = await Promise.all(Array.from({ length: connections }, () => ask(options, deadline)));
  return (counts.reduce((sum, count) => sum + count, 0) * 1000) / (performance.now() - start);
}

async function ask({ method, url, authorization }: RateOptions, deadline: number): Promise<number> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const credential = authorization === undefined ? "" : `Authorization: ${authorization}\r\n`;
  const head = `${method} ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${ACCEPT}\r\n${credential}\r\n`;
  const request = Buffer.from(head);
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const answers = new AnswerCounter(method);
    socket.once("error", reject);
    socket.once("connect", () => socket.write(request));
    socket.once("close", () => reject(new Error(`${url}: the connection was closed`)));
    socket.on("data", (bytes) => {
      const failure = answers.take(bytes);
      if (failure !== undefined) reject(new Error(`${url}: ${failure}`));
      if (!answers.complete) return;
      if (performance.now() < deadline) {
        socket.write(request);
        return;
      }
      socket.removeAllListeners("close");
      socket.destroy();
      resolve(answers.count);
    });
  });
}

/** How a body in chunked coding ends. @see RFC 9112, section 7.1 */
const LAST = "\r\n0\r\n\r\n";

/** Finds where answers end. */
class AnswerCounter {
  readonly #bodiless: boolean;
  #head = "";
  /** Bytes of the body that are still to come; -1 while the head is, infinite if only its end tells. */
  #missing = -1;
  /** The last bytes of a body in chunked coding. */
  #tail = "";
  count = 0;

  constructor(method: string) {
    this.#bodiless = method === "HEAD";
  }

  /** Whether no answer is under way. */
  get complete(): boolean {
    return this.#missing === -1 && this.#head === "";
  }

  /** Takes bytes of an answer. Answers what is wrong with it, if something is. */
  take(bytes: Buffer): string | undefined {
    if (this.#missing === Infinity)
      this.#endOfChunks(bytes.toString("latin1", Math.max(0, bytes.length - LAST.length)));
    else if (this.#missing >= 0) this.#missing -= bytes.byteLength;
    else {
      this.#head += bytes.toString("latin1");
      const end = this.#head.indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      if (!this.#head.startsWith("HTTP/1.1 200")) return this.#head.slice(0, 200);
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1];
      const chunked = /\r\ntransfer-encoding: chunked/i.test(this.#head);
      if (length === undefined && !chunked && !this.#bodiless) return "no content-length";
      if (this.#bodiless) this.#missing = 0;
      else if (chunked) this.#endOfChunks(this.#head.slice(end + 2));
      else this.#missing = Number(length) - (this.#head.length - end - 4);
    }
    if (this.#missing > 0) return undefined;
    this.#head = "";
    this.#missing = -1;
    this.count += 1;
    return undefined;
  }

  /** Sees whether a body in chunked coding has ended. Nothing that is measured has such bytes within. */
  #endOfChunks(last: string): void {
    this.#tail = (this.#tail + last).slice(-LAST.length);
    const over = this.#tail === LAST;
    this.#missing = over ? 0 : Infinity;
    if (over) this.#tail = "";
  }
}
