import { isPoisonous } from "../../../platform/index.ts";
import { badRequest } from "../../status-error.ts";

/** A field of a message that is read; all others are skipped. */
export interface WireField {
  readonly name: string;
  readonly type: "string" | "bool" | "int" | "bytes" | "time" | "micro-time" | "map" | "bytes-map" | Message;
  readonly repeated?: boolean;
}

/** The fields of a message by their numbers. */
export interface Message {
  readonly [number: number]: WireField;
}

export function text(name: string): WireField {
  return { name, type: "string" };
}

const MAP_ENTRY: Message = { 1: text("key"), 2: text("value") };
const BYTES_MAP_ENTRY: Message = { 1: text("key"), 2: { name: "value", type: "bytes" } };
const TIMESTAMP: Message = { 1: { name: "seconds", type: "int" }, 2: { name: "nanos", type: "int" } };
/** The second after which times are times, in seconds since the Unix epoch: Go's zero time is the beginning of year 1. */
const YEAR_1 = -62_135_596_799;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Reads a message. Texts that are empty, and messages and lists with nothing in them, are left out.
 * @throws {StatusError} BadRequest
 * @see Protocol Buffers, "Encoding"
 */
export function readMessage(bytes: Uint8Array, message: Message): Record<string, unknown> {
  const reader = new WireReader(bytes);
  const fields: Record<string, unknown> = {};
  while (!reader.atEnd()) {
    const tag = reader.varint();
    const field = message[Math.floor(tag / 8)];
    const value = reader.value(tag % 8);
    if (field !== undefined) put(fields, field, value);
  }
  return fields;
}

function put(fields: Record<string, unknown>, field: WireField, value: number | Uint8Array): void {
  const { name, type, repeated } = field;
  const read = typeof value === "number" ? readNumber(value, type) : readBytes(value, type);
  if (read === undefined) throw badRequest(`the field ${name} of the protobuf body is of another type`);
  if (type === "map" || type === "bytes-map") {
    const { key = "", value: content = "" } = read as Record<string, string>;
    if (isPoisonous(key)) throw badRequest(`the key "${key}" is not allowed`);
    const entries = (fields[name] ??= {}) as Record<string, string>;
    entries[key] = content;
  } else if (repeated === true) {
    const items = (fields[name] ??= []) as unknown[];
    items.push(read);
  } else if (!isNothing(read)) {
    fields[name] = read;
  }
}

function isNothing(value: unknown): boolean {
  if (value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function readNumber(value: number, type: WireField["type"]): unknown {
  if (type === "bool") return value !== 0;
  return type === "int" ? value : undefined;
}

function readBytes(value: Uint8Array, type: WireField["type"]): unknown {
  if (typeof type === "object") return readMessage(value, type);
  if (type === "map") return readMessage(value, MAP_ENTRY);
  if (type === "bytes-map") return readBytesEntry(value);
  if (type === "time" || type === "micro-time") return readTime(value, type);
  if (type === "bytes") return value;
  if (type !== "string") return undefined;
  try {
    return UTF8.decode(value);
  } catch {
    throw badRequest("a text in the protobuf body is not UTF-8");
  }
}

/** In JSON, bytes are base64; of a copy, since V8 13.6 takes a view for the beginning of its buffer. */
function readBytesEntry(value: Uint8Array): Record<string, string> {
  const { key = "", value: content } = readMessage(value, BYTES_MAP_ENTRY);
  return { key: key as string, value: content instanceof Uint8Array ? content.slice().toBase64() : "" };
}

/**
 * In JSON, a time is a text: of whole seconds, or of microseconds. Go's zero time stands for none.
 * @see kubernetes/apimachinery, pkg/apis/meta/v1, Time and MicroTime
 */
function readTime(value: Uint8Array, type: "time" | "micro-time"): string {
  const { seconds = 0, nanos = 0 } = readMessage(value, TIMESTAMP) as { seconds?: number; nanos?: number };
  const date = new Date(seconds * 1000);
  if (value.byteLength === 0 || Number.isNaN(date.getTime()) || seconds < YEAR_1) return "";
  const text = date.toISOString().slice(0, -".000Z".length);
  return type === "time" ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A number up to 64 bits. Beyond 2^53 it is not exact, which no field that is read needs. */
  varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw truncated();
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw badRequest("the protobuf body has a number that is too long");
  }

  /** What follows a tag of this wire type. */
  value(wireType: number): number | Uint8Array {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return this.#take(8);
      case 2:
        return this.#take(this.varint());
      case 5:
        return this.#take(4);
      default:
        throw badRequest("the protobuf body is broken");
    }
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw truncated();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function truncated() {
  return badRequest("the protobuf body ends too early");
}
