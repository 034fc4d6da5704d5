import {
  badRequest,
  type Connecter,
  notFound,
  type ObjectRef,
  type ResourceClient,
  StatusError,
} from "../resources/index.ts";
import type { DataSourceAdapter, Health } from "./adapter.ts";
import { type ConnectionPorts, SourceConnection } from "./connection.ts";
import { DATA_SOURCES, dataSourceGroup, type DataSourceSpec } from "./kinds.ts";
import { proxy } from "./proxy.ts";

/** What the subresources of data sources work with. */
export interface ConnecterPorts extends ConnectionPorts {
  readonly client: () => ResourceClient;
}

/** The subresources of an adapter's data sources: `health`, `resource` and `proxy`. */
export function dataSourceConnecters(adapter: DataSourceAdapter, ports: ConnecterPorts): Connecter[] {
  const kind = { group: dataSourceGroup(adapter.type), plural: DATA_SOURCES };

  async function connection({ namespace, name }: ObjectRef): Promise<SourceConnection> {
    if (namespace === undefined) throw badRequest("a data source stands in a namespace");
    const object = await ports.client().find<DataSourceSpec>(kind, { namespace, name });
    if (object?.spec === undefined) throw notFound(kind, name);
    return SourceConnection.open(ports, adapter, namespace, object.spec);
  }

  return [
    {
      subresource: "health",
      description: "Whether the service behind the data source answers and takes the credentials.",
      methods: ["GET"],
      async connect(_context, target) {
        return Response.json(await checkHealth(adapter, () => connection(target)));
      },
    },
    {
      subresource: "resource",
      description: "Reads what the service has; without a path, what can be read.",
      methods: ["GET"],
      async connect(_context, target, request) {
        if (target.path === "") return Response.json({ resources: adapter.resources });
        const source = await connection(target);
        const found = await adapter.resource(source, target.path, new URL(request.url).searchParams);
        if (found === undefined) throw notFound(kind, `${target.name}/resource/${target.path}`);
        return Response.json(found);
      },
    },
    {
      subresource: "proxy",
      description: "Passes the request on to the service, below the data source's address and with its credentials.",
      methods: ["GET", "POST", "PUT", "DELETE"],
      async connect(context, target, request) {
        return proxy(await connection(target), context, target.path, request);
      },
    },
  ];
}

/** A service that cannot be reached is a result, not an error; a data source that is not there is one. */
async function checkHealth(adapter: DataSourceAdapter, connection: () => Promise<SourceConnection>): Promise<Health> {
  try {
    return await adapter.health(await connection());
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason === "NotFound") throw error;
    return { status: "ERROR", message: error.message };
  }
}
