import * as z from "zod";
import { equalSecrets } from "../../access/index.ts";
import type { RegistryConfig, TaskConfig } from "../../mirror/index.ts";
import { type KindKey, sameJson } from "../../resources/index.ts";
import {
  LOCAL_REGISTRY,
  REGISTRIES,
  SYNC_API_VERSION,
  SYNC_GROUP,
  SYNC_TASKS,
  type SyncTaskSpec,
} from "../kinds/index.ts";
import { type GivenConfig, problemJson } from "./config-text.ts";
import { objectName, withDisplayName } from "./object-names.ts";
import type { GivenSecret } from "./owned-secrets.ts";
import { writeRegistry } from "./registry-write.ts";
import { objectsNamed } from "./objects.ts";
import { faultResponse } from "./rest-fault.ts";
import type { RestCall } from "./route.ts";

const outcome = z.object({
  name: z.string(),
  status: z.enum(["created", "configured", "unchanged", "failed"]),
  error: z.unknown().optional().describe("Why it failed: `{error, details}`."),
});

const problem = z.object({ line: z.int(), column: z.int(), field: z.string(), message: z.string() });

/** What became of an import. */
export const importAnswer = z.object({
  dry_run: z.boolean(),
  registries: z.array(outcome),
  tasks: z.array(outcome),
  warnings: z.array(problem),
});

type Outcome = z.infer<typeof outcome>;

/**
 * Makes the registries and tasks of a configuration, or changes those that there are: of them, everything that a
 * configuration can say becomes what it says. One that is refused does not stop the others. Without `write`, everything
 * is checked and nothing is written.
 */
export async function importConfig(
  call: RestCall,
  { config, references, warnings }: GivenConfig,
  write: boolean,
): Promise<z.infer<typeof importAnswer>> {
  const registries: Outcome[] = [];
  const tasks: Outcome[] = [];
  const names = await namesIn(call, REGISTRIES, config.registries);
  for (const { name, type } of config.registries) if (type === "local") names.set(name, LOCAL_REGISTRY);
  for (const registry of config.registries) {
    const name = names.get(registry.name) ?? registry.name;
    registries.push(await settled(registry.name, () => importRegistry(call, name, registry, references, write)));
  }
  const taskNames = await namesIn(call, SYNC_TASKS, config.tasks);
  for (const task of config.tasks) {
    const name = taskNames.get(task.name) ?? task.name;
    tasks.push(await settled(task.name, () => importTask(call, name, task, names, write)));
  }
  return { dry_run: !write, registries, tasks, warnings: [...warnings.map(problemJson), ...unkept(config)] };
}

/** The names of objects by those that the configuration calls them. */
async function namesIn(
  call: RestCall,
  kind: KindKey,
  entries: readonly { readonly name: string }[],
): Promise<Map<string, string>> {
  const displays = entries.map(({ name }) => name);
  const named = await objectsNamed(call, kind, displays);
  return new Map(named.map(({ name }, index) => [displays[index] ?? name, name]));
}

/** What a configuration can say and the server has no place for. */
function unkept({ registries, tasks }: GivenConfig["config"]): z.infer<typeof problem>[] {
  const about = (field: string, message: string) => ({ line: 1, column: 1, field, message });
  return [
    ...(tasks.some(({ timeout }) => timeout !== undefined)
      ? [about("timeout", "is not kept: on the server, a copy that stands still is continued, however long it takes")]
      : []),
    ...registries
      .filter(({ url, insecure }) => insecure && url?.startsWith("https://"))
      .map(({ name }) => about(`registries.${name}.insecure`, "has no effect: a server verifies all certificates")),
    ...registries
      .filter(({ rateLimit }) => rateLimit.reserve > 0)
      .map(({ name }) => about(`registries.${name}.ratelimit.reserve`, "is not kept")),
  ];
}

async function settled(name: string, work: () => Promise<Outcome["status"]>): Promise<Outcome> {
  try {
    return { name, status: await work() };
  } catch (error) {
    const fault = faultResponse(error);
    if (fault === undefined) throw error;
    return { name, status: "failed", error: await fault.json() };
  }
}

