import { stringify } from "yaml";
import * as z from "zod";
import { mirrorTaskShape } from "../rules/index.ts";
import { registryEntrySchema } from "./entry-schemas.ts";
import { escapeVariables } from "./expand.ts";
import type { RegistryConfig, SyncConfig, TaskConfig } from "./sync-config.ts";
import { snakeCase } from "./yaml-source.ts";

/** A text with variables, which is written as it is. */
interface Placeholder {
  readonly placeholder: string;
}

/**
 * A configuration as a sync.yaml that reads back as the same. Passwords and tokens are not in it: variables stand for
 * them, `${HUB_PASSWORD}` for the password of the registry `hub`. What is as it is by default is left out.
 */
export function toSyncYaml({ registries, tasks }: SyncConfig): string {
  const prefixes = variablePrefixes(registries.map(({ name }) => name));
  return stringify(
    {
      version: "1.0",
      registries: Object.fromEntries(
        registries.map((registry) => [
          registry.name,
          registryEntry(registry, prefixes.get(registry.name) ?? "REGISTRY"),
        ]),
      ),
      sync_rules: tasks.map(ruleEntry),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function registryEntry({ name: _name, ...registry }: RegistryConfig, prefix: string): unknown {
  const defaults = registryEntrySchema.parse({});
  const secret = (suffix: string): Placeholder => ({ placeholder: `\${${prefix}_${suffix}}` });
  const { rateLimit, ...entry } = withoutDefaults(registry, defaults);
  return written({
    ...entry,
    ...(registry.password === undefined ? {} : { password: secret("PASSWORD") }),
    ...(registry.token === undefined ? {} : { token: secret("TOKEN") }),
    // One word, as older files have it.
    ...(rateLimit === undefined ? {} : { ratelimit: withoutDefaults(registry.rateLimit, defaults.rateLimit) }),
  });
}

const { source: _source, targets: _targets, ...withDefaults } = mirrorTaskShape;
const ruleDefaults = z.object(withDefaults);

function ruleEntry({ name, description, timeout, spec }: TaskConfig): unknown {
  const { source, targets, enabled, ...rules } = spec;
  const defaults = ruleDefaults.parse({});
  const changed = withoutDefaults(rules, defaults);
  return written({
    name,
    ...(description === undefined ? {} : { description }),
    enabled,
    source,
    ...(targets.length === 1 ? { target: targets[0] } : { targets }),
    ...Object.fromEntries(
      Object.entries(changed).map(([field, value]) => {
        const usual: unknown = Reflect.get(defaults, field);
        return [field, isFields(value) && isFields(usual) ? withoutDefaults(value, usual) : value];
      }),
    ),
    ...(timeout === undefined ? {} : { timeout }),
  });
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutDefaults<T extends object>(value: T, defaults: object): Partial<T> {
  const same = ([field, content]: [string, unknown]) =>
    JSON.stringify(content) === JSON.stringify(Reflect.get(defaults, field));
  return Object.fromEntries(
    Object.entries(value).filter((entry) => entry[1] !== undefined && !same(entry)),
  ) as Partial<T>;
}

/** Names of fields in snake case, and texts so that they do not read as variables. */
function written(value: unknown): unknown {
  if (typeof value === "string") return escapeVariables(value);
  if (Array.isArray(value)) return value.map(written);
  if (!isFields(value)) return value;
  if ("placeholder" in value) return value["placeholder"];
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [snakeCase(name), written(entry)]));
}

/** A name for variables from each name of a registry, no two alike. */
function variablePrefixes(names: readonly string[]): ReadonlyMap<string, string> {
  const prefixes = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of names) {
    const plain = name
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, "_")
      .replace(/^(?=\d)/, "_");
    let prefix = plain;
    for (let count = 2; taken.has(prefix); count += 1) prefix = `${plain}_${count}`;
    taken.add(prefix);
    prefixes.set(name, prefix);
  }
  return prefixes;
}
