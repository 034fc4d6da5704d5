import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  type Pair,
  type ParsedNode,
  Parser,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { InexactInteger, isPoisonous, MAX_NESTING, type Place, SyntaxFault } from "./syntax-fault.ts";

/** A document of a YAML text that is not empty: its value, or what is wrong with it. */
export interface YamlDocument extends Place {
  readonly value: unknown;
  readonly faults: readonly SyntaxFault[];
  /** The library's nodes, for who looks up where a value was written. */
  readonly document: Document.Parsed;
  /** Where an offset in the text is. */
  readonly place: (offset: number) => Place;
}

/** Where a value is in its document: keys as they are written, and places in lists. */
export type YamlPath = readonly (string | number)[];

/** How a text is read, where that differs from YAML 1.2. */
export interface YamlOptions {
  /** Whether a key `<<` brings in the members of a map, or of several, that are not there; it is a fault otherwise. */
  readonly mergeKeys?: boolean;
  /** Puts something in the place of a value that was read, with all that is in it. */
  readonly replace?: (value: unknown, path: YamlPath, place: Place) => unknown;
}

/** What all aliases of a document together may repeat, in nodes: an alias of an alias of an alias grows fast. */
const MAX_ALIASED_NODES = 10_000;
/** The same in characters of their texts. */
const MAX_ALIASED_TEXT = 1024 * 1024;
/**
 * Pieces of syntax in one text: about 1 MiB of an ordinary manifest. The parser takes microseconds for each, so a text of
 * nothing but syntax would take many seconds.
 */
const MAX_LEXEMES = 500_000;
/** Pieces of syntax after which others have their turn. */
const PIECE_LEXEMES = 2500;
/** Anchors, aliases and tags in one text, and faults after which reading stops: the parser is slow where they are many. */
const MAX_PROPERTIES = 10_000;
const MAX_FAULTS = 100;
/** A level of YAML is up to three entries on the parser's stack: the collection, its item, and what surrounds it. */
const MAX_STACK = 3 * MAX_NESTING + 10;

/**
 * Reads the documents of a YAML 1.2 text (core schema), skipping empty ones. Keys that are there twice, unknown tags,
 * merge keys and values that JSON does not have are faults. This is the one reader of YAML that others have written: its
 * work is in proportion to the text, and bounded.
 * @param limit documents after which reading stops
 * @throws {SyntaxFault} where the text is nested too deep, or too much, to be read at all
 * @see YAML 1.2.2 section 10.3
 */
export function parseYamlDocuments(text: string, limit: number, options: YamlOptions = {}): YamlDocument[] {
  const work = readingYaml(text, limit, options);
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}

/** The same in pieces, each of which takes some tens of milliseconds. @throws {SyntaxFault} */
export function* readingYaml(text: string, limit: number, options: YamlOptions = {}): Generator<void, YamlDocument[]> {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const parser = new Parser(lines.addNewLine);
  // The library looks for a key among all before it, which takes long in large maps; the reader below looks by itself.
  const composer = new Composer({ version: "1.2", schema: "core", uniqueKeys: false, merge: false });
  const found: YamlDocument[] = [];
  const keep = (document: Document.Parsed): void => {
    const read = readDocument(document, place, options);
    if (read !== undefined && found.length < limit) found.push(read);
  };
  lines.addNewLine(0);
  const count = { lexemes: 0, properties: 0, faults: 0 };
  for (const lexeme of new Lexer().lex(text)) {
    count.lexemes += 1;
    if (/^[&*!]/.test(lexeme)) count.properties += 1;
    for (const token of parser.next(lexeme)) {
      if (token.type === "error") count.faults += 1;
      for (const document of composer.next(token)) keep(document);
    }
    if (parser.stack.length > MAX_STACK) throw tooDeep(place(parser.offset));
    if (count.lexemes > MAX_LEXEMES || count.properties > MAX_PROPERTIES || count.faults > MAX_FAULTS) {
      throw new SyntaxFault("too much YAML to read", place(parser.offset), true);
    }
    if (found.length >= limit) return found;
    if (count.lexemes % PIECE_LEXEMES === 0) yield;
  }
  for (const token of parser.end()) for (const document of composer.next(token)) keep(document);
  for (const document of composer.end(false, text.length)) keep(document);
  return found;
}

function readDocument(
  document: Document.Parsed,
  place: (offset: number) => Place,
  options: YamlOptions,
): YamlDocument | undefined {
  const problems = [...document.errors, ...document.warnings];
  const faults = problems.map((problem) => new SyntaxFault(problem.message, place(problem.pos[0])));
  const { contents } = document;
  const start = place(contents?.range[0] ?? document.range[0]);
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null && !contents.source);
  if (faults.length > 0) return { value: undefined, faults, document, place, ...start };
  if (isEmpty) return undefined;
  try {
    return { value: new NodeReader(place, options).read(contents), faults, document, place, ...start };
  } catch (error) {
    if (error instanceof SyntaxFault) return { value: undefined, faults: [error], document, place, ...start };
    throw error;
  }
}

