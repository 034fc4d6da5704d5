import * as z from "zod";
import type { Clock } from "../../platform/index.ts";
import type { KindRegistration } from "../kinds/group-builder.ts";
import { impliedMetadata, NEVER_WRITTEN, withImplied } from "../storage/implied-objects.ts";
import { checkNamespaceName } from "../objects/names.ts";
import type { ResourceObject } from "../objects/object.ts";
import { decorateEach, type StorageHooks } from "../storage/storage-hooks.ts";
import type { UpkeepStore } from "../upkeep/upkeep-store.ts";
import { type NamespaceWatchPorts, watchNamespaces } from "./namespace-watch.ts";

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
    hooks: () => namespaceHooks(ports),
  };
}

function namespaceHooks({ store, clock }: NamespacePorts): StorageHooks {
  const names = async () => [...new Set([...ALWAYS, ...(await store.namespacesInUse())])];
  return {
    refuse: ["delete", "deleteCollection", "restore"],
    read(stored) {
      const reader = withImplied(stored, { names, make: implicit, shown: active });
      const ports: NamespaceWatchPorts = {
        stored,
        reader,
        implied: async () => new Set(await store.impliedNamespaces(ALWAYS)),
        since: async (rv) => (await store.namespacesSince(rv)).filter((name) => !ALWAYS.includes(name)),
        make: implicit,
        shown: active,
        clock,
      };
      return { ...reader, watch: (context, query) => watchNamespaces(ports, context, query) };
    },
    decorate: (purpose) => (purpose === "create" || purpose === "update" ? decorateEach(active) : undefined),
    /** A namespace that nobody created becomes one that was. */
    standIn: async ({ name }) => ((await names()).includes(name) ? implicit(name, NEVER_WRITTEN) : undefined),
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
    metadata: impliedMetadata(`namespace-${name}`, name, resourceVersion),
  });
}
