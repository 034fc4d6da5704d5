import { badRequest } from "../status-error.ts";
import type { ListQuery } from "../storage.ts";
import { type ApiCall, contextOf } from "./call.ts";
import { methodNotAllowed, type ResourceTarget } from "./target.ts";
import { isTrue, wholeNumber } from "./query.ts";
import { watchPresenter } from "./watch-presenter.ts";
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
  let over = false;
  const options = {
    bookmarks: isTrue(query.get("allowWatchBookmarks")),
    initialEvents: sendInitial,
    timeoutSeconds: wholeNumber(query, "timeoutSeconds"),
    over: () => over,
    present: watchPresenter(target),
    stopping: call.services.stopping,
    mayGoOn: rightsOf(call),
  };
  // Whoever said when has it end then; anybody else, at the next line.
  const expire = () => {
    over = true;
    if (options.timeoutSeconds !== undefined) end.abort();
  };
  const timer = setTimeout(expire, watchLifetime(options, Math.random));
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

/** For how long rights that were found are taken to be there, in milliseconds. */
const RIGHTS_MS = 1000;

/**
 * Asks anew whether the caller may watch: who they are, what roles they have, and whether their credential is still good
 * may change while they do. A lock-out because of wrong credentials takes nothing from the right one.
 */
function rightsOf({ services, request, trail }: ApiCall): () => Promise<boolean> {
  let asked = services.clock();
  return async function mayGoOn() {
    const now = services.clock();
    if (trail.asked === undefined || now - asked < RIGHTS_MS) return true;
    asked = now;
    const identity = await services.gate.authenticate(request);
    if (!identity.ok) return identity.error.reason === "locked-out" || identity.error.reason === "busy";
    const attributes = { ...trail.asked.attributes, identity: identity.value };
    return (await services.authorizer(attributes)).decision === "allow";
  };
}
