import { badRequest, StatusError } from "../../status-error.ts";
import type { ListQuery, WatchFrame } from "../../storage/storage.ts";
import { type ApiCall, contextOf, notLoggedIn, refusalOf } from "../call.ts";
import { methodNotAllowed, type ResourceTarget } from "../target.ts";
import { isTrue, wholeNumber } from "../query.ts";
import type { CountedWatch } from "../../watch/watch-limit.ts";
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
    checkRights: rightsOf(call),
  };
  // Whoever said when has it end then; anybody else, at the next line.
  const expire = () => {
    over = true;
    if (options.timeoutSeconds !== undefined) end.abort();
  };
  const counted = call.services.watches.enter(call.identity.name);
  if (counted === undefined) {
    const details = { retryAfterSeconds: RETRY_SECONDS };
    throw new StatusError("TooManyRequests", `${call.identity.name} has too many watches open`, details);
  }
  const timer = setTimeout(expire, watchLifetime(options, Math.random));
  end.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    counted.leave();
  });
  const since = sendInitial ? 0 : Number(list.resourceVersion ?? 0);
  const frames = resource.storage.watch(contextOf(call, false), {
    ...(list.namespace === undefined ? {} : { namespace: list.namespace }),
    labels: list.labels,
    fields: list.fields,
    since,
    signal: end.signal,
  });
  const lines = endedBy(watchLines(heard(frames, counted), options), () => end.abort());
  const isSocket = call.request.headers.get("upgrade")?.toLowerCase() === "websocket";
  return isSocket ? watchSocket(lines, () => end.abort()) : watchStream(lines, () => end.abort());
}

/** Seconds after which a client that has too many watches may try another. */
const RETRY_SECONDS = 10;

/** The same frames; the watch is known to be there as long as they are asked for, whether they are written or not. */
async function* heard(frames: AsyncIterable<WatchFrame>, watch: CountedWatch): AsyncGenerator<WatchFrame, void> {
  for await (const frame of frames) {
    watch.touch();
    yield frame;
  }
}

/** The same lines; what is behind them ends with them. */
async function* endedBy(lines: AsyncGenerator<string, void>, end: () => void): AsyncGenerator<string, void> {
  try {
    yield* lines;
  } finally {
    end();
  }
}

/** For how long rights that were found are taken to be there, in milliseconds. */
const RIGHTS_MS = 1000;

/**
 * Asks anew whether the caller may watch: who they are, what roles they have, and whether their credential is still good
 * may change while they do. A lock-out because of wrong credentials takes nothing from the right one. The function
 * throws a StatusError, Unauthorized or Forbidden.
 */
function rightsOf({ services, request, trail }: ApiCall): () => Promise<void> {
  let asked = services.clock();
  return async function checkRights() {
    const now = services.clock();
    if (trail.asked === undefined || now - asked < RIGHTS_MS) return;
    asked = now;
    const identity = await services.gate.authenticate(request);
    if (!identity.ok) {
      if (identity.error.reason === "locked-out" || identity.error.reason === "busy") return;
      throw notLoggedIn();
    }
    const attributes = { ...trail.asked.attributes, identity: identity.value };
    if ((await services.authorizer(attributes)).decision !== "allow") throw refusalOf(attributes);
  };
}
