import type { SchemaNode, ServedKind } from "../../kinds/kind.ts";
import { LIST_META_NAME, OBJECT_META_NAME, kindOf, listKindOf, schemaName } from "./openapi-names.ts";

/** A schema of a document: a node, or a reference to one that has a name. */
export type DocumentSchema = Readonly<Record<string, unknown>>;

/** A schema under its name. */
export interface KindSchema {
  readonly name: string;
  readonly schema: DocumentSchema;
}

const LIST_TYPE_FIELDS = {
  apiVersion: { type: "string", description: "Group and version of the kind." },
  kind: { type: "string", description: "The kind of the list." },
};

/**
 * The schemas of a kind and of its list, with references made by `refer` to metadata and to the elements. `convert`
 * writes a node as the document's version of OpenAPI has it.
 */
export function kindSchemas(
  served: ServedKind,
  refer: (name: string, description: string) => DocumentSchema,
  convert: (node: SchemaNode) => DocumentSchema,
): KindSchema[] {
  const kind = kindOf(served);
  const listKind = listKindOf(served);
  const { metadata: _metadata, ...properties } = served.schema.properties ?? {};
  const schema = {
    ...convert({ ...served.schema, description: served.description, properties: {} }),
    properties: {
      ...Object.fromEntries(Object.entries(properties).map(([name, node]) => [name, convert(node)])),
      metadata: refer(OBJECT_META_NAME, "Name, labels and everything else that each object has."),
    },
    "x-kubernetes-group-version-kind": [kind],
  };
  const list = {
    type: "object",
    description: `A list of objects of kind ${served.kind}.`,
    required: ["items"],
    properties: {
      ...LIST_TYPE_FIELDS,
      items: { type: "array", description: "The objects.", items: refer(schemaName(kind), "An object.") },
      metadata: refer(LIST_META_NAME, "What the list says about itself."),
    },
    "x-kubernetes-group-version-kind": [listKind],
  };
  return [
    { name: schemaName(kind), schema },
    { name: schemaName(listKind), schema: list },
  ];
}
