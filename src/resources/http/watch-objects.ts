import type { ResourceObject } from "../object.ts";
import { badRequest } from "../status-error.ts";
import type { ListQuery } from "../storage.ts";
import { contextOf } from "./call.ts";
import { negotiateObject } from "./negotiate.ts";
import { methodNotAllowed, type ResourceTarget } from "./target.ts";
import { presentObject, tableOptions } from "./present.ts";
import { isTrue, wholeNumber } from "./query.ts";
import { tableFrame } from "./table.ts";
import { watchLifetime, watchLines, watchSocket, watchStream } from "./watch-response.ts";

/**
 * A watch: changes after a version, as a stream of lines or over a WebSocket. Without a version, or from version 0, it
 * begins with the objects there are.
 */
export async function watchObjects(target: ResourceTarget, list: ListQuery): Promise<Response> {
  const { call, resource } = target;
  const query = call.url.searchParams;
  if (resource.storage.watch === undefined) throw methodNotAllowed(target);
  const sendInitial = isTrue(query.get("sendInitialEvents"));
  if (sendInitial && query.get("resourceVersionMatch") !== "NotOlderThan") {
    throw badRequest("sendInitialEvents: needs resourceVersionMatch=NotOlderThan");
  }
  const end = new AbortController();
  const options = {
    kind: resource.served,
    bookmarks: isTrue(query.get("allowWatchBookmarks")),
    initialEvents: sendInitial,
    timeoutSeconds: wholeNumber(query, "timeoutSeconds"),
    present: presenter(target),
    stopping: call.services.stopping,
  };
  const timer = setTimeout(() => end.abort(), watchLifetime(options, Math.random));
  end.signal.addEventListener("abort", () => clearTimeout(timer));
  const since = sendInitial ? 0 : Number(list.resourceVersion ?? 0);
  const frames = resource.storage.watch(contextOf(call, false), {
    ...(list.namespace === undefined ? {} : { namespace: list.namespace }),
    labels: list.labels,
    fields: list.fields,
    since,
    signal: end.signal,
  });
  const lines = watchLines(frames, options);
  const isSocket = call.request.headers.get("upgrade")?.toLowerCase() === "websocket";
  return isSocket ? watchSocket(lines, () => end.abort()) : watchStream(lines, () => end.abort());
}

/** Shows each object as the client wants it; of tables, only the first has the columns. */
function presenter(target: ResourceTarget): (object: ResourceObject) => unknown {
  const format = negotiateObject(target.call.request.headers.get("accept"));
  if (format.as !== "Table") return (object) => presentObject(target, object, format);
  let withColumns = true;
  return (object) => {
    const options = { ...tableOptions(target, format.version), withColumns };
    withColumns = false;
    return tableFrame(target.resource.served, object, options);
  };
}
