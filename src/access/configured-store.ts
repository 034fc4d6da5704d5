import type { Database } from "../platform/index.ts";
import type { Directory } from "./directory.ts";

/**
 * Whether there is any credential with which someone could get in: one that the settings give, a password or a key in
 * the database, or an issuer whose tokens are accepted.
 */
export function configuredCheck(
  bySettings: boolean,
  database: Database,
  directory: Pick<Directory, "issuers">,
): () => Promise<boolean> {
  return async function configured(): Promise<boolean> {
    if (bySettings || (await directory.issuers()).length > 0) return true;
    const row = await database
      .prepare("SELECT EXISTS (SELECT 1 FROM access_passwords) OR EXISTS (SELECT 1 FROM access_keys) AS found")
      .first<{ found: number }>();
    return row?.found === 1;
  };
}
