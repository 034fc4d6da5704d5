/** The group of everything that mirrors, and the name under which it asks for secrets. */
export const SYNC_GROUP = "sync.entrepot.dev";
export const SYNC_VERSION = "v1";
export const SYNC_API_VERSION = `${SYNC_GROUP}/${SYNC_VERSION}`;

export const REGISTRIES = { group: SYNC_GROUP, plural: "registries" };
export const SYNC_TASKS = { group: SYNC_GROUP, plural: "synctasks" };
export const EXECUTIONS = { group: SYNC_GROUP, plural: "executions" };
export const NOTIFICATION_CHANNELS = { group: SYNC_GROUP, plural: "notificationchannels" };

/**
 * What tasks call this registry itself. It is there in every namespace without an object, and no other registry can be
 * called that: what a task may do with it is checked when the task is written.
 */
export const LOCAL_REGISTRY = "local";
