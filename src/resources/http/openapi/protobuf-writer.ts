const UTF8 = new TextEncoder();

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/**
 * Writes protobuf messages: numbers, flags, texts, and messages within them, which is all that OpenAPI v2 needs.
 * A message is written at once and measured when it is done, so its parts are kept until then.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  /** Texts that are empty are written too: within a list they count. */
  text(field: number, value: string | undefined): this {
    return value === undefined ? this : this.#bytes(field, UTF8.encode(value));
  }

  texts(field: number, values: readonly string[] | undefined): this {
    for (const value of values ?? []) this.text(field, value);
    return this;
  }

  flag(field: number, value: boolean): this {
    return this.#append(varint((field << 3) | VARINT), varint(value ? 1 : 0));
  }

  message(field: number, write: (writer: ProtobufWriter) => void): this {
    const writer = new ProtobufWriter();
    write(writer);
    return this.#bytes(field, writer.finish());
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#size);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.byteLength;
    }
    return result;
  }

  #bytes(field: number, bytes: Uint8Array): this {
    return this.#append(varint((field << 3) | LENGTH_DELIMITED), varint(bytes.byteLength), bytes);
  }

  #append(...parts: readonly Uint8Array[]): this {
    for (const part of parts) {
      this.#parts.push(part);
      this.#size += part.byteLength;
    }
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
