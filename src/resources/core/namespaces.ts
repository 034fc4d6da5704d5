import * as z from "zod";
import type { Clock } from "../../platform/index.ts";
import type { KindRegistration } from "../group-builder.ts";
import { impliedMetadata, NEVER_WRITTEN, withImplied } from "../implied-objects.ts";
import { checkNamespaceName } from "../names.ts";
import type { ObjectMeta, ResourceInput, ResourceObject } from "../object.ts";
import type { Storage } from "../storage.ts";
import type { UpkeepStore } from "../upkeep-store.ts";
import { watchNamespaces } from "./namespace-watch.ts";

/** Namespaces that are there without anyone having made them. */
const ALWAYS = ["default"];

const namespaceSpec = z.object({
  visibility: z
    .enum(["private", "public"])
    .default("private")
    .describe("`public`: everyone, without signing in as well, may pull from its repositories and list them."),
});

/** What namespaces are read with. */
export interface NamespacePorts {
  readonly store: UpkeepStore;
  readonly clock: Clock;
}

/**
 * Namespaces. One is there when it was created, or when a repository or an object is in it: pushing `team-a/app` makes
 * `team-a`.
 */
export function namespaceKind(ports: NamespacePorts): KindRegistration {
  return {
    declaration: {
      kind: "Namespace",
      plural: "namespaces",
      shortNames: ["ns"],
      scope: "Cluster",
      description: "The unit of tenancy: the first path component of repository names.",
      spec: namespaceSpec,
      status: z.object({ phase: z.string().optional().describe("`Active`.") }),
      columns: [
        { name: "Status", type: "string", jsonPath: ".status.phase", description: "Whether it may be used." },
        {
          name: "Visibility",
          type: "string",
          jsonPath: ".spec.visibility",
          description: "Whether everyone may pull from it.",
        },
      ],
      checkName: checkNamespaceName,
    },
    storage: (general) => namespaceStorage(general, ports),
  };
}

function namespaceStorage(general: Required<Storage>, { store, clock }: NamespacePorts): Storage {
  const names = async () => [...new Set([...ALWAYS, ...(await store.namespacesInUse())])];
  const reader = withImplied(general, { names, make: implicit, shown: active });
  return {
    ...reader,
    watch: (context, query) =>
      watchNamespaces(
        {
          general,
          reader,
          implied: async () => new Set(await store.impliedNamespaces(ALWAYS)),
          since: async (rv) => (await store.namespacesSince(rv)).filter((name) => !ALWAYS.includes(name)),
          make: implicit,
          shown: active,
          clock,
        },
        context,
        query,
      ),
    async create(context, namespace, object) {
      return active(await general.create(context, namespace, object));
    },
    /** A namespace that nobody created becomes one that was. */
    async update(context, namespace, name, transform, options) {
      const isImplied = options.subresource === undefined && (await names()).includes(name);
      const change = async (current: ResourceObject | undefined): Promise<ResourceInput> => {
        if (current !== undefined || !isImplied) return transform(current);
        const next = await transform(implicit(name, NEVER_WRITTEN));
        return { ...next, metadata: withoutImplied(next.metadata, name) };
      };
      const allowCreate = options.allowCreate || isImplied;
      const { object, created } = await general.update(context, namespace, name, change, { ...options, allowCreate });
      return { object: active(object), created };
    },
  };
}

/** Namespaces from before there was a visibility are private. */
function active(object: ResourceObject): ResourceObject {
  const spec = { visibility: "private", ...(object.spec as object | undefined) };
  return { ...object, spec, status: { phase: "Active" } };
}

/** A namespace that nobody created. Its uid is made of its name, so that it is the same each time. */
function implicit(name: string, resourceVersion: string): ResourceObject {
  return active({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: impliedMetadata(uidOf(name), name, resourceVersion),
  });
}

function uidOf(name: string): string {
  return `namespace-${name}`;
}

/** Metadata without the uid and version that are nobody's; any other a client insists on is a conflict. */
function withoutImplied(metadata: Partial<ObjectMeta>, name: string): Partial<ObjectMeta> {
  const { uid, resourceVersion, ...others } = metadata;
  return {
    ...others,
    ...(uid === undefined || uid === uidOf(name) ? {} : { uid }),
    ...(resourceVersion === undefined || resourceVersion === NEVER_WRITTEN ? {} : { resourceVersion }),
  };
}
