import type { ServedKind } from "../../kinds/kind.ts";
import type { Connecter } from "../../storage/storage.ts";
import type { GroupRoute } from "../../kinds/group-builder.ts";
import { DELETE_OPTIONS_NAME, PATCH_TYPES, STATUS_NAME, kindOf, listKindOf, schemaName } from "./openapi-names.ts";

/** An operation of an OpenAPI v3 document. */
export type Operation = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly description: string;
  readonly required?: true;
  readonly schema: { readonly type: "string" | "boolean" | "integer" };
}

function query(name: string, type: Parameter["schema"]["type"], description: string): Parameter {
  return { name, in: "query", description, schema: { type } };
}

/** A variable of a path, such as `{name}`. */
export function pathParameter(name: string, description: string): Parameter {
  return { name, in: "path", description, required: true, schema: { type: "string" } };
}

const WRITE: readonly Parameter[] = [
  query("dryRun", "string", "All: do everything but the write."),
  query("fieldManager", "string", "Who the written fields will belong to."),
  query("fieldValidation", "string", "What to do about unknown fields: Strict, Warn or Ignore."),
];
const FORCE = query("force", "boolean", "Take over fields that belong to others (apply only).");
const SELECT: readonly Parameter[] = [
  query("labelSelector", "string", "Only objects whose labels satisfy this, such as a=b,c in (d,e),!f."),
  query("fieldSelector", "string", "Only objects whose fields satisfy this, such as metadata.name=a."),
  query("limit", "integer", "The most objects of a page."),
  query("continue", "string", "Continues after the page that gave this token."),
  query("resourceVersion", "string", "How recent the answer must be; for a watch, where it begins."),
  query("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
  query("timeoutSeconds", "integer", "How long the request may take."),
];
const WATCH: readonly Parameter[] = [
  query("watch", "boolean", "Follow changes instead of listing."),
  query("allowWatchBookmarks", "boolean", "Whether the watch may say how far it has come."),
  query("sendInitialEvents", "boolean", "Begin the watch with the objects that there are."),
];
const DELETE: readonly Parameter[] = [
  query("dryRun", "string", "All: do everything but the deletion."),
  query("gracePeriodSeconds", "integer", "Accepted; objects here need no grace."),
  query("propagationPolicy", "string", "What becomes of dependents: Background, Foreground or Orphan."),
];

export function reference(name: string): Readonly<Record<string, string>> {
  return { $ref: `#/components/schemas/${name}` };
}

function json(name: string): object {
  return { "application/json": { schema: reference(name) } };
}

function response(description: string, name: string): object {
  return { description, content: json(name) };
}

/** Operations on the objects of a kind, or with `subresource` on a part of them. */
export class OperationFactory {
  readonly #served: ServedKind;
  readonly #suffix: string;

  constructor(served: ServedKind, subresource = "") {
    this.#served = served;
    this.#suffix = subresource === "" ? "" : capitalised(subresource);
  }

  list(scope: "here" | "everywhere", watch: boolean): Operation {
    const parameters = watch ? [...SELECT, ...WATCH] : SELECT;
    const name = schemaName(listKindOf(this.#served));
    const suffix = scope === "everywhere" ? "ForAllNamespaces" : "";
    return {
      ...this.#operation("list", "List or watch", suffix),
      parameters,
      responses: { "200": response("OK", name) },
    };
  }

  create(): Operation {
    const ok = response("The object as created.", this.#name);
    const responses = { "200": ok, "201": ok, "202": ok };
    return { ...this.#operation("post", "Create"), parameters: WRITE, requestBody: this.#body(), responses };
  }

  deleteCollection(): Operation {
    const operation = this.#operation("deletecollection", "Delete all that match,");
    return { ...operation, parameters: [...SELECT, ...DELETE], requestBody: deleteBody(), responses: this.#deleted() };
  }

  get(): Operation {
    return { ...this.#operation("get", "Read"), responses: { "200": response("The object.", this.#name) } };
  }

  replace(): Operation {
    const ok = response("The object as it is now.", this.#name);
    const operation = this.#operation("put", "Replace");
    return { ...operation, parameters: WRITE, requestBody: this.#body(), responses: { "200": ok, "201": ok } };
  }

  patch(): Operation {
    const ok = response("The object as it is now.", this.#name);
    const content = Object.fromEntries(PATCH_TYPES.map((type) => [type, { schema: patchSchema(type) }]));
    return {
      ...this.#operation("patch", "Change a part of"),
      parameters: [...WRITE, FORCE],
      requestBody: { required: true, content },
      responses: { "200": ok, "201": ok },
    };
  }

  delete(): Operation {
    const operation = this.#operation("delete", "Delete");
    return { ...operation, parameters: DELETE, requestBody: deleteBody(), responses: this.#deleted() };
  }

  connect(connecter: Connecter, method: string): Operation {
    return {
      ...this.#operation("connect", connecter.description, capitalised(method.toLowerCase()), true),
      responses: { "200": anyResponse() },
    };
  }

  get #name(): string {
    return schemaName(kindOf(this.#served));
  }

  #body(): object {
    return { required: true, content: json(this.#name) };
  }

  #deleted(): object {
    const status = response("Deleted.", STATUS_NAME);
    return { "200": status, "202": status };
  }

  #operation(action: string, description: string, suffix = "", isWhole = false): Operation {
    const { kind, version, group } = this.#served;
    const id = [action, group, version, kind].map((part) => capitalised(part.replaceAll(/\W/g, "_"))).join("");
    return {
      tags: [group === "" ? `core_${version}` : `${group}_${version}`],
      description: isWhole
        ? description
        : `${description} ${this.#suffix === "" ? "" : "the status of "}objects of kind ${kind}.`,
      operationId: `${id.charAt(0).toLowerCase()}${id.slice(1)}${this.#suffix}${suffix}`,
      "x-kubernetes-action": action,
      "x-kubernetes-group-version-kind": kindOf(this.#served),
    };
  }
}

function deleteBody(): object {
  return { content: json(DELETE_OPTIONS_NAME) };
}

function patchSchema(type: (typeof PATCH_TYPES)[number]): object {
  if (type === "application/json-patch+json") return { type: "array", items: { type: "object" } };
  return { type: "object", description: "The part of the object that is to change." };
}

function anyResponse(): object {
  return { description: "OK", content: { "*/*": { schema: {} } } };
}

/** A route of a group. What the route itself says of its operation comes before what is made up here. */
export function routeOperation(group: string, version: string, route: GroupRoute): Operation {
  const name = route.path
    .split(/\W+/)
    .filter((part) => part !== "")
    .map(capitalised)
    .join("");
  return {
    tags: [`${group === "" ? "core" : group}_${version}`],
    description: route.description,
    operationId: `${route.method.toLowerCase()}${version.toUpperCase()}${name}`,
    "x-kubernetes-action": "connect",
    responses: { "200": anyResponse() },
    ...route.openapi,
  };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
