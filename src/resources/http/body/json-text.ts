import { elementOf, fieldOf } from "../../schema/values.ts";
import { InexactInteger, isPoisonous, MAX_NESTING, type Place, SyntaxFault } from "../../../platform/index.ts";

/** A key that an object has twice; the last one counts. */
export interface DuplicateKey extends Place {
  /** As Kubernetes writes paths: `spec.list[0].x`. */
  readonly path: string;
}

/** A value read from text, and where it begins. */
export interface ParsedJson extends Place {
  readonly value: unknown;
  readonly duplicates: readonly DuplicateKey[];
}

/**
 * Reads the JSON values in a text, one after another. Stricter than `JSON.parse`, which says nothing of keys that are
 * there twice, and tells where a fault is.
 * @param limit values after which reading stops
 * @throws {SyntaxFault}
 * @see RFC 8259
 */
export function parseJsonValues(text: string, limit: number): ParsedJson[] {
  const work = readingJson(text, limit);
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}

/** The same in pieces: after each value, if there were many characters since the last. @throws {SyntaxFault} */
export function* readingJson(text: string, limit: number): Generator<void, ParsedJson[]> {
  const reader = new JsonReader(text);
  const values: ParsedJson[] = [];
  let rested = 0;
  while (values.length < limit && !reader.atEnd()) {
    values.push(reader.read());
    if (reader.position - rested < PIECE_LENGTH) continue;
    rested = reader.position;
    yield;
  }
  return values;
}

/** Characters after which others have their turn. */
const PIECE_LENGTH = 256 * 1024;

/** More duplicates than this are not listed. */
const MAX_DUPLICATES = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const LITERALS = { t: ["true", true], f: ["false", false], n: ["null", null] } as const;

class JsonReader {
  readonly #text: string;
  #at = 0;
  #duplicates: DuplicateKey[] = [];
  /** Where each line begins; made when it is first needed. */
  #lines: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get position(): number {
    return this.#at;
  }

  atEnd(): boolean {
    this.#match(SPACE);
    return this.#at >= this.#text.length;
  }

  read(): ParsedJson {
    this.#match(SPACE);
    this.#duplicates = [];
    const place = this.#place(this.#at);
    return { value: this.#value("", 1), ...place, duplicates: this.#duplicates };
  }

  #value(path: string, depth: number): unknown {
    this.#match(SPACE);
    const next = this.#text[this.#at];
    if ((next === "{" || next === "[") && depth > MAX_NESTING) {
      throw this.#fault(`nested deeper than ${MAX_NESTING} levels`, this.#at, true);
    }
    switch (next) {
      case "{":
        return this.#object(path, depth);
      case "[":
        return this.#array(path, depth);
      case '"':
        return this.#string();
      case "t":
      case "f":
      case "n":
        return this.#literal(next);
      default:
        return this.#number();
    }
  }

  #object(path: string, depth: number): unknown {
    const members = new Map<string, unknown>();
    this.#at += 1;
    if (this.#take("}")) return {};
    do {
      this.#match(SPACE);
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#fault("expected a key in double quotes");
      const key = this.#string();
      if (isPoisonous(key)) throw this.#fault(`the key "${key}" is not allowed`, start, true);
      const field = fieldOf(path, key);
      if (members.has(key) && this.#duplicates.length < MAX_DUPLICATES) {
        this.#duplicates.push({ path: field, ...this.#place(start) });
      }
      if (!this.#take(":")) throw this.#fault('expected ":" after a key');
      members.set(key, this.#value(field, depth + 1));
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#fault('expected "," or "}"');
    return Object.fromEntries(members);
  }

  #array(path: string, depth: number): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    if (this.#take("]")) return items;
    do items.push(this.#value(elementOf(path, items.length), depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) throw this.#fault('expected "," or "]"');
    return items;
  }

  #string(): string {
    const start = this.#at;
    let escaped = false;
    // By hand: a regular expression over megabytes of text would exhaust its stack.
    for (let end = start + 1; ; end += 1) {
      const code = this.#text.charCodeAt(end);
      if (code === QUOTE) {
        this.#at = end + 1;
        const content = this.#text.slice(start + 1, end);
        return escaped ? this.#unescaped(content, start) : content;
      }
      if (Number.isNaN(code)) throw this.#fault("a string that is not closed", start);
      if (code < FIRST_PRINTABLE) throw this.#fault("a control character in a string must be escaped", end);
      if (code === BACKSLASH) {
        escaped = true;
        end += 1;
      }
    }
  }

  #unescaped(content: string, start: number): string {
    try {
      return String(JSON.parse(`"${content}"`));
    } catch {
      throw this.#fault("an unknown escape sequence in a string", start);
    }
  }

  #literal(first: keyof typeof LITERALS): boolean | null {
    const [word, value] = LITERALS[first];
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault("expected a value");
    this.#at += word.length;
    return value;
  }

  #number(): number {
    const start = this.#at;
    const text = this.#match(NUMBER);
    if (text === "") throw this.#fault(start < this.#text.length ? "expected a value" : "the text ends too early");
    const value = Number(text);
    if (!Number.isFinite(value)) throw this.#fault("a number that is too large", start);
    if (/^-?\d+$/.test(text) && !Number.isSafeInteger(value)) throw new InexactInteger(text, this.#place(start));
    return value;
  }

  #take(character: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #fault(message: string, offset = this.#at, isForbidden = false): SyntaxFault {
    return new SyntaxFault(message, this.#place(offset), isForbidden);
  }

  #place(offset: number): Place {
    this.#lines ??= lineStarts(this.#text);
    let [low, high] = [0, this.#lines.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#lines[low] ?? 0) + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
