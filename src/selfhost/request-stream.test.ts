import { describe, expect, it } from "vitest";
import { RequestStream } from "./request-stream.ts";

const OWN = { name: "x-own", value: "192.0.2.1" };
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SENT_GET = "GET / HTTP/1.1\r\nx-own: 192.0.2.1\r\nHost: a\r\n\r\n";
const PUT = "PUT / HTTP/1.1\r\n";
const SENT_PUT = "PUT / HTTP/1.1\r\nx-own: 192.0.2.1\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const SPOOF = "GET /spoofed HTTP/1.1\r\nx-own: 10.0.0.1\r\n\r\n";
const SENT_SPOOF = "GET /spoofed HTTP/1.1\r\nx-own: 192.0.2.1\r\n\r\n";
const UPGRADE = "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** What is forwarded of a text that comes in pieces of `size` bytes, and the status that it is refused with. */
function run(text: string, size = text.length, stream = new RequestStream(OWN)) {
  const bytes = Buffer.from(text, "latin1");
  let sent = "";
  for (let at = 0; at < bytes.length; at += size) {
    const { forward, refused } = stream.push(bytes.subarray(at, at + size));
    sent += Buffer.concat(forward).toString("latin1");
    if (refused !== undefined) return { sent, refused, idle: stream.idle };
  }
  return { sent, idle: stream.idle };
}

const SIZES = [1, 2, 3, 7, 1000];

describe.each(SIZES)("in pieces of %i bytes,", (size) => {
  it.each<[string, string, string]>([
    ["a request", GET, SENT_GET],
    ["requests in a row", GET + GET + SPOOF, SENT_GET + SENT_GET + SENT_SPOOF],
    ["empty lines before a request", `\r\n\r\n${GET}\r\n${GET}`, SENT_GET + SENT_GET],
    ["a body", `${PUT}Content-Length: 4\r\n\r\nbody${GET}`, `${SENT_PUT}Content-Length: 4\r\n\r\nbody${SENT_GET}`],
    [
      "a body that looks like a request",
      `${PUT}Content-Length: ${SPOOF.length}\r\n\r\n${SPOOF}${SPOOF}`,
      `${SENT_PUT}Content-Length: ${SPOOF.length}\r\n\r\n${SPOOF}${SENT_SPOOF}`,
    ],
    ["an empty body", `${PUT}Content-Length: 0\r\n\r\n${SPOOF}`, `${SENT_PUT}Content-Length: 0\r\n\r\n${SENT_SPOOF}`],
    ["no body", `PUT / HTTP/1.1\r\n\r\n${SPOOF}`, `${SENT_PUT}\r\n${SENT_SPOOF}`],
    [
      "chunks",
      `${PUT}${CHUNKED}4\r\nbody\r\n00A\r\n\r\n0\r\n\r\nabc\r\n0\r\n\r\n${GET}`,
      `${SENT_PUT}${CHUNKED}4\r\nbody\r\n00A\r\n\r\n0\r\n\r\nabc\r\n0\r\n\r\n${SENT_GET}`,
    ],
    [
      "chunks that look like requests",
      `${PUT}${CHUNKED}${SPOOF.length.toString(16)}\r\n${SPOOF}\r\n0\r\n\r\n${SPOOF}`,
      `${SENT_PUT}${CHUNKED}${SPOOF.length.toString(16)}\r\n${SPOOF}\r\n0\r\n\r\n${SENT_SPOOF}`,
    ],
    [
      "chunks with extensions",
      `${PUT}${CHUNKED}4;a=b;c="0 \r\nbody\r\n0;x-own: 10.0.0.1\r\n\r\n${GET}`,
      `${SENT_PUT}${CHUNKED}4\r\nbody\r\n0\r\n\r\n${SENT_GET}`,
    ],
    [
      "chunks with trailers",
      `${PUT}${CHUNKED}4\r\nbody\r\n0\r\nX-Own: 10.0.0.1\r\nDigest: x\r\n\r\n${GET}`,
      `${SENT_PUT}${CHUNKED}4\r\nbody\r\n0\r\n\r\n${SENT_GET}`,
    ],
    [
      "an upgrade that comes too late",
      `${GET}${UPGRADE}${SPOOF}`,
      `${SENT_GET}GET /ws HTTP/1.1\r\nx-own: 192.0.2.1\r\nConnection: Upgrade\r\n\r\n${SENT_SPOOF}`,
    ],
  ])("%s", (_, text, sent) => {
    expect(run(text, size)).toEqual({ sent, idle: true });
  });

  it.each<[string, string]>([
    ["a size that is none", "x\r\n"],
    ["an empty size", "\r\n"],
    ["a size with a sign", "+4\r\nbody\r\n"],
    ["a negative size", "-4\r\nbody\r\n"],
    ["a size with a prefix", "0x4\r\nbody\r\n"],
    ["a size after a space", " 4\r\nbody\r\n"],
    ["a size before a space", "4 \r\nbody\r\n"],
    ["a size with a space before its extension", "4 ;a\r\nbody\r\n"],
    ["a size that is not exact", "10000000000000004\r\nbody\r\n"],
    ["a size line that ends in a line feed only", "4\nbody\r\n0\r\n\r\n"],
    ["a line feed in an extension", "4;a\nbody\r\n0\r\n\r\n"],
    ["a carriage return in an extension", "4;a\rb\r\nbody\r\n"],
    ["a chunk that is longer than it says", "4\r\nbodyx\r\n0\r\n\r\n"],
    ["a chunk that ends in a line feed only", "4\r\nbody\n0\r\n\r\n"],
    ["a trailer that is none", "0\r\nGET / HTTP/1.1\r\n\r\n"],
    ["a folded trailer", "0\r\nA: b\r\n x-own: 1\r\n\r\n"],
    ["a trailer that ends in a line feed only", "0\r\nA: b\n\r\n\r\n"],
  ])("%s is refused", (_, chunks) => {
    const { sent, refused } = run(PUT + CHUNKED + chunks + SPOOF, size);
    expect(refused).toEqual({ status: 400, request: 1 });
    expect(sent).not.toContain("spoofed");
  });

  it.each<[string, string]>([
    ["line feeds for line ends", "GET / HTTP/1.1\nx-own: 10.0.0.1\n\n"],
    ["one line feed", "GET / HTTP/1.1\r\nA: b\nx-own: 10.0.0.1\r\n\r\n"],
    ["a line feed before it", "\nGET / HTTP/1.1\r\n\r\n"],
    ["a length and chunks", `${PUT}Content-Length: 4\r\n${CHUNKED}0\r\n\r\n${SPOOF}`],
  ])("a head with %s is refused, and nothing of it forwarded", (_, text) => {
    const { sent, refused } = run(GET + text, size);
    expect([sent, refused]).toEqual([SENT_GET, { status: 400, request: 2 }]);
  });
});

