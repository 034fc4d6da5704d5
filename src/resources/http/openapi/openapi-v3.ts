import type { ServedGroup, ServedResource, ServedVersion } from "../../kinds/api-model.ts";
import type { GroupRoute } from "../../kinds/group-builder.ts";
import type { SchemaNode } from "../../kinds/kind.ts";
import { META_SCHEMAS } from "./openapi-meta.ts";
import { basePath, collectionPath } from "./openapi-names.ts";
import { kindSchemas } from "./openapi-schemas.ts";
import { OperationFactory, type Operation, pathParameter, reference, routeOperation } from "./openapi-v3-operations.ts";
import { stableHash } from "../stable-hash.ts";

/** The text of a document, and what tells it from others. */
export interface OpenApiV3Document {
  readonly body: string;
  /** 16 hexadecimal digits; the same for the same text. */
  readonly hash: string;
}

type PathItem = Readonly<Record<string, unknown>>;

const documents = new WeakMap<ServedGroup, Map<string, OpenApiV3Document>>();

/**
 * `GET /openapi/v3`: where the documents are. The address of a document has its hash, so that it can be kept for good.
 * @see Kubernetes, "OpenAPI V3"
 */
export function openApiV3Index(groups: readonly ServedGroup[]): object {
  const paths = groups.flatMap((group) =>
    group.versions.map(({ version }) => {
      const path = basePath(group.group, version);
      const hash = openApiV3Document(group, version)?.hash ?? "";
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const;
    }),
  );
  return { paths: Object.fromEntries(paths) };
}

/** `GET /openapi/v3/apis/<group>/<version>`. Made once for a group; `undefined` if it has no such version. */
export function openApiV3Document(group: ServedGroup, version: string): OpenApiV3Document | undefined {
  const known = documents.get(group) ?? new Map<string, OpenApiV3Document>();
  documents.set(group, known);
  const document = known.get(version);
  if (document !== undefined) return document;
  const served = group.versions.find((candidate) => candidate.version === version);
  if (served === undefined) return undefined;
  const generated = documentOf(group.group, served);
  const body = JSON.stringify(group.openapi?.(generated, version) ?? generated);
  const made = { body, hash: stableHash(body) };
  known.set(version, made);
  return made;
}

function documentOf(group: string, { version, resources, routes }: ServedVersion): Record<string, unknown> {
  const schemas = [
    ...META_SCHEMAS.map(([name, node]) => [name, schemaV3(node)] as const),
    ...resources.flatMap(({ served }) =>
      kindSchemas(served, refer, schemaV3).map(({ name, schema }) => [name, schema] as const),
    ),
  ];
  const paths = new Map<string, PathItem>();
  for (const resource of resources) addResource(paths, resource);
  for (const route of routes) addRoute(paths, group, version, route);
  return {
    openapi: "3.0.0",
    info: { title: "Entrepot", version: "v1" },
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(schemas) },
  };
}

/** A reference with a description of its own: in OpenAPI 3.0, nothing may stand beside `$ref` itself. */
function refer(name: string, description: string): Readonly<Record<string, unknown>> {
  return { allOf: [reference(name)], description };
}

/** Nodes are OpenAPI 3.0 already, but for bounds that a later draft writes as numbers. */
function schemaV3(node: SchemaNode): Readonly<Record<string, unknown>> {
  const { properties, items, additionalProperties, exclusiveMinimum, exclusiveMaximum, ...others } = node;
  const combinations = (["allOf", "anyOf", "oneOf"] as const).flatMap((keyword) => {
    const members = node[keyword];
    return members === undefined ? [] : [[keyword, members.map(schemaV3)] as const];
  });
  return {
    ...others,
    ...Object.fromEntries(combinations),
    ...(node.not === undefined ? {} : { not: schemaV3(node.not) }),
    ...exclusiveBound("minimum", "exclusiveMinimum", exclusiveMinimum),
    ...exclusiveBound("maximum", "exclusiveMaximum", exclusiveMaximum),
    ...(items === undefined ? {} : { items: schemaV3(items) }),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, schemaV3(child)])) }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === "boolean" ? additionalProperties : schemaV3(additionalProperties),
        }),
  };
}

function exclusiveBound(bound: string, flag: string, value: boolean | number | undefined): object {
  if (value === undefined) return {};
  return typeof value === "number" ? { [bound]: value, [flag]: true } : { [flag]: value };
}

function addResource(paths: Map<string, PathItem>, { served, storage, connecters }: ServedResource): void {
  const operations = new OperationFactory(served);
  const namespaced = served.scope === "Namespaced";
  const namespace = namespaced ? [pathParameter("namespace", "Namespace of the object.")] : [];
  const named = [...namespace, pathParameter("name", "Name of the object.")];
  const collection = collectionPath(served);
  const watch = storage.watch !== undefined;
  const add = (
    path: string,
    parameters: readonly object[],
    methods: Readonly<Record<string, Operation | undefined>>,
  ) => {
    const present = Object.entries(methods).filter(([, operation]) => operation !== undefined);
    if (present.length > 0) paths.set(path, { ...Object.fromEntries(present), parameters });
  };
  const can = <T>(capability: unknown, operation: T): T | undefined =>
    capability === undefined ? undefined : operation;
  if (namespaced) {
    const everywhere = `/${basePath(served.group, served.version)}/${served.plural}`;
    add(everywhere, [], { get: can(storage.list, operations.list("everywhere", watch)) });
  }
  add(collection, namespace, {
    get: can(storage.list, operations.list("here", watch)),
    post: can(storage.create, operations.create()),
    delete: can(storage.deleteCollection, operations.deleteCollection()),
  });
  add(`${collection}/{name}`, named, {
    get: can(storage.get, operations.get()),
    put: can(storage.update, operations.replace()),
    patch: can(storage.update, operations.patch()),
    delete: can(storage.delete, operations.delete()),
  });
  if (served.hasStatus) {
    const status = new OperationFactory(served, "status");
    add(`${collection}/{name}/status`, named, {
      get: can(storage.get, status.get()),
      put: can(storage.update, status.replace()),
      patch: can(storage.update, status.patch()),
    });
  }
  for (const connecter of connecters) {
    const connect = new OperationFactory(served, connecter.subresource);
    const methods = connecter.methods.map(
      (method) => [method.toLowerCase(), connect.connect(connecter, method)] as const,
    );
    add(`${collection}/{name}/${connecter.subresource}`, named, Object.fromEntries(methods));
  }
}

function addRoute(paths: Map<string, PathItem>, group: string, version: string, route: GroupRoute): void {
  const isNamespaced = route.scope === "namespace";
  const path = `/${basePath(group, version)}${isNamespaced ? "/namespaces/{namespace}" : ""}${route.path}`;
  const variables = [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
  paths.set(path, {
    ...paths.get(path),
    [route.method.toLowerCase()]: routeOperation(group, version, route),
    parameters: variables.map((name) => pathParameter(name, `The ${name} of the path.`)),
  });
}
