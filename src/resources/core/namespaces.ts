import { z } from "zod";
import { decodeContinue, encodeContinue } from "../continue-token.ts";
import { matchesFields } from "../field-selector.ts";
import type { GroupBuilder } from "../group-builder.ts";
import { matchesLabels } from "../label-selector.ts";
import { checkNamespaceName } from "../names.ts";
import type { ResourceObject } from "../object.ts";
import { StatusError } from "../status-error.ts";
import type { ListPage, ListQuery, RequestContext, Storage } from "../storage.ts";
import type { UpkeepStore } from "../upkeep-store.ts";

/** Namespaces that are there without anyone having made them. */
const ALWAYS = ["default"];

/** Created namespaces read at a time. */
const PAGE = 500;

/**
 * The core group, with the one kind of it that a registry needs. A namespace is there when it was created, or when a
 * repository or an object is in it: pushing `team-a/app` makes `team-a`.
 */
export function coreGroup(store: UpkeepStore): GroupBuilder {
  return {
    group: "",
    versions: ["v1"],
    kinds: [
      {
        declaration: {
          kind: "Namespace",
          plural: "namespaces",
          shortNames: ["ns"],
          scope: "Cluster",
          description: "The unit of tenancy: the first path component of repository names.",
          spec: z.object({}).describe("A namespace has nothing to say of itself."),
          status: z.object({ phase: z.string().optional().describe("`Active`.") }),
          columns: [
            { name: "Status", type: "string", jsonPath: ".status.phase", description: "Whether it may be used." },
          ],
          checkName: checkNamespaceName,
        },
        storage: (general) => namespaceStorage(general, store),
      },
    ],
  };
}

function namespaceStorage(general: Required<Storage>, store: UpkeepStore): Storage {
  return {
    async list(context, query) {
      if (query.source !== "current") return general.list(context, query);
      const { created, resourceVersion } = await listCreated(general, context, query);
      const names = new Set(created.map((item) => item.metadata.name));
      const implied = (await impliedNames(store)).filter((name) => !names.has(name));
      const items = [...created, ...implied.map((name) => implicit(name, resourceVersion))]
        .filter((item) => matchesLabels(item.metadata.labels, query.labels) && matchesFields(item, query.fields))
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      return pageOf(items, resourceVersion, query);
    },
    async get(context, namespace, name) {
      try {
        return active(await general.get(context, namespace, name));
      } catch (error) {
        const isMissing = error instanceof StatusError && error.reason === "NotFound";
        if (!isMissing || !(await impliedNames(store)).includes(name)) throw error;
        // The version of something that was never written.
        return implicit(name, "1");
      }
    },
    async create(context, namespace, object) {
      return active(await general.create(context, namespace, object));
    },
  };
}

async function impliedNames(store: UpkeepStore): Promise<string[]> {
  return [...new Set([...ALWAYS, ...(await store.namespacesInUse())])];
}

/** All that were created: they have to be put in order with the others before they can be paged. */
async function listCreated(
  general: Required<Storage>,
  context: RequestContext,
  { resourceVersion, resourceVersionMatch }: ListQuery,
): Promise<{ readonly created: readonly ResourceObject[]; readonly resourceVersion: string }> {
  const created: ResourceObject[] = [];
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
    created.push(...page.items.map(active));
    if (page.continue === undefined) return { created, resourceVersion: page.resourceVersion };
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

function active(object: ResourceObject): ResourceObject {
  return { ...object, status: { phase: "Active" } };
}

/** A namespace that nobody created. Its uid is made of its name, so that it is the same each time. */
function implicit(name: string, resourceVersion: string): ResourceObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      uid: `namespace-${name}`,
      resourceVersion,
      generation: 1,
      creationTimestamp: "1970-01-01T00:00:00Z",
    },
    spec: {},
    status: { phase: "Active" },
  };
}
