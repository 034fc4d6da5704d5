import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Pair,
  type ParsedNode,
  Parser,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { isPoisonous, MAX_NESTING } from "../patch/limits.ts";
import { InexactInteger, type Place, SyntaxFault } from "./json-text.ts";

/** A document of a YAML text that is not empty: its value, or what is wrong with it. */
export interface YamlDocument extends Place {
  readonly value: unknown;
  readonly faults: readonly SyntaxFault[];
}

/** What all aliases of a document together may repeat, in nodes: an alias of an alias of an alias grows fast. */
const MAX_ALIASED_NODES = 10_000;
/**
 * Pieces of syntax in one text: about 1 MiB of an ordinary manifest. The parser takes microseconds for each, so a text of
 * nothing but syntax would take many seconds.
 */
const MAX_LEXEMES = 500_000;
/** Anchors, aliases and tags in one text, and faults after which reading stops: the parser is slow where they are many. */
const MAX_PROPERTIES = 10_000;
const MAX_FAULTS = 100;
/** A level of YAML is up to three entries on the parser's stack: the collection, its item, and what surrounds it. */
const MAX_STACK = 3 * MAX_NESTING + 10;

/**
 * Reads the documents of a YAML 1.2 text (core schema), skipping empty ones. Keys that are there twice, unknown tags,
 * merge keys and values that JSON does not have are faults.
 * @param limit documents after which reading stops
 * @throws {SyntaxFault} where the text is nested too deep, or too much, to be read at all
 * @see YAML 1.2.2 section 10.3
 */
export function parseYamlDocuments(text: string, limit: number): YamlDocument[] {
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
    const read = readDocument(document, place);
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
  }
  for (const token of parser.end()) for (const document of composer.next(token)) keep(document);
  for (const document of composer.end(false, text.length)) keep(document);
  return found;
}

function readDocument(document: Document.Parsed, place: (offset: number) => Place): YamlDocument | undefined {
  const problems = [...document.errors, ...document.warnings];
  const faults = problems.map((problem) => new SyntaxFault(problem.message, place(problem.pos[0])));
  const { contents } = document;
  const start = place(contents?.range[0] ?? document.range[0]);
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null && !contents.source);
  if (faults.length > 0) return { value: undefined, faults, ...start };
  if (isEmpty) return undefined;
  try {
    return { value: new NodeReader(document, place).read(contents), faults, ...start };
  } catch (error) {
    if (error instanceof SyntaxFault) return { value: undefined, faults: [error], ...start };
    throw error;
  }
}

function tooDeep(place: Place): SyntaxFault {
  return new SyntaxFault(`nested deeper than ${MAX_NESTING} levels`, place, true);
}

type Node = ParsedNode | null;

class NodeReader {
  readonly #document: Document.Parsed;
  readonly #place: (offset: number) => Place;
  #aliasDepth = 0;
  #aliased = 0;

  constructor(document: Document.Parsed, place: (offset: number) => Place) {
    this.#document = document;
    this.#place = place;
  }

  read(node: Node, depth = 1): unknown {
    if (node === null) return null;
    if (this.#aliasDepth > 0) {
      this.#aliased += 1;
      if (this.#aliased > MAX_ALIASED_NODES) throw this.#fault(node, "aliases repeat too much");
    }
    if (isAlias(node)) return this.#alias(node, depth);
    if (isScalar(node)) return this.#scalar(node);
    if (depth > MAX_NESTING) throw tooDeep(this.#place(node.range[0]));
    if (isSeq(node)) return (node as YAMLSeq<Node>).items.map((item) => this.read(item, depth + 1));
    return isMap(node) ? this.#map(node, depth) : null;
  }

  #map(node: YAMLMap<ParsedNode, Node>, depth: number): unknown {
    const members = new Map<string, unknown>();
    for (const pair of node.items) {
      const key = this.#key(pair);
      if (members.has(key)) throw this.#fault(pair.key, `the key "${key}" is there twice`);
      members.set(key, this.read(pair.value, depth + 1));
    }
    return Object.fromEntries(members);
  }

  #key({ key }: Pair<ParsedNode, Node>): string {
    if (!isScalar(key)) throw this.#fault(key, "a key must be a plain value");
    // Other keys than strings are as they are written: `80: http` has the key "80".
    const text = typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
    if (isPoisonous(text)) throw this.#fault(key, `the key "${text}" is not allowed`, true);
    if (text === "<<" && key.type === "PLAIN") throw this.#fault(key, "merge keys are not part of YAML 1.2");
    return text;
  }

  #alias(alias: Alias, depth: number): unknown {
    const target = alias.resolve(this.#document) as Node | undefined;
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
