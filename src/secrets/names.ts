import type { KindKey } from "../resources/index.ts";

export const SECRET_GROUP = "secret.entrepot.dev";
export const SECRET_VERSION = "v1";

export const SECURE_VALUES: KindKey = { group: SECRET_GROUP, plural: "securevalues" };
export const KEEPERS: KindKey = { group: SECRET_GROUP, plural: "keepers" };

/** The keeper there always is: values are kept in the platform's own database, encrypted. */
export const SYSTEM_KEEPER = "system";
