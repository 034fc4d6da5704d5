import type { GroupBuilder } from "../kinds/group-builder.ts";
import type { PresentKind } from "../upkeep/upkeep-store.ts";
import { checkConfigMap, CONFIG_MAP } from "./config-map.ts";
import { checkEvent, eventKinds, EVENTS } from "./event.ts";
import { coordinationGroup, LEASES } from "./lease.ts";
import { namespaceKind, type NamespacePorts } from "./namespaces.ts";

/** How long events are kept, in milliseconds. @see kube-apiserver, `--event-ttl` */
const EVENT_LIFETIME = 60 * 60 * 1000;

/** Kinds of which only the present is kept. */
export const PRESENT_KINDS: readonly PresentKind[] = [{ ...EVENTS, lifetime: EVENT_LIFETIME }, LEASES];

/** Groups of Kubernetes itself, with those kinds of them that a registry and the controllers of its objects need. */
export function builtInGroups(ports: NamespacePorts): readonly GroupBuilder[] {
  const events = eventKinds();
  const core: GroupBuilder = {
    group: "",
    versions: ["v1"],
    kinds: [namespaceKind(ports), CONFIG_MAP, events.core],
    validate(attributes) {
      if (attributes.resource === EVENTS.plural) return checkEvent(attributes);
      return attributes.resource === CONFIG_MAP.declaration.plural ? checkConfigMap(attributes) : [];
    },
  };
  return [core, events.group, coordinationGroup()];
}
