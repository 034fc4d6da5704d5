import { isAnonymous } from "../access/index.ts";
import { type Authorizer, badRequest, type GroupRoute, type KindKey, type ResourceClient } from "../resources/index.ts";
import { IAM_GROUP, IAM_VERSION, SERVICE_ACCOUNTS, TEAMS, USERS } from "./names.ts";

const MAX_KEYS = 100;
const MAX_KEY_LENGTH = 400;
const RESOURCE = "display";

/** What a key names: `user:alice`, `serviceaccount:team-a:ci`, `team:ops`. */
export interface DisplayIdentity {
  readonly type: "user" | "serviceaccount" | "team";
  readonly name: string;
  readonly namespace?: string;
}

const KINDS: Readonly<Record<DisplayIdentity["type"], KindKey>> = {
  user: USERS,
  serviceaccount: SERVICE_ACCOUNTS,
  team: TEAMS,
};

/** The identity in a key, or `undefined` if it is none. */
export function parseDisplayKey(key: string): DisplayIdentity | undefined {
  if (key.length > MAX_KEY_LENGTH) return undefined;
  const [type, first, second, ...rest] = key.split(":");
  if (!first || rest.length > 0) return undefined;
  if ((type === "user" || type === "team") && second === undefined) return { type, name: first };
  return type === "serviceaccount" && second ? { type, name: second, namespace: first } : undefined;
}

/**
 * `GET …/display?key=<key>&key=…`: what people call accounts and teams, for lists that name them. Whoever has no display
 * name, or is not there, is shown by the name that was asked for, so that the answer does not tell which.
 */
export function displayRoute(client: () => ResourceClient): GroupRoute {
  return {
    path: "/display",
    method: "GET",
    scope: "root",
    description: "Display names of users, service accounts and teams.",
    resource: RESOURCE,
    async handle(_context, request) {
      const keys = [...new Set(new URL(request.url).searchParams.getAll("key"))];
      if (keys.length > MAX_KEYS) throw badRequest(`key: at most ${MAX_KEYS} at a time`);
      const parsed = keys.map((key) => ({ key, identity: parseDisplayKey(key) }));
      const items = parsed.flatMap(({ identity }) => (identity === undefined ? [] : [shown(client(), identity)]));
      return Response.json({
        kind: "DisplayList",
        apiVersion: `${IAM_GROUP}/${IAM_VERSION}`,
        metadata: {},
        items: await Promise.all(items),
        invalidKeys: parsed.flatMap(({ key, identity }) => (identity === undefined ? [key] : [])),
      });
    },
  };
}

async function shown(client: ResourceClient, identity: DisplayIdentity) {
  const { type, namespace, name } = identity;
  const found = await client.find<{ readonly displayName?: string }>(KINDS[type], { namespace, name });
  return { identity, displayName: found?.spec?.displayName || name };
}

/** Lets everyone who is signed in look up display names. */
export const displayAuthorizer: Authorizer = ({ identity, verb, group, resource }) => {
  const isSignedIn = !isAnonymous(identity) && identity.scope === undefined;
  const isDisplay = group === IAM_GROUP && resource === RESOURCE && verb === "connect";
  return { decision: isDisplay && isSignedIn ? "allow" : "no-opinion" };
};
