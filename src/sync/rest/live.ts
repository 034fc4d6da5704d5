import * as z from "zod";
import { ownOrigin } from "../../access/index.ts";
import { EXECUTIONS } from "../kinds/index.ts";
import { namespacesOf } from "./objects.ts";
import { RestFault } from "./rest-fault.ts";
import { placed, type RestCall, type RestRoute, route } from "./route.ts";

const query = placed.extend({
  since: z.coerce.number().int().min(0).optional().describe("Number of the last event that the client has."),
  execution_id: z.coerce.number().int().min(1).optional().describe("Only what is of this run."),
});

/** Credentials that browsers send along with requests of any page. */
const AMBIENT: ReadonlySet<string> = new Set(["session", "access-assertion"]);

/** `GET /api/v1/ws`: what happens in runs, as it happens. */
export const LIVE_ROUTE: RestRoute = route({
  method: "GET",
  path: "/api/v1/ws",
  summary: "A WebSocket of what happens in runs; `hello` first, then `progress` and `log`, each with its `seq`",
  tag: "executions",
  asked: { verb: "list", kind: EXECUTIONS },
  query,
  status: 101,
  answer: "websocket",
  failures: { 426: "The request is not for a WebSocket." },
  async handle(call, { since, execution_id: id }) {
    if (call.request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new RestFault(426, "this is a WebSocket", undefined, { upgrade: "websocket", connection: "Upgrade" });
    }
    refusePages(call);
    const namespaces = id === undefined ? await namespacesOf(call, EXECUTIONS) : [await namespaceOf(call, id)];
    return call.services.live.connect({
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(since === undefined ? {} : { since }),
      ...(id === undefined ? {} : { execution: id }),
    });
  },
});

/** Browsers let any page open a WebSocket, with cookies. @throws {RestFault} 403, for a page of another origin */
function refusePages({ request, identity, services }: RestCall): void {
  const origin = request.headers.get("origin");
  const isOwn = origin === null || origin === ownOrigin(request, services.publicScheme);
  if (!isOwn && AMBIENT.has(identity.credential.type))
    throw new RestFault(403, "not allowed", "a page of another origin");
}

/** @throws {RestFault} 404, if there is no such run for whoever asks */
async function namespaceOf(call: RestCall, id: number): Promise<string> {
  const run = await call.services.executions.get(id);
  const isAllowed = run !== undefined && (await call.may({ verb: "list", kind: EXECUTIONS }, run.namespace));
  if (!isAllowed) throw new RestFault(404, `there is no execution ${id}`);
  return run.namespace;
}
