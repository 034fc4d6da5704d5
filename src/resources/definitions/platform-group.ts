import type { GroupBuilder } from "../kinds/group-builder.ts";
import type { ResourceInput } from "../objects/object.ts";
import type { ResourceStore } from "../storage/resource-store.ts";
import type { StatusCause } from "../status-error.ts";
import { app } from "./app.ts";
import { appHooks, type AppPorts } from "./app-installer.ts";
import { checkDefinition } from "./check-definition.ts";
import { definitionHooks, type DefinitionPorts } from "./definition-hooks.ts";
import {
  DEFINITIONS,
  type DefinitionSpec,
  MAX_DEFINITIONS,
  PLATFORM_GROUP,
  resourceDefinition,
} from "./resource-definition.ts";

/** The group by which the platform is extended: kinds defined at run time, and apps. */
export function platformGroup(ports: { readonly definitions: DefinitionPorts; readonly apps: AppPorts }): GroupBuilder {
  return {
    group: PLATFORM_GROUP,
    versions: ["v1"],
    kinds: [
      { declaration: resourceDefinition, hooks: (general) => definitionHooks(general, ports.definitions) },
      { declaration: app, hooks: (general) => appHooks(general, ports.apps) },
    ],
    async validate({ operation, resource, subresource, name, object, oldObject }) {
      if (resource !== DEFINITIONS.plural || subresource !== "" || operation === "DELETE") return [];
      const causes = checkDefinition(name, object, oldObject);
      return causes.length > 0 ? causes : takenNames(ports.definitions.store, name, object);
    },
  };
}

/** Names that another definition of the group has: in discovery, a name must mean one kind. */
async function takenNames(store: ResourceStore, name: string, object: ResourceInput): Promise<StatusCause[]> {
  const { group, names } = object.spec as DefinitionSpec;
  const { items } = await store.list(DEFINITIONS, { labels: [], fields: [], limit: MAX_DEFINITIONS });
  const taken = items
    .filter((item) => item.metadata.name !== name && (item.spec as DefinitionSpec).group === group)
    .flatMap((item) => namesOf((item.spec as DefinitionSpec).names));
  const own = new Set(namesOf(names));
  return taken
    .filter((each) => own.has(each))
    .map((each) => ({ reason: "FieldValueDuplicate", field: "spec.names", message: `Duplicate value: "${each}"` }));
}

function namesOf({ kind, plural, singular, shortNames = [] }: DefinitionSpec["names"]): string[] {
  return [kind, plural, singular ?? kind.toLowerCase(), ...shortNames];
}
