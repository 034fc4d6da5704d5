import { describe, expect, it } from "vitest";
import { parseHeaderLine, readRequestHead } from "./request-head.ts";

const OWN = { name: "x-entrepot-0123", value: "192.0.2.1" };
const UPGRADE = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket";

function read(...lines: string[]) {
  return readRequestHead(lines.join("\r\n"), OWN, true);
}

describe("a head", () => {
  it("is kept as it is, with the front's header after the request line", () => {
    const head = read("GET /v2/%2e%2E//a?x=%zz HTTP/1.1", "HOST: a", "x-B:1", "X-b: \xe9\t2 ", "Empty:");
    expect(head?.bytes.toString("latin1")).toBe(
      "GET /v2/%2e%2E//a?x=%zz HTTP/1.1\r\nx-entrepot-0123: 192.0.2.1\r\nHOST: a\r\nx-B:1\r\nX-b: \xe9\t2 \r\nEmpty:\r\n\r\n",
    );
    expect(head).toMatchObject({ body: 0, upgrade: false });
  });

  it("loses what the client says under the front's name, in any case and number", () => {
    const spoofs = ["x-entrepot-0123: 1", "X-ENTREPOT-0123:2", "X-Entrepot-0123:\t3", "x-entrepot-0123:"];
    const head = read("GET / HTTP/1.1", ...spoofs, "Host: a", ...spoofs, "Connection: x-entrepot-0123");
    expect(head?.bytes.toString("latin1")).toBe(
      "GET / HTTP/1.1\r\nx-entrepot-0123: 192.0.2.1\r\nHost: a\r\nConnection: x-entrepot-0123\r\n\r\n",
    );
  });

  it("is left alone by a front that has no header", () => {
    const head = readRequestHead("GET / HTTP/1.0\r\nX-Real-IP: 10.0.0.1", undefined, true);
    expect(head?.bytes.toString("latin1")).toBe("GET / HTTP/1.0\r\nX-Real-IP: 10.0.0.1\r\n\r\n");
  });

  it.each<[string, number | "chunked"]>([
    ["Host: a", 0],
    ["content-LENGTH: 0", 0],
    ["Content-Length:12", 12],
    ["Content-Length: \t0012", 12],
    ["Transfer-Encoding: chunked", "chunked"],
  ])("with %j has the body %s", (line, body) => {
    expect(read("PUT / HTTP/1.1", line)?.body).toBe(body);
  });

  it.each([
    ["two Host headers", "GET / HTTP/1.1", "Host: a", "host: a"],
    ["a Host that is none", "GET / HTTP/1.1", "Host: a b"],
    ["a Host with a path", "GET / HTTP/1.1", "Host: a/b"],
    ["no path", "OPTIONS * HTTP/1.1", "Host: a"],
    ["a bare line feed in it", "GET / HTTP/1.1", "A: b\nx-entrepot-0123: 1"],
    ["a bare carriage return in it", "GET / HTTP/1.1", "A: b\rx-entrepot-0123: 1"],
    ["a NUL", "GET / HTTP/1.1", "A: b\0"],
    ["another control character", "GET / HTTP/1.1", "A: \x0b"],
    ["a DEL", "GET / HTTP/1.1", "A: \x7f"],
    ["a folded line", "GET / HTTP/1.1", "A: b", " x-entrepot-0123: 1"],
    ["a line folded by a tab", "GET / HTTP/1.1", "A: b", "\tc: d"],
    ["a space before the colon", "GET / HTTP/1.1", "x-entrepot-0123 : 1"],
    ["a tab before the colon", "GET / HTTP/1.1", "Content-Length\t: 1"],
    ["no name", "GET / HTTP/1.1", ": 1"],
    ["no colon", "GET / HTTP/1.1", "Host"],
    ["a name that is no token", "GET / HTTP/1.1", "x(y: 1"],
    ["a name that is not ASCII", "GET / HTTP/1.1", "x-entrepot-0123\xa0: 1"],
    ["two lengths", "PUT / HTTP/1.1", "Content-Length: 4", "Content-Length: 5"],
    ["the same length twice", "PUT / HTTP/1.1", "Content-Length: 4", "content-length: 4"],
    ["a list of lengths", "PUT / HTTP/1.1", "Content-Length: 4, 4"],
    ["a length with a sign", "PUT / HTTP/1.1", "Content-Length: +4"],
    ["a negative length", "PUT / HTTP/1.1", "Content-Length: -1"],
    ["a length in hexadecimal", "PUT / HTTP/1.1", "Content-Length: 0x4"],
    ["a length with something after it", "PUT / HTTP/1.1", "Content-Length: 4 "],
    ["a length that is not exact", "PUT / HTTP/1.1", "Content-Length: 18446744073709551620"],
    ["an empty length", "PUT / HTTP/1.1", "Content-Length:"],
    ["length and chunks", "PUT / HTTP/1.1", "Content-Length: 4", "Transfer-Encoding: chunked"],
    ["chunks and length", "PUT / HTTP/1.1", "Transfer-Encoding: chunked", "Content-Length: 4"],
    ["two codings", "PUT / HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["chunks that are not the last coding", "PUT / HTTP/1.1", "Transfer-Encoding: chunked, gzip"],
    ["another coding before chunks", "PUT / HTTP/1.1", "Transfer-Encoding: gzip, chunked"],
    ["another coding", "PUT / HTTP/1.1", "Transfer-Encoding: identity"],
    ["a coding that nearly is", "PUT / HTTP/1.1", "Transfer-Encoding: xchunked"],
    ["a coding in another case", "PUT / HTTP/1.1", "Transfer-Encoding: Chunked"],
    ["a coding with something after it", "PUT / HTTP/1.1", "Transfer-Encoding: chunked "],
    ["an empty coding", "PUT / HTTP/1.1", "Transfer-Encoding:"],
    ["chunks in HTTP/1.0", "PUT / HTTP/1.0", "Transfer-Encoding: chunked"],
    ["two spaces", "GET  / HTTP/1.1", "Host: a"],
    ["a tab for a space", "GET\t/ HTTP/1.1", "Host: a"],
    ["a space in the target", "GET /a b HTTP/1.1", "Host: a"],
    ["a space at the start", " GET / HTTP/1.1", "Host: a"],
    ["a space at the end", "GET / HTTP/1.1 ", "Host: a"],
    ["no version", "GET /", "Host: a"],
    ["no target", "GET HTTP/1.1", "Host: a"],
    ["another version", "PRI * HTTP/2.0"],
    ["an older version", "GET / HTTP/0.9"],
    ["a version with more digits", "GET / HTTP/1.10"],
    ["a version in lower case", "GET / http/1.1"],
    ["a header for a request line", "Host: a"],
    ["a tunnel", "CONNECT a:443 HTTP/1.1", "Host: a"],
    ["nothing", ""],
  ])("with %s is refused", (_, ...lines) => {
    expect(read(...lines)).toBeUndefined();
  });
});

describe("an upgrade", () => {
  it("to a WebSocket is one", () => {
    const head = read("GET / HTTP/1.1", UPGRADE);
    expect(head?.upgrade).toBe(true);
    expect(head?.bytes.toString("latin1")).toContain(`\r\n${UPGRADE}\r\n\r\n`);
  });

  it.each<[string, string, boolean]>([
    ["later in the connection", `GET / HTTP/1.1\r\n${UPGRADE}`, false],
    ["with a body", `GET / HTTP/1.1\r\n${UPGRADE}\r\nContent-Length: 1`, true],
    ["with chunks", `GET / HTTP/1.1\r\n${UPGRADE}\r\nTransfer-Encoding: chunked`, true],
    ["in HTTP/1.0", `GET / HTTP/1.0\r\n${UPGRADE}`, true],
    ["that the connection does not name", "GET / HTTP/1.1\r\nUpgrade: websocket", true],
    ["that the connection nearly names", "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrades", true],
    ["to two things", `GET / HTTP/1.1\r\n${UPGRADE}\r\nUPGRADE: websocket`, true],
    ["to HTTP/2", "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade", true],
  ])("%s is left out", (_, text, mayUpgrade) => {
    const head = readRequestHead(text, OWN, mayUpgrade);
    expect(head?.upgrade).toBe(false);
    expect(head?.bytes.toString("latin1")).not.toMatch(/^upgrade:/im);
  });
});

it.each([
  ["Name: value", { name: "name", value: " value" }],
  ["Name:", { name: "name", value: "" }],
  ["Name", undefined],
  ["Name : value", undefined],
])("a header line %j", (line, header) => {
  expect(parseHeaderLine(line)).toEqual(header);
});
