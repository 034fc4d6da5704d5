import { type AdmissionAttributes, type GroupBuilder, sameJson, type StatusCause } from "../resources/index.ts";
import type { DataSourceAdapter } from "./adapter.ts";
import { parseBase } from "./addresses.ts";
import { type ConnecterPorts, dataSourceConnecters } from "./connecters.ts";
import { giteaAdapter } from "./gitea.ts";
import { httpAdapter } from "./http.ts";
import { DATA_SOURCE_VERSION, dataSourceGroup, dataSourceKind, type DataSourceSpec } from "./kinds.ts";
import { ociAdapter } from "./oci.ts";

/** The adapters there are. Another one is a line here. */
const ADAPTERS: readonly DataSourceAdapter[] = [giteaAdapter, httpAdapter, ociAdapter] as readonly DataSourceAdapter[];

/**
 * One group for each type of data source, so that each has a spec of its own and can be granted by itself.
 * @see Grafana, pkg/registry/apis/datasource
 */
export function dataSourceGroups(ports: ConnecterPorts, adapters = ADAPTERS): GroupBuilder[] {
  return adapters.map((adapter) => ({
    group: dataSourceGroup(adapter.type),
    versions: [DATA_SOURCE_VERSION],
    kinds: [{ declaration: dataSourceKind(adapter), connecters: dataSourceConnecters(adapter, ports) }],
    async validate(attributes) {
      if (attributes.operation === "DELETE" || sameJson(attributes.object.spec, attributes.oldObject?.spec)) return [];
      return addressCauses(attributes, ports);
    },
  }));
}

/** What is wrong with the address of a data source. */
function addressCauses({ object }: AdmissionAttributes, { outbound }: ConnecterPorts): StatusCause[] {
  const base = parseBase((object.spec as DataSourceSpec).url);
  const refusal = base === undefined ? { reason: "bad-address" } : outbound.refusal(base);
  if (refusal === undefined) return [];
  const message =
    refusal.reason === "private-address"
      ? "Forbidden: a private address, and OUTBOUND_PRIVATE does not allow those"
      : "Invalid value: must be an http or https address without credentials, query or fragment";
  return [{ reason: "FieldValueInvalid", field: "spec.url", message }];
}
