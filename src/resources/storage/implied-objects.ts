import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { matchesFields } from "../selectors/field-selector.ts";
import { matchesLabels } from "../selectors/label-selector.ts";
import type { ResourceObject } from "../objects/object.ts";
import { StatusError } from "../status-error.ts";
import type { Getter, Lister, ListPage, ListQuery, RequestContext } from "./storage.ts";

/** Stored objects read at a time. */
const PAGE = 500;

/** Objects of a cluster-scoped kind that are there without anyone having made them. */
export interface ImpliedObjects {
  /** The names of all. */
  names(): Promise<readonly string[]>;
  /** One of them. Its version is that of something that was never written, or of the list that it stands in. */
  make(name: string, resourceVersion: string): ResourceObject;
  /** A stored object as it is shown. */
  shown(object: ResourceObject): ResourceObject;
}

/** The version of something that was never written. */
export const NEVER_WRITTEN = "1";

/** What no write gave to an implied object: everything of its metadata but its name and what it is called. */
export function impliedMetadata(uid: string, name: string, resourceVersion: string) {
  return { name, uid, resourceVersion, generation: 1, creationTimestamp: "1970-01-01T00:00:00Z" };
}

/** Reads stored objects and implied ones together. A stored object stands before an implied one of its name. */
export function withImplied(general: Getter & Lister, implied: ImpliedObjects): Getter & Lister {
  return {
    async list(context, query) {
      if (query.source !== "current") return general.list(context, query);
      const { stored, resourceVersion } = await listStored(general, context, query);
      const taken = new Set(stored.map((item) => item.metadata.name));
      const others = (await implied.names()).filter((name) => !taken.has(name));
      const items = [
        ...stored.map((item) => implied.shown(item)),
        ...others.map((name) => implied.make(name, resourceVersion)),
      ]
        .filter((item) => matchesLabels(item.metadata.labels, query.labels) && matchesFields(item, query.fields))
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      return pageOf(items, resourceVersion, query);
    },
    async get(context, ref) {
      try {
        return implied.shown(await general.get(context, ref));
      } catch (error) {
        const isMissing = error instanceof StatusError && error.reason === "NotFound";
        if (!isMissing || !(await implied.names()).includes(ref.name)) throw error;
        return implied.make(ref.name, NEVER_WRITTEN);
      }
    },
  };
}

/** All that are stored: they have to be put in order with the others before they can be paged. */
async function listStored(
  general: Lister,
  context: RequestContext,
  { resourceVersion, resourceVersionMatch }: ListQuery,
): Promise<{ readonly stored: readonly ResourceObject[]; readonly resourceVersion: string }> {
  const stored: ResourceObject[] = [];
  const query = {
    labels: [],
    fields: [],
    limit: PAGE,
    source: "current",
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(resourceVersionMatch === undefined ? {} : { resourceVersionMatch }),
  } as const;
  let page = await general.list(context, query);
  for (;;) {
    stored.push(...page.items);
    if (page.continue === undefined) return { stored, resourceVersion: page.resourceVersion };
    page = await general.list(context, { ...query, continue: page.continue });
  }
}

function pageOf(items: readonly ResourceObject[], resourceVersion: string, query: ListQuery): ListPage {
  const after = query.continue === undefined ? undefined : decodeContinue(query.continue).name;
  const rest = after === undefined ? items : items.filter((item) => item.metadata.name > after);
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { items: page, resourceVersion };
  const token = { rv: Number(resourceVersion), namespace: "", name: last.metadata.name };
  return { items: page, resourceVersion, continue: encodeContinue(token) };
}
