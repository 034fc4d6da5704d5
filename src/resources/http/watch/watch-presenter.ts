import { apiVersionOf } from "../../kinds/kind.ts";
import type { ResourceObject } from "../../objects/object.ts";
import { negotiateObject } from "../negotiate.ts";
import { presentObject, tableOptions } from "../present.ts";
import { tableBookmark, tableFrame } from "../table/table.ts";
import type { ResourceTarget } from "../target.ts";

/** What a watch says, in the form that its client asked for: clients decode every line of a stream as the same type. */
export interface WatchPresenter {
  object(object: ResourceObject): unknown;
  /** How far the watch has come. @param endsInitial the objects that there were have all been sent */
  bookmark(resourceVersion: string, endsInitial: boolean): unknown;
}

/** Of tables, only the first with a row has the columns. @throws {StatusError} NotAcceptable */
export function watchPresenter(target: ResourceTarget): WatchPresenter {
  const format = negotiateObject(target.call.request.headers.get("accept"));
  const { served } = target.resource;
  let withColumns = true;
  return {
    object(object) {
      if (format.as !== "Table") return presentObject(target, object, format);
      const options = { ...tableOptions(target, format.version), withColumns };
      withColumns = false;
      return tableFrame(served, object, options);
    },
    bookmark(resourceVersion, endsInitial) {
      const annotations = endsInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
      if (format.as === "Table") return tableBookmark(resourceVersion, annotations, format.version);
      const type =
        format.as === "Object"
          ? { kind: served.kind, apiVersion: apiVersionOf(served) }
          : { kind: format.as, apiVersion: `meta.k8s.io/${format.version}` };
      return { ...type, metadata: { resourceVersion, creationTimestamp: null, ...annotations } };
    },
  };
}
