import type { FieldRequirement } from "../selectors/field-selector.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import { invalid, StatusError } from "../status-error.ts";
import type { ListPage, ListQuery, Storage, WatchFrame } from "../storage/storage.ts";

export const EVENTS_GROUP = "events.k8s.io";

/** How fields of the core group's events are called in the newer shape; others have the same name. */
const RENAMED = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["reportingComponent", "reportingController"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
] as const;

const TO_VIEW: ReadonlyMap<string, string> = new Map(RENAMED);
const TO_CORE: ReadonlyMap<string, string> = new Map(RENAMED.map(([core, view]) => [view, core]));

/**
 * The events of the core group as `events.k8s.io` has them: one store in two shapes. Managed fields are named as they
 * are in the core group and not shown here.
 */
export function eventsView(core: Required<Storage>): Required<Storage> {
  const query = <Q extends Pick<ListQuery, "fields">>(given: Q): Q => ({
    ...given,
    fields: given.fields.map(coreField),
  });
  const page = (given: ListPage): ListPage => ({ ...given, items: given.items.map(viewOf) });
  return {
    get: async (context, ref) => viewOf(await core.get(context, ref)),
    list: async (context, given) => page(await core.list(context, query(given))),
    create: async (context, namespace, object) => viewOf(await inView(core.create(context, namespace, coreOf(object)))),
    async update(context, ref, transform, { ownersGiven: _own, ...options }) {
      const { object, created } = await inView(
        core.update(
          context,
          ref,
          async (current) => coreOf(await transform(current === undefined ? undefined : viewOf(current))),
          options,
        ),
      );
      return { object: viewOf(object), created };
    },
    async delete(context, ref, options) {
      const { object, gone } = await core.delete(context, ref, options);
      return { object: viewOf(object), gone };
    },
    deleteCollection: async (context, given, options) =>
      page(await core.deleteCollection(context, query(given), options)),
    async *watch(context, given): AsyncGenerator<WatchFrame, void> {
      for await (const frame of core.watch(context, query(given))) {
        yield "object" in frame ? { ...frame, object: viewOf(frame.object) } : frame;
      }
    },
  };
}

function viewOf({ metadata, ...object }: ResourceObject): ResourceObject {
  const { managedFields: _owners, ...shown } = metadata;
  return { ...renamed(object, TO_VIEW), apiVersion: `${EVENTS_GROUP}/v1`, metadata: shown };
}

function coreOf({ metadata, ...object }: ResourceInput): ResourceInput {
  const { managedFields: _owners, ...given } = metadata;
  const core = renamed(object, TO_CORE);
  return { involvedObject: {}, ...core, apiVersion: "v1", metadata: given } as ResourceInput;
}

function renamed<T extends object>(object: T, names: ReadonlyMap<string, string>): T {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value])) as T;
}

function coreField({ path, ...requirement }: FieldRequirement): FieldRequirement {
  return { ...requirement, path: renamedPath(path, TO_CORE) };
}

function renamedPath(path: string, names: ReadonlyMap<string, string>): string {
  const [, first = "", rest = ""] = /^([^.[]*)(.*)$/s.exec(path) ?? [];
  return `${names.get(first) ?? first}${rest}`;
}

/** What is wrong with fields is said of the fields that the client knows. */
async function inView<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== "Invalid") throw error;
    const { name = "", causes = [] } = error.details ?? {};
    const known = causes.map((cause) => ({ ...cause, field: renamedPath(cause.field, TO_VIEW) }));
    throw invalid({ group: EVENTS_GROUP, kind: "Event" }, name, known);
  }
}
