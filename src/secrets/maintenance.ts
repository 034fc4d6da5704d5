import type { Clock, Log } from "../platform/index.ts";
import type { SecretAuditStore } from "./audit-store.ts";
import type { DataKeys, DataKeyStore } from "./keys/index.ts";
import type { SystemKeeper } from "./system-keeper.ts";
import type { StoredValue, ValueStore } from "./value-store.ts";

/** Rows that one step works on: each costs a few queries. */
const STEP_ROWS = 50;
/** Rows that one statement deletes. */
const COLLECTED_ROWS = 1000;

/** What the upkeep of secrets works with. */
export interface SecretMaintenancePorts {
  readonly values: ValueStore;
  readonly keyStore: DataKeyStore;
  readonly keys: DataKeys;
  readonly keeper: SystemKeeper;
  readonly audit: SecretAuditStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a version that is no longer in use is kept, in milliseconds. */
  readonly grace: number;
}

/** What a rotation has done so far. */
export interface RotationProgress {
  readonly reencrypted: number;
  /** Values that no key opens any more. */
  readonly failed: number;
  /** Values still under an earlier key; `reencrypt` goes on with them. */
  readonly remaining: number;
}

/**
 * Upkeep of secrets in bounded steps. A step that takes a cursor resolves to the cursor of the next step, or to
 * `undefined` after the last. Every step may be repeated.
 */
export class SecretMaintenance {
  readonly #ports: SecretMaintenancePorts;

  constructor(ports: SecretMaintenancePorts) {
    this.#ports = ports;
  }

  /** Deletes versions that no object has named for the grace. Answers whether there are more. */
  async collect(): Promise<boolean> {
    const { values, clock, grace } = this.#ports;
    return (await values.collect(clock() - grace, COLLECTED_ROWS)) === COLLECTED_ROWS;
  }

  /** Gives a namespace a new data key and begins to put its values under it. */
  async rotate(namespace: string): Promise<RotationProgress> {
    await this.#ports.keys.rotate(namespace);
    const { reencrypted, failed } = await this.#reencrypt(namespace, undefined);
    await this.#ports.keyStore.forgetUnused();
    return { reencrypted, failed, remaining: await this.#ports.values.countUnderRetired(namespace) };
  }

  /** Puts values that are under a retired data key under the present one, in every namespace. */
  async reencrypt(after?: string): Promise<string | undefined> {
    const [dataKey = "", id = ""] = (after ?? "").split("/");
    const { next } = await this.#reencrypt(undefined, { dataKey, id });
    if (next === undefined) await this.#ports.keyStore.forgetUnused();
    return next;
  }

  /** Puts data keys that are under an earlier key of SECRETS_KEY under the first. */
  async rewrap(after = ""): Promise<string | undefined> {
    const { failed, next } = await this.#ports.keys.rewrap(after, STEP_ROWS);
    for (const id of failed) this.#ports.log.error("secret.data-key-lost", { dataKey: id });
    return next;
  }

  /** Forgets audited attempts from before `time` (milliseconds), at most `limit` of them. Answers how many. */
  async pruneAudit(time: number, limit: number): Promise<number> {
    return this.#ports.audit.prune(time, limit);
  }

  async #reencrypt(namespace: string | undefined, after: Pick<StoredValue, "dataKey" | "id"> | undefined) {
    const { values, keeper, log } = this.#ports;
    const rows = await values.underRetired(namespace, after, STEP_ROWS);
    let reencrypted = 0;
    for (const row of rows) {
      if (await keeper.reencrypt(row)) reencrypted += 1;
      else log.error("secret.reencrypt-failed", { namespace: row.namespace, name: row.name, version: row.version });
    }
    const last = rows.at(-1);
    const next = rows.length < STEP_ROWS || last === undefined ? undefined : `${last.dataKey}/${last.id}`;
    return { reencrypted, failed: rows.length - reencrypted, next };
  }
}
