import { type OwnHeader, parseHeaderLine, readRequestHead } from "./request-head.ts";

/** What became of bytes of the client. */
export interface Passed {
  /** Bytes for the Worker. */
  readonly forward: readonly Buffer[];
  /** What to end the connection with: a status, and which of its requests that answers, from 1. */
  readonly refused?: { readonly status: 400 | 431; readonly request: number };
}

/** A step that cannot be taken. */
interface Refusal {
  readonly status: 400 | 431;
}

/** Bytes of a head, and of a chunked body's trailers: an identity token of 16 KiB fits, in base64 once more. */
const MAX_HEAD_BYTES = 32 * 1024;

/** Bytes of a chunk's size with its extensions. */
const MAX_SIZE_LINE_BYTES = 4096;

/** A size that is an exact number, and extensions. @see RFC 9112, section 7.1 */
const SIZE_LINE = /^([0-9a-f]{1,13})(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;

type State = "head" | "body" | "size" | "chunk" | "chunk-end" | "trailers" | "upgrade" | "raw" | "refused";

const EMPTY = Buffer.alloc(0);

/**
 * The client's direction of a connection: it finds the heads of the requests and edits them; bodies pass as they are.
 * A chunked body loses its extensions and trailers, about which parsers differ most and which the Worker does not see.
 */
export class RequestStream {
  /** How many requests were passed on, the one in its body included. */
  count = 0;
  readonly #own: OwnHeader | undefined;
  #state: State = "head";
  /** The start of what is only understood as a whole. */
  #held: Buffer = EMPTY;
  /** Bytes until the end of the body or the chunk. */
  #left = 0;
  #trailerBytes = 0;
  /** Only the first request is an upgrade: the first bytes of the Worker are the answer to it. */
  #mayUpgrade = true;

  constructor(own: OwnHeader | undefined) {
    this.#own = own;
  }

  /** Whether the client is between two requests. */
  get idle(): boolean {
    return this.#state === "head" && this.#held.length === 0;
  }

  /** Whether it takes no more before `firstAnswered` was called. */
  get waiting(): boolean {
    return this.#state === "upgrade";
  }

  /** Says whether the Worker's first answer is the switch to a WebSocket. Only then do bytes pass unseen. */
  firstAnswered(switched: boolean): Passed {
    this.#mayUpgrade = false;
    if (this.#state === "upgrade") this.#state = switched ? "raw" : "head";
    return this.push(EMPTY);
  }

  push(chunk: Buffer): Passed {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    const forward: Buffer[] = [];
    while (rest.length > 0) {
      const used = this.#step(rest, forward);
      if (typeof used === "object") {
        const request = this.#state === "head" ? this.count + 1 : this.count;
        this.#state = "refused";
        return { forward, refused: { status: used.status, request } };
      }
      if (used === 0) {
        this.#held = rest;
        break;
      }
      rest = rest.subarray(used);
    }
    return { forward };
  }

  /** Takes one thing off the front of `data`, and answers how long it was; 0 if more must come first. */
  #step(data: Buffer, forward: Buffer[]): number | Refusal {
    switch (this.#state) {
      case "head":
        return this.#head(data, forward);
      case "body":
      case "chunk": {
        const used = Math.min(this.#left, data.length);
        append(forward, data.subarray(0, used));
        this.#left -= used;
        if (this.#left === 0) this.#state = this.#state === "body" ? "head" : "chunk-end";
        return used;
      }
      case "size":
        return this.#size(data, forward);
      case "chunk-end": {
        if (data.length < 2) return 0;
        if (data[0] !== 13 || data[1] !== 10) return { status: 400 };
        append(forward, data.subarray(0, 2));
        this.#state = "size";
        return 2;
      }
      case "trailers":
        return this.#trailer(data, forward);
      case "raw":
        forward.push(data);
        return data.length;
      case "upgrade":
        return 0;
      case "refused":
        return data.length;
    }
  }

  #head(data: Buffer, forward: Buffer[]): number | Refusal {
    // Some clients end a body with a line of its own. @see RFC 9112, section 2.2
    if (data[0] === 13 && data.length === 1) return 0;
    if (data[0] === 13 && data[1] === 10) return 2;
    const end = data.indexOf("\r\n\r\n");
    if (end === -1 ? data.length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES) return { status: 431 };
    if (end === -1) return hasBareLineEnd(data) ? { status: 400 } : 0;
    const head = readRequestHead(data.toString("latin1", 0, end), this.#own, this.#mayUpgrade);
    if (head === undefined) return { status: 400 };
    this.count += 1;
    this.#mayUpgrade = false;
    forward.push(head.bytes);
    if (head.upgrade) this.#state = "upgrade";
    else if (head.body === "chunked") this.#state = "size";
    else if (head.body > 0) {
      this.#state = "body";
      this.#left = head.body;
    }
    return end + 4;
  }

  #size(data: Buffer, forward: Buffer[]): number | Refusal {
    const line = readLine(data, MAX_SIZE_LINE_BYTES);
    if (typeof line !== "string") return line;
    const size = SIZE_LINE.exec(line)?.[1];
    if (size === undefined) return { status: 400 };
    const used = line.length + 2;
    append(forward, size === line ? data.subarray(0, used) : Buffer.from(`${size}\r\n`, "latin1"));
    this.#left = Number.parseInt(size, 16);
    this.#trailerBytes = 0;
    this.#state = this.#left === 0 ? "trailers" : "chunk";
    return used;
  }

  #trailer(data: Buffer, forward: Buffer[]): number | Refusal {
    const line = readLine(data, MAX_HEAD_BYTES - this.#trailerBytes);
    if (typeof line !== "string") return line;
    const used = line.length + 2;
    this.#trailerBytes += used;
    if (line === "") {
      append(forward, data.subarray(0, used));
      this.#state = "head";
    } else if (parseHeaderLine(line) === undefined) return { status: 400 };
    return used;
  }
}

/** The line that `data` starts with, as Latin-1; 0 if more must come first. */
function readLine(data: Buffer, limit: number): string | 0 | Refusal {
  const end = data.indexOf("\r\n");
  if (end === -1 ? data.length > limit : end > limit) return { status: 400 };
  if (end === -1) return data.includes(10) ? { status: 400 } : 0;
  return data.toString("latin1", 0, end);
}

/** Whether a line ends without a carriage return: its head would never end here, and elsewhere it might. */
function hasBareLineEnd(data: Buffer): boolean {
  for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) {
    if (data[at - 1] !== 13) return true;
  }
  return false;
}

/** Adds bytes to those to forward; what lies together stays together. */
function append(forward: Buffer[], bytes: Buffer): void {
  const last = forward.at(-1);
  if (last?.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
    forward[forward.length - 1] = Buffer.from(bytes.buffer, last.byteOffset, last.length + bytes.length);
  } else forward.push(bytes);
}
