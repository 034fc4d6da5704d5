import { createHash } from "node:crypto";
import type { Htpasswd } from "./htpasswd.ts";
import { normalizePassword, type PasswordHasher } from "./password-hash.ts";
import type { PasswordStore, StoredPassword } from "./password-store.ts";
import { BOOTSTRAP_ADMIN } from "./settings-accounts.ts";

/** What names passwords work with. */
export interface PasswordIdPorts {
  readonly adminPassword: string | undefined;
  readonly htpasswd: Htpasswd | undefined;
  readonly passwords: Pick<PasswordStore, "get">;
  readonly hasher: Pick<PasswordHasher, "fingerprint">;
  /** Random bytes of this installation, which no client gets to see. */
  readonly salt: () => Promise<Uint8Array>;
}

/**
 * Names passwords, so that what was made of one (sessions, tokens) can end when it is replaced, also where only a setting
 * says what it is. The names are in tokens and in the audit: they are no secrets, and do not tell the password.
 */
export interface PasswordIds {
  /** The id of `ADMIN_PASSWORD`, if it is set. */
  admin(): Promise<string | undefined>;
  /** The id of a user's entry in `HTPASSWD`. */
  listed(user: string): string | undefined;
  /** The id of a password in the database: when it was set. */
  stored(password: StoredPassword): string;
  /** Whether that is the id of a password that the user has now. */
  isCurrent(user: string, id: string): Promise<boolean>;
}

export function passwordIds(ports: PasswordIdPorts): PasswordIds {
  const { adminPassword, htpasswd, passwords, hasher, salt } = ports;
  // As slow as a hash, since it is in the database with sessions: done once in an isolate.
  let ofAdmin: string | undefined;
  const ids: PasswordIds = {
    async admin() {
      if (adminPassword === undefined) return undefined;
      ofAdmin ??= `admin-${await hasher.fingerprint(normalizePassword(adminPassword), await salt())}`;
      return ofAdmin;
    },
    listed(user) {
      const entry = htpasswd?.entry(user);
      // The entry has a random salt, so that its digest tells nothing.
      return entry === undefined ? undefined : `htpasswd-${createHash("sha256").update(entry).digest("base64url")}`;
    },
    stored: ({ changedAt }) => String(changedAt),
    async isCurrent(user, id) {
      if (id.startsWith("htpasswd-")) return id === ids.listed(user);
      if (id.startsWith("admin-")) return user === BOOTSTRAP_ADMIN && id === (await ids.admin());
      const found = await passwords.get(user);
      return found !== undefined && id === ids.stored(found);
    },
  };
  return ids;
}
