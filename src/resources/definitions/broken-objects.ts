import type { ResourceStore } from "../storage/resource-store.ts";
import { checkRules } from "../schema/cel/rules.ts";
import { withDefaults } from "../schema/defaults.ts";
import { prune } from "../schema/prune.ts";
import { validateSchema } from "../schema/validate.ts";
import { servedKind } from "./defined-groups.ts";
import type { DefinitionSpec } from "./resource-definition.ts";

/** Objects read at a time. */
const PAGE = 500;

/** Broken objects that are named. */
const NAMED_OBJECTS = 5;

/** Sentences about stored objects that do not satisfy the definition: about the first few, of all that there are. */
export async function findBrokenObjects(store: ResourceStore, spec: DefinitionSpec): Promise<string[]> {
  const version = spec.versions.find(({ storage }) => storage);
  if (version === undefined) return [];
  const kind = servedKind(spec, version);
  const broken: string[] = [];
  let after: { readonly namespace: string; readonly name: string } | undefined;
  for (;;) {
    const { items, more } = await store.list(kind, {
      labels: [],
      fields: [],
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const item of items) {
      const object = withDefaults(prune(item, kind.schema), kind.schema);
      const [cause] = [...validateSchema(object, kind.schema), ...checkRules(object, undefined, kind.schema)];
      const { namespace = "", name } = item.metadata;
      after = { namespace, name };
      if (cause === undefined) continue;
      const path = namespace === "" ? name : `${namespace}/${name}`;
      broken.push(`${path} does not satisfy the schema: ${cause.field}: ${cause.message}`);
      if (broken.length === NAMED_OBJECTS) return broken;
    }
    if (!more) return broken;
  }
}
