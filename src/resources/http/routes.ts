import type { ServedGroup, ServedVersion } from "../kinds/api-model.ts";
import { type ApiCall, authorize, contextOf } from "./call.ts";

/** Answers an endpoint that a group brings besides its kinds; `undefined` if the path is none. */
export async function handleRoute(
  call: ApiCall,
  group: ServedGroup,
  version: ServedVersion,
): Promise<Response | undefined> {
  const root = group.group === "" ? `/api/${version.version}` : `/apis/${group.group}/${version.version}`;
  const below = call.url.pathname.slice(root.length);
  const place = /^\/namespaces\/([^/]+)(\/.*)$/.exec(below);
  for (const route of version.routes) {
    if (route.method !== call.request.method) continue;
    const path = route.scope === "namespace" ? place?.[2] : below;
    if (path !== route.path) continue;
    const namespace = route.scope === "namespace" ? place?.[1] : undefined;
    const asked = { verb: "connect", group: group.group, version: version.version, resource: route.resource };
    await authorize(call, { ...asked, subresource: "", namespace: namespace ?? "", name: "" });
    return route.handle(contextOf(call, false), call.request, namespace);
  }
  return undefined;
}
