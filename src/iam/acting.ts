import { GROUPS, type Identity, parseServiceAccountIdentity, type SettingsAccount } from "../access/index.ts";
import { StatusError } from "../resources/index.ts";
import type { ResourceDirectory } from "./directory.ts";
import { IAM_GROUP, SERVICE_ACCOUNTS, USERS } from "./names.ts";

/**
 * Whether the caller holds everything that the identity of that name is granted.
 * @param but what is granted in this namespace does not matter
 */
export type MayActAs = (caller: Identity, identityName: string, but?: string) => Promise<boolean>;

/**
 * Refuses those who would get rights that they do not have by giving an account a credential of their choice. The
 * account itself may, administrators may, whoever may `impersonate` it, and whoever holds all that it is granted. What a
 * robot is granted outside its namespace is not for those who may impersonate it by a role in the namespace.
 * @param issuer `kept` if the new credential notes by which issuer its maker signed in. Otherwise the account itself may
 * only if no issuer named it: its password would get what the settings give to the name, which the issuer's word does not
 * @throws {StatusError} Forbidden
 */
export async function requireActingAs(
  mayActAs: MayActAs,
  caller: Identity,
  account: string,
  issuer: "kept" | "lost" = "lost",
): Promise<void> {
  if (caller.scope !== undefined) {
    throw new StatusError("Forbidden", "this credential is limited to some repositories; it cannot make credentials");
  }
  const isOwn = caller.name === account && (issuer === "kept" || caller.issuer === undefined);
  if (caller.groups.includes(GROUPS.masters) || isOwn) return;
  const robot = parseServiceAccountIdentity(account);
  const impersonates = (namespace: string, name: string): boolean => {
    const resource = (robot === undefined ? USERS : SERVICE_ACCOUNTS).plural;
    const asked = { verb: "impersonate", group: IAM_GROUP, resource, subresource: "", namespace, name };
    return caller.policy.decide(asked).allowed;
  };
  // A role that holds in a namespace has no say where none is named.
  const names = robot === undefined ? [account] : [robot.name, `${robot.namespace}/${robot.name}`];
  if (names.some((name) => impersonates("", name))) return;
  const own = robot !== undefined && impersonates(robot.namespace, robot.name) ? robot.namespace : undefined;
  if (await mayActAs(caller, account, own)) return;
  throw new StatusError(
    "Forbidden",
    `user "${caller.name}" may not give credentials to "${account}", which is granted more than they are: it takes all of its roles, or the verb impersonate on it`,
  );
}

/** Compares what bindings, teams and settings give to an account with what the caller's policy allows. */
export function mayActAsBy(
  directory: Pick<ResourceDirectory, "forget" | "teams" | "grants" | "clusterRole">,
  settingsAccount: (name: string) => SettingsAccount | undefined,
): MayActAs {
  return async function mayActAs({ policy }, account, but) {
    // What a binding gave a moment ago counts.
    directory.forget();
    const fromSettings = settingsAccount(account);
    if (fromSettings?.groups.includes(GROUPS.masters)) return false;
    const groups = [GROUPS.authenticated, ...(fromSettings?.groups ?? []), ...(await directory.teams(account))];
    const grants = await directory.grants(account, groups);
    const everywhere = await Promise.all((fromSettings?.roles ?? []).map((role) => directory.clusterRole(role)));
    return (
      grants.every(
        ({ rules, namespace }) =>
          (namespace !== undefined && namespace === but) || policy.uncovered(rules, namespace).length === 0,
      ) && everywhere.every((rules) => policy.uncovered(rules ?? [], undefined).length === 0)
    );
  };
}