function tooDeep(place: Place): SyntaxFault {
  return new SyntaxFault(`nested deeper than ${MAX_NESTING} levels`, place, true);
}

type Node = ParsedNode | null;

class NodeReader {
  readonly #place: (offset: number) => Place;
  readonly #options: YamlOptions;
  readonly #path: (string | number)[] = [];
  /** The library would look through the whole document for each alias. */
  readonly #anchors = new Map<string, Node>();
  #aliasDepth = 0;
  #aliased = 0;
  #aliasedText = 0;

  constructor(place: (offset: number) => Place, options: YamlOptions) {
    this.#place = place;
    this.#options = options;
  }

  read(node: Node, depth = 1): unknown {
    if (node === null) return null;
    if (this.#aliasDepth > 0) {
      this.#aliased += 1;
      if (this.#aliased > MAX_ALIASED_NODES) throw this.#fault(node, "aliases repeat too much");
    }
    if (isAlias(node)) return this.#alias(node, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const value = this.#value(node, depth);
    const { replace } = this.#options;
    return replace === undefined ? value : replace(value, this.#path, this.#place(node.range[0]));
  }

  #value(node: Exclude<ParsedNode, Alias>, depth: number): unknown {
    if (isScalar(node)) return this.#scalar(node);
    if (depth > MAX_NESTING) throw tooDeep(this.#place(node.range[0]));
    if (isMap(node)) return this.#map(node, depth);
    return (node as YAMLSeq<Node>).items.map((item, index) => this.#child(index, item, depth));
  }

  #child(step: string | number, node: Node, depth: number): unknown {
    this.#path.push(step);
    const value = this.read(node, depth + 1);
    this.#path.pop();
    return value;
  }

  #map(node: YAMLMap<ParsedNode, Node>, depth: number): unknown {
    const members = new Map<string, unknown>();
    const merged: unknown[] = [];
    for (const pair of node.items) {
      const key = this.#key(pair);
      const value = this.#child(key, pair.value, depth);
      if (isMergeKey(pair)) {
        if (this.#options.mergeKeys !== true) throw this.#fault(pair.key, "merge keys are not part of YAML 1.2");
        merged.push(...(Array.isArray(value) ? (value as readonly unknown[]) : [value]));
      } else if (members.has(key)) throw this.#fault(pair.key, `the key "${key}" is there twice`);
      else members.set(key, value);
    }
    for (const source of merged) {
      if (typeof source !== "object" || source === null) throw this.#fault(node, "a merge key takes a map");
      for (const [key, value] of Object.entries(source)) if (!members.has(key)) members.set(key, value);
    }
    return Object.fromEntries(members);
  }

  #key({ key }: Pair<ParsedNode, Node>): string {
    if (!isScalar(key)) throw this.#fault(key, "a key must be a plain value");
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, key);
    // Other keys than strings are as they are written: `80: http` has the key "80".
    const text = typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
    if (isPoisonous(text)) throw this.#fault(key, `the key "${text}" is not allowed`, true);
    return text;
  }

  #alias(alias: Alias, depth: number): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined)
      throw new SyntaxFault(`there is no anchor "${alias.source}"`, this.#place(alias.range?.[0] ?? 0));
    this.#aliasDepth += 1;
    // An alias inside its own anchor ends at the greatest depth.
    const value = this.read(target, depth + 1);
    this.#aliasDepth -= 1;
    return value;
  }

  #scalar(node: {
    readonly value: unknown;
    readonly source?: string | undefined;
    readonly range?: readonly number[] | null | undefined;
  }): unknown {
    const { value, source = "" } = node;
    if (typeof value === "string" && this.#aliasDepth > 0) {
      this.#aliasedText += value.length;
      if (this.#aliasedText > MAX_ALIASED_TEXT) throw this.#fault(node, "aliases repeat too much");
    }
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) {
      const isWhole = /^[-+]?(?:\d+|0x[\da-fA-F]+|0o[0-7]+)$/.test(source);
      if (isWhole && !Number.isSafeInteger(value)) {
        throw new InexactInteger(source, this.#place(node.range?.[0] ?? 0));
      }
      return value;
    }
    throw this.#fault(node, "a value that JSON does not have");
  }

  #fault(
    node: { readonly range?: readonly number[] | null | undefined },
    message: string,
    forbidden = false,
  ): SyntaxFault {
    return new SyntaxFault(message, this.#place(node.range?.[0] ?? 0), forbidden);
  }
}

function isMergeKey({ key }: Pair<ParsedNode, Node>): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}
