import type { Clock, Outbound } from "../../platform/index.ts";
import {
  type AdmissionAttributes,
  type GroupBuilder,
  type RequestContext,
  type ResourceClient,
  type ResourceObject,
  sameJson,
  type StatusCause,
  type StorageHooks,
} from "../../resources/index.ts";
import type { ExecutionStore, IdStore, ItemStore, LogStore, NumberedKind } from "../store/index.ts";
import { executionConnecters } from "./execution-connecters.ts";
import { executionKind } from "./execution.ts";
import { executionStorage } from "./execution-storage.ts";
import { LOCAL_REGISTRY, NOTIFICATION_CHANNELS, REGISTRIES, SYNC_GROUP, SYNC_TASKS, SYNC_VERSION } from "./names.ts";
import { notificationChannelKind } from "./notification-channel.ts";
import type { ChannelTester, RegistryAccess, TaskControl } from "./ports.ts";
import { registryAddress } from "./registry-address.ts";
import { channelConnecters, registryConnecters } from "./registry-connecters.ts";
import { registryKind, type RegistrySpec } from "./registry.ts";
import { syncTaskKind, type SyncTask, type SyncTaskSpec } from "./sync-task.ts";
import { circleCauses } from "./task-circles.ts";
import { taskConnecters } from "./task-connecters.ts";
import { localUses, taskCauses } from "./task-rules.ts";
import { copyText, type MayCopy } from "./writer-rights.ts";

/** What the group works with. */
export interface SyncGroupPorts {
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
  readonly clock: Clock;
  readonly executions: ExecutionStore;
  readonly items: ItemStore;
  readonly logs: LogStore;
  readonly ids: IdStore;
  readonly control: TaskControl;
  readonly registries: RegistryAccess;
  readonly channels: ChannelTester;
  /** Which addresses may be called. */
  readonly outbound: Pick<Outbound, "refusal">;
  /**
   * Whether the one who writes a task may pull from or push to every repository of a namespace of this registry, or of
   * all of them. Without asking, whoever may write tasks could read and write what they may not.
   */
  readonly mayCopy: MayCopy;
  /** How often watches and followed logs look for changes, in milliseconds; a second unless given. */
  readonly pollInterval?: number;
}

/** Registries, tasks, their runs and channels, as kinds of the resource API. */
export function syncGroup(ports: SyncGroupPorts): GroupBuilder {
  const { executions, ids, control } = ports;
  const forgetNumber = (kind: NumberedKind) => async (object: ResourceObject) => {
    const { namespace = "", name } = object.metadata;
    await ids.remove(kind, { namespace, name });
  };
  const forgetTask = async (object: ResourceObject): Promise<void> => {
    await executions.removeTask(object.metadata.uid);
    await forgetNumber("task")(object);
  };
  const showSchedule = (object: ResourceObject): ResourceObject => {
    control.changed(object as SyncTask);
    return object;
  };
  return {
    group: SYNC_GROUP,
    versions: [SYNC_VERSION],
    kinds: [
      {
        declaration: registryKind,
        hooks: () => whenGone(forgetNumber("registry")),
        connecters: registryConnecters(ports),
      },
      {
        declaration: syncTaskKind,
        hooks: () => ({
          afterCreate: showSchedule,
          afterUpdate: (object, { subresource }) => (subresource === undefined ? showSchedule(object) : object),
          ...whenGone(forgetTask),
        }),
        connecters: taskConnecters(ports),
      },
      {
        declaration: executionKind,
        storage: () => executionStorage(ports),
        connecters: executionConnecters(ports),
      },
      {
        declaration: notificationChannelKind,
        hooks: () => whenGone(forgetNumber("channel")),
        connecters: channelConnecters(ports),
      },
    ],
    async validate(attributes) {
      const { operation, subresource, object, oldObject, resource } = attributes;
      if (operation === "DELETE" || subresource !== "" || sameJson(object.spec, oldObject?.spec)) return [];
      switch (resource) {
        case REGISTRIES.plural:
          return registryCauses(attributes, ports);
        case SYNC_TASKS.plural:
          return syncTaskCauses(attributes, ports);
        default:
          return [];
      }
    },
  };
}

function registryCauses(attributes: AdmissionAttributes, ports: SyncGroupPorts): StatusCause[] {
  const spec = attributes.object.spec as RegistrySpec;
  const causes: StatusCause[] = [];
  if ((spec.type === "local") !== (attributes.name === LOCAL_REGISTRY)) {
    const message = `Invalid value: ${JSON.stringify(spec.type)}: type local and the name ${LOCAL_REGISTRY} belong together`;
    causes.push({ reason: "FieldValueInvalid", field: "spec.type", message });
  }
  const url = spec.url === undefined ? undefined : registryAddress(spec.url, spec.insecure);
  if (url !== undefined && ports.outbound.refusal(url)?.reason === "private-address") {
    const message = "Forbidden: a private address, and OUTBOUND_PRIVATE does not allow those";
    causes.push({ reason: "FieldValueForbidden", field: "spec.url", message });
  }
  return causes;
}

async function syncTaskCauses(attributes: AdmissionAttributes, ports: SyncGroupPorts): Promise<StatusCause[]> {
  const { context, namespace, object } = attributes;
  const spec = object.spec as SyncTaskSpec;
  const causes = taskCauses(spec);
  for (const { verb, namespace: place, field } of localUses(spec)) {
    if (ports.mayCopy(context.identity, verb, place)) continue;
    const message = `Forbidden: you may not ${copyText({ verb, namespace: place })}`;
    causes.push({ reason: "FieldValueForbidden", field, message });
  }
  if (causes.length === 0) {
    const written = { namespace: namespace ?? "", name: attributes.name, spec, host: context.host };
    causes.push(...(await circleCauses(written, ports.client())));
  }
  if (causes.length === 0) await warnOfMissing(context, namespace, spec, ports.client());
  return causes;
}

/** Objects may be made in any order: what is not there yet is said, and no reason to refuse. */
async function warnOfMissing(
  context: RequestContext,
  namespace: string | undefined,
  { source, targets, notifications }: SyncTaskSpec,
  client: ResourceClient,
): Promise<void> {
  for (const name of new Set([source.registry, ...targets.map(({ registry }) => registry)])) {
    if (name === LOCAL_REGISTRY || (await client.find(REGISTRIES, { namespace, name })) !== undefined) continue;
    context.warn(`there is no Registry ${JSON.stringify(name)} in this namespace yet`);
  }
  for (const name of new Set(notifications.channels)) {
    if ((await client.find(NOTIFICATION_CHANNELS, { namespace, name })) !== undefined) continue;
    context.warn(`there is no NotificationChannel ${JSON.stringify(name)} in this namespace yet`);
  }
}

/** Tells of each object that is gone for good. */
function whenGone(ended: (object: ResourceObject) => Promise<void>): Pick<StorageHooks, "afterDelete"> {
  return { afterDelete: (object, { gone }) => (gone ? ended(object) : undefined) };
}