async function importRegistry(
  call: RestCall,
  name: string,
  { name: display, type, url, username, password, token, insecure, rateLimit, concurrency }: RegistryConfig,
  references: ReadonlyMap<string, string>,
  write: boolean,
): Promise<Outcome["status"]> {
  // It is there by itself.
  if (type === "local") return "unchanged";
  const { namespace } = call;
  const isThere = (await call.client.find(REGISTRIES, { namespace, name })) !== undefined;
  await call.require({ verb: isThere ? "update" : "create", kind: REGISTRIES }, namespace, name);
  const passwordName = references.get(password ?? "");
  const tokenName = references.get(token ?? "");
  const { status } = await writeRegistry(
    call,
    {
      namespace,
      name,
      display,
      password: passwordName === undefined ? password : undefined,
      token: tokenName === undefined ? token : undefined,
      change: (before = {}) => {
        const { url: _url, username: _username, passwordRef, tokenRef, ...kept } = before;
        // A secret that is not in the file stays, but not beside another.
        const isGiven = (password ?? token ?? "") !== "";
        return {
          ...kept,
          type,
          ...(url === undefined ? {} : { url }),
          ...(username === undefined ? {} : { username }),
          insecure,
          rateLimit: { ...kept.rateLimit, qps: rateLimit.qps },
          concurrency,
          ...(isGiven || passwordRef === undefined || username === undefined ? {} : { passwordRef }),
          ...(isGiven || tokenRef === undefined ? {} : { tokenRef }),
          ...(passwordName === undefined ? {} : { passwordRef: { name: passwordName } }),
          ...(tokenName === undefined ? {} : { tokenRef: { name: tokenName } }),
        };
      },
    },
    {
      client: write ? call.client : call.dryClient,
      // Without a write, it would tell who guesses whether they are right.
      unless: async (secret) => write && (await isKept(call, secret)),
    },
  );
  return status;
}

async function isKept({ services, namespace }: RestCall, { name, value }: GivenSecret): Promise<boolean> {
  const kept = (await services.decrypter.decrypt(SYNC_GROUP, namespace, [name])).get(name);
  return kept?.ok === true && equalSecrets(kept.value, value);
}

async function importTask(
  call: RestCall,
  name: string,
  { name: display, description, spec }: TaskConfig,
  registries: ReadonlyMap<string, string>,
  write: boolean,
): Promise<Outcome["status"]> {
  const { namespace } = call;
  const client = write ? call.client : call.dryClient;
  const registryOf = (registry: string) => registries.get(registry) ?? objectName(registry);
  const wanted = stored({
    ...spec,
    ...(description === undefined ? {} : { description }),
    source: { ...spec.source, registry: registryOf(spec.source.registry) },
    targets: spec.targets.map((target) => ({ ...target, registry: registryOf(target.registry) })),
    notifications: { ...spec.notifications, channels: spec.notifications.channels.map(objectName) },
  });
  const current = await call.client.find<SyncTaskSpec>(SYNC_TASKS, { namespace, name });
  await call.require({ verb: current === undefined ? "create" : "update", kind: SYNC_TASKS }, namespace, name);
  if (current === undefined) {
    await client.create<SyncTaskSpec>(SYNC_TASKS, {
      apiVersion: SYNC_API_VERSION,
      kind: "SyncTask",
      metadata: { name, namespace, annotations: withDisplayName(undefined, name, display) },
      spec: wanted,
    });
    return "created";
  }
  const object = await client.update<SyncTaskSpec>(SYNC_TASKS, { namespace, name }, (before) => ({
    ...before,
    metadata: { ...before.metadata, annotations: withDisplayName(before.metadata.annotations, name, display) },
    spec: wanted,
  }));
  const isSame =
    sameJson(current.spec, object.spec) &&
    sameJson(current.metadata.annotations ?? {}, object.metadata.annotations ?? {});
  return isSame ? "unchanged" : "configured";
}

/** The spec as JSON has it: a field that is undefined is one that is not there. */
function stored(spec: SyncTaskSpec): SyncTaskSpec {
  return JSON.parse(JSON.stringify(spec)) as SyncTaskSpec;
}
