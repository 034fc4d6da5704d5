import { restAuthenticationError, restFailure } from "../../http/index.ts";
import { accessEntry, type Identity, isAnonymous } from "../../access/index.ts";
import { InProcessClient, notFound } from "../../resources/index.ts";
import { contextOf } from "./rest-context.ts";
import { decide, permit, refusal, type Target, type Trail } from "./rest-access.ts";
import { faultResponse, RestFault } from "./rest-fault.ts";
import type { RestCall, RestRoute } from "./route.ts";
import { SYNC_ROUTES } from "./routes.ts";
import type { SyncRestServices } from "./services.ts";

/** Longest warning sent, in characters; clients cut or refuse longer headers. */
const MAX_WARNING = 256;
const FRESH = "private, no-cache";

/** The REST API of mirroring. Errors are `{error, details}`. */
export async function syncApi(services: SyncRestServices, request: Request): Promise<Response> {
  try {
    const identity = await services.gate.authenticate(request);
    if (!identity.ok) return restAuthenticationError(identity.error, services.gate.challenge(request));
    return await answer(services, request, identity.value);
  } catch (error) {
    return restFailure(error, services.reportFailure(request, error));
  }
}

async function answer(services: SyncRestServices, request: Request, identity: Identity): Promise<Response> {
  const trail: Trail = {};
  let response: Response;
  try {
    response = await dispatch(services, request, identity, trail);
  } catch (error) {
    const fault = faultResponse(error);
    if (fault === undefined) throw error;
    response = fault;
  }
  if (trail.entry !== undefined) {
    const { about, allowed, reason } = trail.entry;
    const outcome = { decision: { allowed, reason }, status: response.status };
    services.audit.record(request, accessEntry(identity, about, outcome));
  }
  if (response.status !== 401) return response;
  return restAuthenticationError({ reason: "unauthenticated" }, services.gate.challenge(request));
}

async function dispatch(
  services: SyncRestServices,
  request: Request,
  identity: Identity,
  trail: Trail,
): Promise<Response> {
  const url = new URL(request.url);
  const found = matchRoute(request.method, url.pathname);
  if (found === undefined) throw noRoute(identity, url.pathname);
  const { route, parameters } = found;
  const target = await permit({ services, identity, url, parameters }, route, trail);
  const warnings = new Set<string>();
  const call = makeCall({ services, identity, request, url, parameters, ...target }, warnings);
  const response = await route.run(call);
  // A WebSocket's answer is as it is.
  if (response.status === 101) return response;
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", FRESH);
  for (const warning of warnings) response.headers.append("warning", `299 - "${headerText(warning)}"`);
  return response;
}

function noRoute(identity: Identity, path: string): RestFault {
  if (isAnonymous(identity)) return new RestFault(401, "authentication required");
  const methods = SYNC_ROUTES.filter((route) => matchPath(route.path, path) !== undefined).map(({ method }) => method);
  if (methods.length === 0) return new RestFault(404, "not found");
  return new RestFault(405, "the method is not allowed here", undefined, { allow: methods.join(", ") });
}

/** The endpoint of a request, and the parts of its path; `HEAD` is answered as `GET`. */
export function matchRoute(
  method: string,
  path: string,
): { readonly route: RestRoute; readonly parameters: Readonly<Record<string, string>> } | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  for (const route of SYNC_ROUTES) {
    const parameters = route.method === wanted ? matchPath(route.path, path) : undefined;
    if (parameters !== undefined) return { route, parameters };
  }
  return undefined;
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.replace(/\/$/, "").split("/");
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== text) return undefined;
      continue;
    }
    const decoded = decodedText(text);
    if (decoded === undefined || decoded === "") return undefined;
    parameters[part.slice(1)] = decoded;
  }
  return parameters;
}

function decodedText(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function makeCall(
  about: Pick<RestCall, "services" | "identity" | "request" | "url" | "parameters"> & Target,
  warnings: Set<string>,
): RestCall {
  const { services, identity, request, url, namespace } = about;
  const warn = (message: string): void => void warnings.add(message);
  const registry = () => services.registry;
  return {
    ...about,
    client: new InProcessClient(registry, contextOf(identity, { host: url.host, warn })),
    dryClient: new InProcessClient(registry, contextOf(identity, { host: url.host, warn, dryRun: true })),
    async may(asked, place, name = "") {
      return (await decide(about, asked, { namespace: place, name })).allowed;
    },
    async require(asked, place, name = "") {
      if ((await decide(about, asked, { namespace: place, name })).allowed) return;
      throw refusal(identity, asked, place);
    },
    async connect(kind, name, subresource, { method, query = "", body }) {
      const resource = await services.registry.resource(kind.group, kind.plural);
      const connecter = resource?.connecters.find((candidate) => candidate.subresource === subresource);
      if (connecter === undefined) throw notFound(kind, `${name}/${subresource}`);
      const content =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      const address = `${url.origin}/${subresource}${query}`;
      const asked = new Request(address, { method, signal: request.signal, ...content });
      const response = await connecter.connect(contextOf(identity, { warn }), { namespace, name, path: "" }, asked);
      return response.json();
    },
  };
}

function headerText(text: string): string {
  return text
    .slice(0, MAX_WARNING)
    .replaceAll(/[\\"]/g, String.raw`\$&`)
    .replaceAll(/[^\x20-\x7e]/g, "?");
}
