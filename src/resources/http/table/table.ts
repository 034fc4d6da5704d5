import { type JsonPath, parseJsonPath, valuesAt } from "../../objects/json-path.ts";
import type { PrinterColumn, ServedKind } from "../../kinds/kind.ts";
import type { ResourceObject } from "../../objects/object.ts";
import { humanDuration } from "./human-duration.ts";

/** What a table is made with. */
export interface TableOptions {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
  /** What accompanies each row; `Metadata` unless the client asks for something else. */
  readonly includeObject: "Metadata" | "Object" | "None";
  /** The time that ages are counted to, in milliseconds. */
  readonly now: number;
  /** Version of `meta.k8s.io`. */
  readonly version?: "v1" | "v1beta1";
}

/** A column, and where its values are. */
interface Column {
  readonly definition: PrinterColumn;
  readonly path: JsonPath;
}

const NAME: PrinterColumn = {
  name: "Name",
  type: "string",
  format: "name",
  jsonPath: ".metadata.name",
  description: "The name, unique among the objects of this kind in the namespace.",
};
const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "How long ago the object was created.",
};

const columnsByKind = new WeakMap<ServedKind, readonly Column[]>();

/** Name first, then the kind's own columns, then Age unless the kind has put it elsewhere. */
function columnsOf(served: ServedKind): readonly Column[] {
  const known = columnsByKind.get(served);
  if (known !== undefined) return known;
  const named = new Set(served.columns.map(({ name }) => name.toLowerCase()));
  const definitions = [...(named.has("name") ? [] : [NAME]), ...served.columns, ...(named.has("age") ? [] : [AGE])];
  const columns = definitions.map((definition) => ({ definition, path: parseJsonPath(definition.jsonPath) }));
  columnsByKind.set(served, columns);
  return columns;
}

/**
 * A list as a table, the form in which `kubectl get` asks for it.
 * @see Kubernetes API concepts, "Receiving resources as Tables"
 */
export function toTable(served: ServedKind, objects: readonly ResourceObject[], options: TableOptions): object {
  return table(served, objects, options, true);
}

/** One object of a watch as a table. Only the first of a stream needs the columns. */
export function tableFrame(
  served: ServedKind,
  object: ResourceObject,
  options: Omit<TableOptions, "continue" | "remainingItemCount" | "resourceVersion"> & {
    readonly withColumns: boolean;
  },
): object {
  const { withColumns, ...others } = options;
  const { resourceVersion } = object.metadata;
  return table(served, [object], { ...others, resourceVersion }, withColumns);
}

/** A bookmark of a watch as a table: no rows. @param more of its metadata, such as annotations */
export function tableBookmark(resourceVersion: string, more: object, version: "v1" | "v1beta1"): object {
  const metadata = { resourceVersion, ...more };
  return { kind: "Table", apiVersion: `meta.k8s.io/${version}`, metadata, columnDefinitions: null, rows: [] };
}

function table(
  served: ServedKind,
  objects: readonly ResourceObject[],
  options: TableOptions,
  withColumns: boolean,
): object {
  const columns = columnsOf(served);
  const { resourceVersion, continue: token, remainingItemCount, version = "v1" } = options;
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(token === undefined ? {} : { continue: token }),
      ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    },
    columnDefinitions: withColumns ? columns.map(({ definition }) => columnDefinition(definition)) : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => cell(column, object, options.now)),
      ...rowObject(object, options),
    })),
  };
}

function columnDefinition({ name, type, format = "", description = "", priority = 0 }: PrinterColumn): object {
  return { name, type, format, description, priority };
}

function rowObject(object: ResourceObject, { includeObject, version = "v1" }: TableOptions): object {
  switch (includeObject) {
    case "None":
      return {};
    case "Object":
      return { object };
    case "Metadata":
      return { object: partialObjectMetadata(object, version) };
  }
}

/** An object reduced to its metadata. @see Kubernetes API, PartialObjectMetadata */
export function partialObjectMetadata(object: ResourceObject, version: "v1" | "v1beta1" = "v1"): object {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

/** A value as its column shows it; `null` if it is absent or of another type. */
function cell({ definition, path }: Column, object: ResourceObject, now: number): unknown {
  const values = valuesAt(object, path);
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (definition.type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? humanDuration(now - Date.parse(value)) : null;
    case "string":
      return values.map(text).join(",");
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
