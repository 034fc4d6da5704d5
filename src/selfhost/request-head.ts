/** A request's head, checked and edited. */
export interface RequestHead {
  /** What the Worker gets, the empty line included. */
  readonly bytes: Buffer;
  /** Length of the body in bytes; 0 also means that there is none. */
  readonly body: number | "chunked";
  /** Whether the request asks for a WebSocket. */
  readonly upgrade: boolean;
}

/** The header that the Worker trusts, which nobody but the front may write. */
export interface OwnHeader {
  readonly name: string;
  readonly value: string;
}

/** `METHOD SP target SP version`; the target is a path or an address, never `*`. @see RFC 9112, section 3 */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~\w]+) (?:\/|https?:\/\/)[\x21-\x7e\x80-\xff]* HTTP\/1\.([01])$/;

/** Name and value. No folding, no space before the colon, no control characters. @see RFC 9112, section 5 */
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~\w]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** A length that every parser reads as the same number, which is exact. */
const LENGTH = /^[\t ]*([0-9]{1,15})$/;

/** A name as in DNS, or an address, and a port. @see RFC 9110, section 7.2 */
const HOST = /^[\t ]*(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?[\t ]*$/i;

const CHUNKED = /^[\t ]*chunked$/;

/** Name and value of a header line, the name in lower case; `undefined` if two parsers could differ on it. */
export function parseHeaderLine(line: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, value] = HEADER_LINE.exec(line) ?? [];
  return name === undefined || value === undefined ? undefined : { name: name.toLowerCase(), value };
}

/**
 * Reads a request's head, puts `own` into it, and takes out what the client says under its name. An upgrade that is not
 * to a WebSocket, or for which there is no place, is an offer that is left out.
 * @param text the head as Latin-1, without the empty line at its end
 * @param own `undefined` if the front has nothing to say
 * @param mayUpgrade whether the connection can still become one of WebSockets
 * @returns `undefined` if another parser could take the request for a different one
 */
export function readRequestHead(
  text: string,
  own: OwnHeader | undefined,
  mayUpgrade: boolean,
): RequestHead | undefined {
  const [requestLine = "", ...lines] = text.split("\r\n");
  const [, method, minor] = REQUEST_LINE.exec(requestLine) ?? [];
  // What follows a CONNECT would not be HTTP.
  if (method === undefined || method === "CONNECT") return undefined;
  const ownName = own?.name.toLowerCase();
  const head = own === undefined ? [requestLine] : [requestLine, `${own.name}: ${own.value}`];
  const framing: Framing = { hosts: [], lengths: [], codings: [], upgrades: [], connection: "" };
  for (const line of lines) {
    const header = parseHeaderLine(line);
    if (header === undefined) return undefined;
    if (header.name === ownName) continue;
    note(framing, header.name, header.value);
    head.push(line);
  }
  const [host, ...others] = framing.hosts;
  // That there must be one is for the Worker to say.
  if (others.length > 0 || (host !== undefined && !HOST.test(host))) return undefined;
  const body = bodyOf(framing, minor === "0");
  if (body === undefined) return undefined;
  const upgrade = mayUpgrade && minor === "1" && body === 0 && asksForWebSocket(framing);
  const sent = upgrade || framing.upgrades.length === 0 ? head : head.filter((line) => !/^upgrade:/i.test(line));
  return { bytes: Buffer.from(`${sent.join("\r\n")}\r\n\r\n`, "latin1"), body, upgrade };
}

/** Values of the headers that decide whom a request is for, and where it ends. */
interface Framing {
  readonly hosts: string[];
  readonly lengths: string[];
  readonly codings: string[];
  readonly upgrades: string[];
  /** All of them, with commas between. */
  connection: string;
}

function note(framing: Framing, name: string, value: string): void {
  if (name === "host") framing.hosts.push(value);
  else if (name === "content-length") framing.lengths.push(value);
  else if (name === "transfer-encoding") framing.codings.push(value);
  else if (name === "upgrade") framing.upgrades.push(value);
  else if (name === "connection") framing.connection += `,${value}`;
}

/** @see RFC 9112, section 6.3, without its leniency */
function bodyOf({ lengths, codings }: Framing, old: boolean): number | "chunked" | undefined {
  if (lengths.length + codings.length === 0) return 0;
  if (lengths.length + codings.length > 1) return undefined;
  const [length] = lengths;
  if (length === undefined) return !old && CHUNKED.test(codings[0] ?? "") ? "chunked" : undefined;
  const digits = LENGTH.exec(length)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function asksForWebSocket({ upgrades, connection }: Framing): boolean {
  const options = connection.split(",").map((option) => option.trim().toLowerCase());
  return upgrades.length === 1 && upgrades[0]?.trim().toLowerCase() === "websocket" && options.includes("upgrade");
}