describe("a head", () => {
  const long = (length: number): string => `GET / HTTP/1.1\r\nA: ${"x".repeat(length - 19)}`;

  it("of 32 KiB is taken", () => {
    expect(run(`${long(32 * 1024)}\r\n\r\n`, 1000).idle).toBe(true);
  });

  it.each([`${long(32 * 1024 + 1)}\r\n\r\n`, long(40 * 1024)])("that is longer is refused", (text) => {
    expect(run(text, 1000)).toMatchObject({ sent: "", refused: { status: 431, request: 1 } });
  });

  it("may not go on in trailers", () => {
    const trailers = "A: b\r\n".repeat(6000);
    expect(run(`${PUT}${CHUNKED}0\r\n${trailers}`, 1000).refused?.status).toBe(400);
  });

  it("leaves nothing to wait for but its own rest", () => {
    expect(run("").idle).toBe(true);
    expect(run("G").idle).toBe(false);
    expect(run(`${PUT}Content-Length: 4\r\n\r\nbod`).idle).toBe(false);
  });
});

describe("an upgrade", () => {
  const SENT = UPGRADE.replace("\r\n", "\r\nx-own: 192.0.2.1\r\n");

  it("waits for the answer, and lets everything through if it is a switch", () => {
    const stream = new RequestStream(OWN);
    expect(run(UPGRADE + SPOOF, 1000, stream)).toEqual({ sent: SENT, idle: false });
    expect(stream.waiting).toBe(true);
    expect(Buffer.concat(stream.firstAnswered(true).forward).toString()).toBe(SPOOF);
    expect(run(`\n\0${SPOOF}`, 3, stream).sent).toBe(`\n\0${SPOOF}`);
  });

  it("that is declined leaves a connection of requests", () => {
    const stream = new RequestStream(OWN);
    run(UPGRADE + SPOOF, 7, stream);
    expect(Buffer.concat(stream.firstAnswered(false).forward).toString()).toBe(SENT_SPOOF);
    expect(run(UPGRADE, 7, stream).sent).not.toContain("websocket");
    expect(stream.waiting).toBe(false);
  });

  it("is none where the Worker spoke first", () => {
    const stream = new RequestStream(OWN);
    stream.firstAnswered(true);
    expect(run(UPGRADE + SPOOF, 7, stream).sent).toContain(SENT_SPOOF);
  });
});

it("forwards a body without a copy, in one piece", () => {
  const stream = new RequestStream(OWN);
  stream.push(Buffer.from(`${PUT}${CHUNKED}`));
  const bytes = Buffer.from("4\r\nbody\r\n4\r\nbody\r\n4\r\nbo");
  const { forward } = stream.push(bytes);
  expect(forward).toHaveLength(1);
  expect(forward[0]?.buffer).toBe(bytes.buffer);
  expect(forward[0]?.equals(bytes)).toBe(true);
});
