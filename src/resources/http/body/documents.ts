import type { JsonObject } from "../../objects/object.ts";
import { isRecord } from "../../schema/values.ts";
import { inTurns, readingYaml, type Place, SyntaxFault } from "../../../platform/index.ts";
import { type ParsedJson, readingJson } from "./json-text.ts";

/** More documents than this in one text are refused: each takes two queries, of the thousand that a request may make. */
const MAX_DOCUMENTS = 400;

/** Something wrong with a text, and where it is in the whole of it. Lines and columns count from 1. */
export interface DocumentError extends Place {
  readonly message: string;
}

/** The objects of a text in their order, and what is wrong with the rest. */
export interface ParsedDocuments {
  readonly documents: readonly { readonly object: JsonObject; readonly line: number }[];
  readonly errors: readonly DocumentError[];
}

/**
 * Splits a text into objects: YAML documents, or JSON objects one after another. Empty documents are skipped. A document
 * with a fault does not spoil the others; who must have all or nothing looks at `errors`.
 * @param rest lets others have their turn: a long text takes seconds
 */
export async function parseDocuments(text: string, rest: () => Promise<void>): Promise<ParsedDocuments> {
  const read = await readDocuments(text, rest);
  const errors = read.flatMap(({ faults }) => faults);
  const [tooMany] = read.slice(MAX_DOCUMENTS);
  const kept = read.slice(0, MAX_DOCUMENTS).filter(({ faults }) => faults.length === 0);
  for (const { value, line, column } of kept) {
    if (!isRecord(value)) errors.push({ message: "the document is not an object", line, column });
  }
  if (tooMany !== undefined) {
    const { line, column } = tooMany;
    errors.push({ message: `more than ${MAX_DOCUMENTS} documents`, line, column });
  }
  return {
    documents: kept.flatMap(({ value, line }) => (isRecord(value) ? [{ object: value as JsonObject, line }] : [])),
    errors: errors.sort((left, right) => left.line - right.line || left.column - right.column),
  };
}

interface ReadDocument extends Place {
  readonly value: unknown;
  readonly faults: readonly DocumentError[];
}

async function readDocuments(text: string, rest: () => Promise<void>): Promise<ReadDocument[]> {
  try {
    return (await readJson(text, rest)) ?? (await readYaml(text, rest));
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return [{ value: undefined, faults: [errorOf(error)], ...error.place }];
  }
}

/** JSON is read as JSON, since YAML allows no tabs where JSON does; what only looks like it may yet be YAML. */
async function readJson(text: string, rest: () => Promise<void>): Promise<ReadDocument[] | undefined> {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const values = await inTurns(readingJson(text, MAX_DOCUMENTS + 1), rest);
    return values.map((parsed) => ({ ...parsed, faults: duplicatesOf(parsed) }));
  } catch (error) {
    if (error instanceof SyntaxFault && !error.isForbidden) return undefined;
    throw error;
  }
}

function duplicatesOf({ duplicates }: ParsedJson): DocumentError[] {
  return duplicates.map(({ path, line, column }) => ({ message: `"${path}" is there twice`, line, column }));
}

async function readYaml(text: string, rest: () => Promise<void>): Promise<ReadDocument[]> {
  const documents = await inTurns(readingYaml(text, MAX_DOCUMENTS + 1), rest);
  return documents.map((document) => ({ ...document, faults: document.faults.map(errorOf) }));
}

function errorOf({ message, place }: SyntaxFault): DocumentError {
  return { message, ...place };
}
