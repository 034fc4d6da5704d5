import { badRequest, notFound, StatusError } from "../status-error.ts";
import type { authorize as Authorize, contextOf as ContextOf } from "./call.ts";
import { decodeBody } from "./body/body.ts";
import { isRestorer, type Restorer } from "../storage/storage.ts";
import type { ResourceTarget } from "./target.ts";

/** What a method of a subresource asks permission for. @see Kubernetes, "Request verbs and authorization" */
const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  DELETE: "delete",
};

/** Requests to an endpoint below an object. @throws {StatusError} */
export async function handleConnect(
  target: ResourceTarget,
  authorize: typeof Authorize,
  contextOf: typeof ContextOf,
): Promise<Response> {
  const { call, resource, info } = target;
  const { served, storage, connecters } = resource;
  const { method } = call.request;
  const verb = VERBS[method] ?? method.toLowerCase();
  const { name, namespace = "", subresource } = info;
  await authorize(call, {
    verb,
    group: served.group,
    version: served.version,
    resource: served.plural,
    subresource,
    namespace,
    name,
  });
  const connecter = connecters.find((candidate) => candidate.subresource === subresource);
  if (connecter !== undefined) {
    if (!connecter.methods.some((allowed) => allowed === method)) {
      throw new StatusError("MethodNotAllowed", `${subresource} takes ${connecter.methods.join(", ")}`);
    }
    return connecter.connect(
      contextOf(call, false),
      { namespace: info.namespace, name, path: info.rest },
      call.request,
    );
  }
  if (subresource === "restore" && isRestorer(storage)) return restore(target, storage, contextOf);
  throw notFound(served, `${name}/${subresource}`);
}

/** `POST …/restore` with `{"resourceVersion": "…"}`: undo, also of a delete. */
async function restore(target: ResourceTarget, storage: Restorer, contextOf: typeof ContextOf): Promise<Response> {
  const { call, info } = target;
  if (call.request.method !== "POST") throw new StatusError("MethodNotAllowed", "restore takes POST");
  const { object } = await decodeBody(call.request, { limit: 4096 });
  const rv = (object as { readonly resourceVersion?: unknown } | null)?.resourceVersion;
  if (typeof rv !== "string" || !/^[0-9]{1,15}$/.test(rv))
    throw badRequest('the body must be {"resourceVersion": "<version>"}');
  return Response.json(await storage.restore(contextOf(call, false), info, Number(rv)));
}
