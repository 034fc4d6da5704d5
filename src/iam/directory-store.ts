import type { Database } from "../platform/index.ts";
import type { KindKey } from "../resources/index.ts";
import { ACCOUNT_KINDS, IAM_GROUP, POLICY_KINDS } from "./names.ts";

/** How new what decides access is. Neither text means anything but by being another one than before. */
export interface AccessVersions {
  /** Of roles, bindings, teams, issuers and namespaces. */
  readonly policy: string;
  /** Of these, accounts, passwords, keys and sessions. */
  readonly all: string;
}

/** An object that says who has which rights. */
export interface PolicyRow {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** Its spec as JSON text. */
  readonly spec: string | null;
}

/** Everything that says who has which rights, as of one moment. */
export interface PolicySnapshot {
  readonly versions: AccessVersions;
  readonly rows: readonly PolicyRow[];
  readonly publicNamespaces: readonly string[];
}

/** A user or service account. */
export interface AccountRow {
  readonly name: string;
  readonly disabled: boolean;
}

/** The newest change of a kind, found at the end of an index. */
function lastChange({ group, plural }: KindKey): string {
  return `coalesce((SELECT rv FROM resource_events WHERE api_group = '${group}' AND resource = '${plural}' ORDER BY rv DESC LIMIT 1), 0)`;
}

const VERSIONS = `SELECT max(${POLICY_KINDS.map(lastChange).join(", ")}) AS policy,
  max(${ACCOUNT_KINDS.map(lastChange).join(", ")}) AS accounts,
  (SELECT generation FROM access_generation WHERE id = 1) AS credentials`;

interface VersionsRow {
  readonly policy: number;
  readonly accounts: number;
  readonly credentials: number;
}

const SNAPSHOT_RESOURCES = POLICY_KINDS.filter(({ group }) => group === IAM_GROUP)
  .map(({ plural }) => `'${plural}'`)
  .join(", ");

/** What is being deleted counts as gone, whatever holds it. */
const IS_THERE = "json_extract(object, '$.metadata.deletionTimestamp') IS NULL";

const IS_DISABLED = "coalesce(json_extract(object, '$.spec.disabled'), 0) AS disabled";

/** What decides access, read from the objects of the IAM kinds. */
export class DirectoryStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async versions(): Promise<AccessVersions> {
    return versionsOf(await this.#database.prepare(VERSIONS).first<VersionsRow>());
  }

  /** One batch, so that all of it is of the versions that it names. */
  async snapshot(): Promise<PolicySnapshot> {
    const [versions, objects, namespaces] = await this.#database.batch<VersionsRow & PolicyRow>([
      this.#database.prepare(VERSIONS),
      this.#database
        .prepare(
          `SELECT resource, namespace, name, json_extract(object, '$.spec') AS spec FROM resources
           WHERE api_group = ?1 AND resource IN (${SNAPSHOT_RESOURCES}) AND ${IS_THERE}`,
        )
        .bind(IAM_GROUP),
      this.#database.prepare(
        `SELECT name FROM resources WHERE api_group = '' AND resource = 'namespaces' AND ${IS_THERE}
         AND json_extract(object, '$.spec.visibility') = 'public'`,
      ),
    ]);
    return {
      versions: versionsOf(versions?.results[0] ?? null),
      rows: objects?.results ?? [],
      publicNamespaces: (namespaces?.results ?? []).map(({ name }) => name),
    };
  }

  /** A user (without a namespace) or service account; `undefined` if there is none. */
  async account(kind: KindKey, namespace: string, name: string): Promise<AccountRow | undefined> {
    const row = await this.#database
      .prepare(
        `SELECT name, ${IS_DISABLED} FROM resources
         WHERE api_group = ?1 AND resource = ?2 AND namespace = ?3 AND name = ?4 AND ${IS_THERE}`,
      )
      .bind(kind.group, kind.plural, namespace, name)
      .first<{ name: string; disabled: number }>();
    return row === null ? undefined : { name: row.name, disabled: row.disabled !== 0 };
  }

  /** Users that sign in as `subject` by `issuer`; two at the most, since more than one is one too many. */
  async usersByLogin(kind: KindKey, issuer: string, subject: string): Promise<AccountRow[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT name, ${IS_DISABLED} FROM resources
         WHERE api_group = ?1 AND resource = ?2 AND ${IS_THERE} AND EXISTS (
           SELECT 1 FROM json_each(object, '$.spec.identities') login
           WHERE json_extract(login.value, '$.issuer') = ?3 AND json_extract(login.value, '$.subject') = ?4)
         LIMIT 2`,
      )
      .bind(kind.group, kind.plural, issuer, subject)
      .all<{ name: string; disabled: number }>();
    return results.map(({ name, disabled }) => ({ name, disabled: disabled !== 0 }));
  }
}

function versionsOf(row: VersionsRow | null): AccessVersions {
  const { policy = 0, accounts = 0, credentials = 0 } = row ?? {};
  return { policy: String(policy), all: `${policy}.${accounts}.${credentials}` };
}
