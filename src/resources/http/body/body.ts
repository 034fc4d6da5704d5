import { type BodyFault, bodyFaultMessage, readBody } from "../../../http/index.ts";
import { InexactInteger, parseYamlDocuments, SyntaxFault } from "../../../platform/index.ts";
import type { JsonObject } from "../../objects/object.ts";
import { isRecord } from "../../schema/values.ts";
import { badRequest, StatusError } from "../../status-error.ts";
import { parseJsonValues } from "./json-text.ts";
import { decodeProtobuf } from "../openapi/protobuf.ts";

/** What a body is, as its content type says. */
export type BodyKind =
  | "json"
  | "yaml"
  | "protobuf"
  | "json-patch"
  | "merge-patch"
  | "strategic-merge-patch"
  | "apply-patch";

/** @see Kubernetes API concepts, "Resource encoding", and "API resource updates" for the patches */
const MEDIA_TYPES: Readonly<Record<string, BodyKind>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/x-yaml": "yaml",
  "text/yaml": "yaml",
  "application/vnd.kubernetes.protobuf": "protobuf",
  "application/json-patch+json": "json-patch",
  "application/merge-patch+json": "merge-patch",
  "application/strategic-merge-patch+json": "strategic-merge-patch",
  "application/apply-patch+yaml": "apply-patch",
  "application/apply-patch+json": "apply-patch",
};

/** Bodies that are an object, or what someone wants to own of one. */
const OBJECTS: ReadonlySet<BodyKind> = new Set(["json", "yaml", "protobuf", "apply-patch"]);
/** Largest object let in, in bytes of JSON; the rest of a body may be comments and space. */
const MAX_OBJECT_BYTES = 1024 * 1024;

/** What is needed of a request. */
export interface BodySource {
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null;
}

export interface BodyOptions {
  /** Bytes of the body at the most. */
  readonly limit: number;
  /** Kinds of body that make sense here; all, unless given. */
  readonly accept?: readonly BodyKind[];
}

/** A body, read. */
export interface DecodedBody {
  /** The object; for a JSON patch, its list of operations; `{}` for a body without any byte. */
  readonly object: JsonObject;
  /** Paths of keys that a JSON body has twice, such as `spec.x`. In YAML they are an error. */
  readonly duplicates: readonly string[];
  readonly kindOfBody: BodyKind;
}

/**
 * Reads a body as its content type says; without one, as JSON.
 * @throws {StatusError} UnsupportedMediaType; RequestEntityTooLarge; BadRequest, with line and column
 */
export async function decodeBody(request: BodySource, { limit, accept }: BodyOptions): Promise<DecodedBody> {
  const kindOfBody = bodyKind(request.headers, accept ?? Object.values(MEDIA_TYPES));
  const bytes = await readAll(request, limit);
  const { value, duplicates } = decode(bytes, kindOfBody);
  const isPatch = kindOfBody === "json-patch";
  if (isPatch ? !Array.isArray(value) : !isRecord(value)) {
    throw badRequest(`the body is not ${isPatch ? "a list of operations" : "an object"}`);
  }
  if (OBJECTS.has(kindOfBody)) checkSize(value);
  return { object: value as JsonObject, duplicates, kindOfBody };
}

function bodyKind(headers: BodySource["headers"], accept: readonly BodyKind[]): BodyKind {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw unsupported(`bodies with Content-Encoding ${encoding.slice(0, 100)} are not read`);
  const given = headers.get("content-type") ?? "";
  const type = given.split(";")[0]?.trim().toLowerCase() || "application/json";
  const kind = Object.hasOwn(MEDIA_TYPES, type) ? MEDIA_TYPES[type] : undefined;
  if (kind !== undefined && accept.includes(kind)) return kind;
  const types = Object.entries(MEDIA_TYPES).flatMap(([name, of]) => (accept.includes(of) ? [name] : []));
  const shown = JSON.stringify(type.slice(0, 100));
  throw unsupported(`a body of type ${shown} is not accepted here - accepted media types include: ${types.join(", ")}`);
}

function unsupported(message: string): StatusError {
  return new StatusError("UnsupportedMediaType", message);
}

async function readAll({ headers, body }: BodySource, limit: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const read = await readBody({ headers, body }, { limit });
  if (read.ok) return read.value;
  throw bodyFault(read.error);
}

/** A body that was not read, in the dialect of this API. */
export function bodyFault(fault: BodyFault): StatusError {
  return new StatusError(FAULT_REASONS[fault.reason], bodyFaultMessage(fault));
}

const FAULT_REASONS = {
  "too-large": "RequestEntityTooLarge",
  stalled: "RequestTimeout",
  aborted: "BadRequest",
} as const;

function checkSize(object: unknown): void {
  const size = new TextEncoder().encode(JSON.stringify(object)).byteLength;
  if (size <= MAX_OBJECT_BYTES) return;
  const message = `the object is too large: ${size} bytes, limit is ${MAX_OBJECT_BYTES}`;
  throw new StatusError("RequestEntityTooLarge", message);
}

interface Decoded {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

function decode(bytes: Uint8Array, kind: BodyKind): Decoded {
  if (bytes.byteLength === 0) return { value: kind === "json-patch" ? [] : {}, duplicates: [] };
  if (kind === "protobuf") return { value: decodeProtobuf(bytes), duplicates: [] };
  const text = decodeText(bytes);
  const format = kind === "yaml" || kind === "apply-patch" ? "YAML" : "JSON";
  try {
    return format === "YAML" ? decodeYaml(text) : decodeJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    const { line, column } = error.place;
    if (error instanceof InexactInteger) {
      throw new StatusError("Invalid", `line ${line}, column ${column}: ${error.message}`);
    }
    throw badRequest(`the body is not good ${format}: line ${line}, column ${column}: ${error.message}`);
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw badRequest("the body is not UTF-8");
  }
}

function decodeJson(text: string): Decoded {
  const [first, second] = parseJsonValues(text, 2);
  if (first === undefined) throw new SyntaxFault("there is nothing in it", { line: 1, column: 1 });
  if (second !== undefined) throw new SyntaxFault("something follows the end of the value", second);
  return { value: first.value, duplicates: first.duplicates.map(({ path }) => path) };
}

/** kubectl sends JSON as `apply-patch+yaml`; it is read as what it is, which is faster and finds every duplicate. */
function decodeYaml(text: string): Decoded {
  if (/^\s*\{/.test(text)) {
    try {
      return decodeJson(text);
    } catch (error) {
      if (!(error instanceof SyntaxFault) || error.isForbidden) throw error;
    }
  }
  const [first, second] = parseYamlDocuments(text, 2);
  const fault = first?.faults[0] ?? second?.faults[0];
  if (fault !== undefined) throw fault;
  if (first === undefined) throw new SyntaxFault("there is nothing in it", { line: 1, column: 1 });
  if (second !== undefined) throw new SyntaxFault("only one document is allowed here", second);
  return { value: first.value, duplicates: [] };
}
