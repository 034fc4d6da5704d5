import type { Htpasswd } from "./htpasswd.ts";
import { GROUPS } from "./identity.ts";

/** The first administrator: the user whose password is `ADMIN_PASSWORD`. */
export const BOOTSTRAP_ADMIN = "admin";

/** Someone that the settings name, for whom there need not be a `User`. */
export interface SettingsAccount {
  readonly groups: readonly string[];
  /** Names of cluster roles that hold everywhere. */
  readonly roles: readonly string[];
}

/** Settings that name users. */
export interface SettingsAccountsOptions {
  /** Whether `ADMIN_PASSWORD` is set. */
  readonly hasAdmin: boolean;
  readonly htpasswd: Htpasswd | undefined;
  /** `HTPASSWD_ROLE`. */
  readonly htpasswdRole: string;
}

/** What the settings give to a name; `undefined` if they do not name it. It holds for sessions, tokens and keys of that name too. */
export function settingsAccounts({
  hasAdmin,
  htpasswd,
  htpasswdRole,
}: SettingsAccountsOptions): (name: string) => SettingsAccount | undefined {
  return function settingsAccount(name: string): SettingsAccount | undefined {
    const administers = hasAdmin && name === BOOTSTRAP_ADMIN;
    const listed = htpasswd?.has(name) ?? false;
    if (!administers && !listed) return undefined;
    return { groups: administers ? [GROUPS.masters] : [], roles: listed ? [htpasswdRole] : [] };
  };
}
