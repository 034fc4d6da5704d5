import type { Clock } from "../../platform/index.ts";
import { matchesFields } from "../selectors/field-selector.ts";
import { matchesLabels } from "../selectors/label-selector.ts";
import type { ResourceObject } from "../objects/object.ts";
import { ignoring } from "../status-error.ts";
import type { Getter, Lister, RequestContext, WatchFrame, Watcher, WatchQuery } from "../storage/storage.ts";

/** How often it is looked which namespaces are there by what is in them, in milliseconds. */
const LOOK_MS = 5000;

/** Objects of a page of the first list. */
const PAGE = 500;

/** What a watch of namespaces works with. */
export interface NamespaceWatchPorts {
  /** Namespaces that were created. */
  readonly stored: Watcher;
  /** All. */
  readonly reader: Getter & Lister;
  /** Those that nobody created. */
  readonly implied: () => Promise<ReadonlySet<string>>;
  /** Those of them that appeared after a version, as far as that can be told. */
  readonly since: (rv: number) => Promise<readonly string[]>;
  readonly make: (name: string, resourceVersion: string) => ResourceObject;
  readonly shown: (object: ResourceObject) => ResourceObject;
  readonly clock: Clock;
}

/**
 * Changes of namespaces. Those that were created are in the change log; one that is there by what is in it appears and
 * goes with that, which nobody writes down: it is looked for every few seconds. A watch that resumes from an earlier
 * version may say again that such a namespace is there, and cannot say that one went meanwhile.
 */
export async function* watchNamespaces(
  ports: NamespaceWatchPorts,
  context: RequestContext,
  query: WatchQuery,
): AsyncGenerator<WatchFrame, void> {
  const { stored, implied, since, shown, clock } = ports;
  let start = query.since;
  const known = new Set(await implied());
  if (start === 0) {
    const { items, resourceVersion } = await listAll(ports.reader, context, query);
    for (const object of items) yield { type: "ADDED", object };
    start = Number(resourceVersion);
    yield { type: "BOOKMARK", resourceVersion };
  } else {
    for (const name of await since(start)) known.delete(name);
  }
  let lookedAt = -Infinity;
  for await (const frame of stored.watch(context, { ...query, since: start })) {
    if (frame.type !== "BOOKMARK") {
      const { name } = frame.object.metadata;
      // Whoever has seen a namespace that nobody made sees it change when somebody does.
      const type = known.delete(name) ? "MODIFIED" : frame.type;
      yield { type, object: shown(frame.object) };
      continue;
    }
    if (clock() - lookedAt >= LOOK_MS) {
      lookedAt = clock();
      yield* look(ports, context, query, known, frame.resourceVersion);
    }
    yield frame;
  }
}

/** What came and went of the namespaces that nobody created, since it was last looked. */
async function* look(
  { implied, reader, make }: NamespaceWatchPorts,
  context: RequestContext,
  query: WatchQuery,
  known: Set<string>,
  resourceVersion: string,
): AsyncGenerator<WatchFrame, void> {
  const present = await implied();
  for (const name of present) {
    if (known.has(name)) continue;
    known.add(name);
    const object = make(name, resourceVersion);
    if (matches(object, query)) yield { type: "ADDED", object };
  }
  for (const name of known) {
    if (present.has(name) || (await isThere(reader, context, name))) continue;
    known.delete(name);
    const object = make(name, resourceVersion);
    if (matches(object, query)) yield { type: "DELETED", object };
  }
}

function matches(object: ResourceObject, query: WatchQuery): boolean {
  return matchesLabels(object.metadata.labels, query.labels) && matchesFields(object, query.fields);
}

async function isThere(reader: Getter, context: RequestContext, name: string): Promise<boolean> {
  return (await reader.get(context, { name }).catch(ignoring("NotFound"))) !== undefined;
}

async function listAll(
  reader: Lister,
  context: RequestContext,
  { labels, fields }: WatchQuery,
): Promise<{ readonly items: readonly ResourceObject[]; readonly resourceVersion: string }> {
  const items: ResourceObject[] = [];
  let page = await reader.list(context, { labels, fields, limit: PAGE, source: "current" });
  const { resourceVersion } = page;
  for (;;) {
    items.push(...page.items);
    if (page.continue === undefined) return { items, resourceVersion };
    page = await reader.list(context, { labels, fields, limit: PAGE, source: "current", continue: page.continue });
  }
}
