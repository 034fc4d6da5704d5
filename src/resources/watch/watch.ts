import type { KindKey } from "../client.ts";
import { matchesFields } from "../selectors/field-selector.ts";
import { matchesLabels } from "../selectors/label-selector.ts";
import type { ResourceObject } from "../objects/object.ts";
import type { ResourceStore, StoredEvent } from "../storage/resource-store.ts";
import { StatusError } from "../status-error.ts";
import type { WatchFrame, WatchQuery } from "../storage/storage.ts";
import { HubConnection } from "./hub-connection.ts";

/** Rows read at a time while catching up. */
const BATCH = 500;

/** What watching needs. */
export interface WatchPorts {
  readonly store: ResourceStore;
  readonly hubs: DurableObjectNamespace;
}

/**
 * Yields every change of a kind that matches, once and in order: first from the change log, then as the hub tells of
 * them. Whenever the hub was lost, or its messages leave a gap, the log fills it.
 */
export async function* watch(ports: WatchPorts, kind: KindKey, query: WatchQuery): AsyncGenerator<WatchFrame, void> {
  const { store, hubs } = ports;
  let { since } = query;
  if (since === 0) {
    const initial = await initialEvents(store, kind, query);
    yield* initial.frames;
    since = initial.rv;
    yield { type: "BOOKMARK", resourceVersion: String(since) };
  }
  const hub = new HubConnection(hubs, kind, query.signal);
  for (;;) {
    const signal = await hub.next();
    if (signal === undefined) return;
    if (signal === "look" || (signal !== "quiet" && signal.after > since)) {
      let more = true;
      while (more) {
        const changes = await store.changes(kind, since, BATCH);
        checkResumable(since, changes);
        yield* visible(changes.events, query);
        since = changes.upTo;
        ({ more } = changes);
      }
    } else if (signal !== "quiet") {
      const { events, upTo } = signal;
      yield* visible(
        events.filter((event) => event.rv > since),
        query,
      );
      since = Math.max(since, upTo);
    }
    yield { type: "BOOKMARK", resourceVersion: String(since) };
  }
}

/** @throws {StatusError} Expired: the client has to list anew */
function checkResumable(since: number, { floor, upTo }: { readonly floor: number; readonly upTo: number }): void {
  if (since < floor) throw new StatusError("Expired", `too old resource version: ${since} (${floor})`);
  // The database was set back, or the version was never one.
  if (since > upTo) throw new StatusError("Expired", `too new resource version: ${since} (${upTo})`);
}

async function initialEvents(
  store: ResourceStore,
  kind: KindKey,
  query: WatchQuery,
): Promise<{ readonly frames: readonly WatchFrame[]; readonly rv: number }> {
  const frames: WatchFrame[] = [];
  let after: { namespace: string; name: string } | undefined;
  let rv: number | undefined;
  for (;;) {
    const page = await store.list(kind, { ...query, limit: BATCH, ...(after === undefined ? {} : { after }) });
    // Changes while the later pages are read come again as changes.
    rv ??= page.rv;
    frames.push(...page.items.map((object) => ({ type: "ADDED", object }) as const));
    const last = page.items.at(-1);
    if (last === undefined || !page.more) return { frames, rv };
    after = { namespace: last.metadata.namespace ?? "", name: last.metadata.name };
  }
}

/** What a watcher with selectors sees of changes: an object that comes to match appears, one that no longer does goes. */
function visible(events: readonly StoredEvent[], query: WatchQuery): WatchFrame[] {
  return events.flatMap((event): WatchFrame[] => {
    const { type, object, previous = object } = event;
    if (query.namespace !== undefined && event.namespace !== query.namespace) return [];
    const isNow = type !== "DELETED" && matches(object, query);
    const wasBefore = type !== "ADDED" && matches(previous, query);
    if (isNow) return [{ type: wasBefore ? "MODIFIED" : "ADDED", object }];
    return wasBefore ? [{ type: "DELETED", object: type === "DELETED" ? object : lastSeen(previous, event) }] : [];
  });
}

/** An object that a watcher sees no more, as he last saw it, at the version at which it went. */
function lastSeen(object: ResourceObject, { rv }: StoredEvent): ResourceObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } };
}

function matches(object: ResourceObject, query: WatchQuery): boolean {
  return matchesLabels(object.metadata.labels, query.labels) && matchesFields(object, query.fields);
}
