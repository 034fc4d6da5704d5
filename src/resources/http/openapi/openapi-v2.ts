import type { ServedGroup } from "../../kinds/api-model.ts";
import {
  type DocumentV2,
  type OperationV2,
  type ParameterV2,
  type SchemaV2,
  openApiV2Document,
} from "./openapi-v2-document.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
export { openApiV2Document } from "./openapi-v2-document.ts";

const documents = new WeakMap<readonly ServedGroup[], Uint8Array>();

/**
 * The OpenAPI v2 document as a protobuf message `openapi.v2.Document`: the only form that kubectl before 1.27 can read.
 * The same array of groups gets the same bytes.
 * @see google/gnostic, openapiv2/OpenAPIv2.proto, for the numbers of the fields
 */
export function openApiV2(groups: readonly ServedGroup[]): Uint8Array {
  const known = documents.get(groups);
  if (known !== undefined) return known;
  const bytes = encodeDocument(openApiV2Document(groups));
  documents.set(groups, bytes);
  return bytes;
}

function encodeDocument(document: DocumentV2): Uint8Array {
  const writer = new ProtobufWriter();
  writer.text(1, document.swagger);
  writer.message(2, (info) => info.text(1, document.info.title).text(2, document.info.version));
  writer.message(8, (paths) => {
    for (const [path, { patch }] of Object.entries(document.paths)) {
      // The field of a path item is numbered like its place in the message: patch is the eighth.
      named(paths, 2, path, (item) => item.message(8, (operation) => writeOperation(operation, patch)));
    }
  });
  writer.message(9, (definitions) => {
    for (const [name, schema] of Object.entries(document.definitions)) {
      named(definitions, 1, name, (value) => writeSchema(value, schema));
    }
  });
  return writer.finish();
}

/** Maps are lists of messages with a name (1) and a value (2). */
function named(writer: ProtobufWriter, field: number, name: string, write: (value: ProtobufWriter) => void): void {
  writer.message(field, (pair) => pair.text(1, name).message(2, write));
}

/** Anything that is no message is YAML; JSON is YAML. */
function writeAny(writer: ProtobufWriter, value: unknown): void {
  writer.text(2, JSON.stringify(value));
}

function writeExtension(writer: ProtobufWriter, field: number, name: string, value: unknown): void {
  if (value !== undefined) named(writer, field, name, (any) => writeAny(any, value));
}

function writeSchema(writer: ProtobufWriter, schema: SchemaV2): void {
  writer.text(1, schema.$ref).text(2, schema.format).text(4, schema.description).texts(19, schema.required);
  for (const value of schema.enum ?? []) writer.message(20, (any) => writeAny(any, value));
  const { additionalProperties, type, items, properties } = schema;
  if (typeof additionalProperties === "boolean") writer.message(21, (item) => item.flag(2, additionalProperties));
  else if (additionalProperties !== undefined)
    writer.message(21, (item) => item.message(1, (values) => writeSchema(values, additionalProperties)));
  if (type !== undefined) writer.message(22, (item) => item.text(1, type));
  if (items !== undefined) writer.message(23, (item) => item.message(1, (element) => writeSchema(element, items)));
  if (properties !== undefined) {
    writer.message(25, (fields) => {
      for (const [name, field] of Object.entries(properties))
        named(fields, 1, name, (value) => writeSchema(value, field));
    });
  }
  for (const name of [
    "x-kubernetes-group-version-kind",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
  ] as const) {
    writeExtension(writer, 31, name, schema[name]);
  }
}

function writeOperation(writer: ProtobufWriter, operation: OperationV2): void {
  writer.text(5, operation.operationId).texts(7, operation.consumes);
  for (const parameter of operation.parameters) {
    // An item of the list is a parameter (1) rather than a reference; one without a body (2).
    writer.message(8, (item) => item.message(1, (one) => one.message(2, (plain) => writeParameter(plain, parameter))));
  }
  writer.message(9, (responses) => {
    const { description, schema } = operation.responses["200"];
    named(responses, 1, "200", (value) =>
      value.message(1, (response) => {
        response.text(1, description).message(2, (item) => item.message(1, (inner) => writeSchema(inner, schema)));
      }),
    );
  });
  for (const name of ["x-kubernetes-action", "x-kubernetes-group-version-kind"] as const) {
    writeExtension(writer, 13, name, operation[name]);
  }
}

/** Parameters of the query are field 3, those of the path field 4. The type's number differs between the two. */
function writeParameter(writer: ProtobufWriter, parameter: ParameterV2): void {
  const isQuery = parameter.in === "query";
  writer.message(isQuery ? 3 : 4, (body) => {
    if (parameter.required === true) body.flag(1, true);
    body.text(2, parameter.in).text(3, parameter.description).text(4, parameter.name);
    body.text(isQuery ? 6 : 5, parameter.type);
  });
}
