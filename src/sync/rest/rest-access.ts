import { type AccessRequest, type Identity, isAnonymous } from "../../access/index.ts";
import { InProcessClient, type KindKey } from "../../resources/index.ts";
import { SYNC_VERSION } from "../kinds/index.ts";
import { executionName, type Numbered } from "../store/index.ts";
import { contextOf } from "./rest-context.ts";
import { RestFault } from "./rest-fault.ts";
import type { Asked, RestCall, RestRoute } from "./route.ts";
import type { SyncRestServices } from "./services.ts";

/** Namespaces that are looked at for a list of all of them. */
const MAX_NAMESPACES = 1000;
const NUMBER = /^[1-9][0-9]{0,14}$/;

/** A request, before it is known what it is about. */
export interface Asker {
  readonly services: SyncRestServices;
  readonly identity: Identity;
  readonly url: URL;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What was asked of the authorizer about a request, for the audit. */
export interface Trail {
  entry?: { readonly about: AccessRequest; readonly allowed: boolean; readonly reason: string };
}

/** What a request is about. */
export type Target = Pick<RestCall, "namespace" | "name" | "id">;

/**
 * What a request is about, if whoever asks may do it. An object that they may not even see is not there for them.
 * @throws {RestFault} 400, 401, 403 or 404
 */
export async function permit(asker: Asker, { asked, of }: RestRoute, trail: Trail): Promise<Target> {
  const namespace = asker.url.searchParams.get("namespace") || "default";
  const nothing = { namespace, name: "", id: 0 };
  if (asked === "anyone") {
    if (isAnonymous(asker.identity)) throw new RestFault(401, "authentication required");
    return nothing;
  }
  const isEverywhere = namespace === "*" && asked.verb === "list";
  const found = await lookUp(asker, of);
  const place = found ?? { namespace: isEverywhere ? "" : namespace, name: "" };
  const decided = await decide(asker, asked, place);
  trail.entry = decided;
  const text = asker.parameters["id"] ?? "";
  if (decided.allowed) {
    if (of === undefined) return nothing;
    if (!NUMBER.test(text)) throw new RestFault(400, "bad id", "an id is a whole number above 0");
    if (found === undefined) throw new RestFault(404, `there is no ${of} ${text}`);
    return { ...found, id: Number(text) };
  }
  if (isEverywhere && (await listedNamespaces(asker, asked.kind)).length > 0) return nothing;
  const isSeen = found === undefined || (await decide(asker, { verb: "get", kind: asked.kind }, found)).allowed;
  // The answer is what it would be for a number that nothing has.
  if (!isSeen && (await decide(asker, asked, { namespace, name: "" })).allowed) {
    throw new RestFault(404, `there is no ${of ?? "object"} ${text}`);
  }
  throw refusal(asker.identity, asked, isSeen ? place.namespace : namespace);
}

/** The object that the path names by its number. */
async function lookUp({ services, parameters }: Asker, of: RestRoute["of"]): Promise<Numbered | undefined> {
  const text = parameters["id"] ?? "";
  if (of === undefined || !NUMBER.test(text)) return undefined;
  if (of !== "execution") return services.ids.find(of, Number(text));
  const run = await services.executions.get(Number(text));
  return run === undefined ? undefined : { namespace: run.namespace, name: executionName(run) };
}

/** What the authorizer says. */
export async function decide(
  { services, identity, url }: Pick<Asker, "services" | "identity" | "url">,
  { verb, kind, subresource = "" }: Asked,
  { namespace, name }: Numbered,
) {
  const about: AccessRequest = { verb, group: kind.group, resource: kind.plural, subresource, namespace, name };
  const asked = { ...about, identity, version: SYNC_VERSION, path: url.pathname };
  const { decision, reason = decision } = await services.authorizer(asked);
  return { allowed: decision === "allow", reason, about };
}

/** The answer to who may not do something. */
export function refusal(identity: Identity, { verb, kind, subresource }: Asked, namespace: string): RestFault {
  if (isAnonymous(identity)) return new RestFault(401, "authentication required");
  const what = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
  const where = namespace === "" ? "in any namespace" : `in the namespace ${namespace}`;
  return new RestFault(403, "not allowed", `user ${identity.name} may not ${verb} ${what} ${where}`);
}

/** The namespaces in which whoever asks may list a kind. */
export async function listedNamespaces(
  asker: Pick<Asker, "services" | "identity" | "url">,
  kind: KindKey,
): Promise<readonly string[]> {
  const client = new InProcessClient(() => asker.services.registry, contextOf(asker.identity));
  const { items } = await client.list({ group: "", plural: "namespaces" }, { limit: MAX_NAMESPACES });
  const allowed: string[] = [];
  for (const { metadata } of items) {
    const place = { namespace: metadata.name, name: "" };
    if ((await decide(asker, { verb: "list", kind }, place)).allowed) allowed.push(metadata.name);
  }
  return allowed;
}
