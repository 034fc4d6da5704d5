import { apiVersionOf } from "../kinds/kind.ts";
import type { ResourceObject } from "../objects/object.ts";
import type { ListPage } from "../storage/storage.ts";
import { negotiateObject, type ObjectFormat } from "./negotiate.ts";
import type { ResourceTarget } from "./target.ts";
import { partialObjectMetadata, toTable } from "./table/table.ts";

/** An object or a list as the client wants it: whole, as a table, or its metadata only. */
export function present(target: ResourceTarget, value: ResourceObject | ListPage, status = 200): Response {
  const format = negotiateObject(target.call.request.headers.get("accept"));
  const body = "items" in value ? presentList(target, value, format) : presentObject(target, value, format);
  return Response.json(body, { status, headers: { "cache-control": "no-cache, private", vary: "Accept" } });
}

/** One object in a format. */
export function presentObject(target: ResourceTarget, object: ResourceObject, format: ObjectFormat): unknown {
  if (format.as === "Object") return object;
  if (format.as === "PartialObjectMetadata") return partialObjectMetadata(object, format.version);
  return toTable(target.resource.served, [object], {
    ...tableOptions(target, format.version),
    resourceVersion: object.metadata.resourceVersion,
  });
}

/** How tables are made for this request. */
export function tableOptions({ call }: ResourceTarget, version: "v1" | "v1beta1") {
  const asked = call.url.searchParams.get("includeObject");
  const includeObject = asked === "Object" || asked === "None" ? asked : "Metadata";
  return { includeObject, now: call.services.clock(), version } as const;
}

function presentList(target: ResourceTarget, page: ListPage, format: ObjectFormat): unknown {
  const { served } = target.resource;
  const { items, resourceVersion, remainingItemCount } = page;
  const more = page.continue === undefined ? {} : { continue: page.continue };
  const remaining = remainingItemCount === undefined ? {} : { remainingItemCount };
  const metadata = { resourceVersion, ...more, ...remaining };
  if (format.as === "Table") return toTable(served, items, { ...tableOptions(target, format.version), ...metadata });
  if (format.as === "PartialObjectMetadata") {
    const some = items.map((item) => partialObjectMetadata(item, format.version));
    return { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${format.version}`, metadata, items: some };
  }
  return { kind: served.listKind, apiVersion: apiVersionOf(served), metadata, items };
}
