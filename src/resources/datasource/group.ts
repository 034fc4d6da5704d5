import type { AdmissionAttributes, GroupBuilder } from "../group-builder.ts";
import { sameJson } from "../object-pipeline.ts";
import type { StatusCause } from "../status-error.ts";
import type { RequestContext } from "../storage.ts";
import type { DataSourceAdapter } from "./adapter.ts";
import { parseBase } from "./addresses.ts";
import { type ConnecterPorts, dataSourceConnecters } from "./connecters.ts";
import { giteaAdapter } from "./gitea.ts";
import { httpAdapter } from "./http.ts";
import { DATA_SOURCE_VERSION, dataSourceGroup, dataSourceKind, type DataSourceSpec } from "./kinds.ts";
import { ociAdapter } from "./oci.ts";

/** The adapters there are. Another one is a line here. */
const ADAPTERS: readonly DataSourceAdapter[] = [giteaAdapter, httpAdapter, ociAdapter] as readonly DataSourceAdapter[];

/** What data sources work with. */
export interface DataSourcePorts extends ConnecterPorts {
  /**
   * Whether the one who writes a data source may use a SecureValue. Without it, whoever may write data sources could
   * have any secret that lists data sources sent to an address of their choice.
   */
  readonly mayUse?: (context: RequestContext, namespace: string, secureValue: string) => Promise<boolean>;
}

/**
 * One group for each type of data source, so that each has a spec of its own and can be granted by itself.
 * @see Grafana, pkg/registry/apis/datasource
 */
export function dataSourceGroups(ports: DataSourcePorts, adapters = ADAPTERS): GroupBuilder[] {
  return adapters.map((adapter) => ({
    group: dataSourceGroup(adapter.type),
    versions: [DATA_SOURCE_VERSION],
    kinds: [{ declaration: dataSourceKind(adapter), connecters: dataSourceConnecters(adapter, ports) }],
    async validate(attributes) {
      if (attributes.operation === "DELETE" || sameJson(attributes.object.spec, attributes.oldObject?.spec)) return [];
      return [...addressCauses(attributes, ports), ...(await secretCauses(attributes, ports))];
    },
  }));
}

/** What is wrong with the address of a data source. */
function addressCauses({ object }: AdmissionAttributes, { outbound }: DataSourcePorts): StatusCause[] {
  const base = parseBase((object.spec as DataSourceSpec).url);
  const refusal = base === undefined ? { reason: "bad-address" } : outbound.refusal(base);
  if (refusal === undefined) return [];
  const message =
    refusal.reason === "private-address"
      ? "Forbidden: a private address, and OUTBOUND_PRIVATE does not allow those"
      : "Invalid value: must be an http or https address without credentials, query or fragment";
  return [{ reason: "FieldValueInvalid", field: "spec.url", message }];
}

/** The secrets that the writer may not use. Asked again with each change of the spec: the address may be another. */
async function secretCauses(
  { context, namespace = "", object }: AdmissionAttributes,
  { mayUse }: DataSourcePorts,
): Promise<StatusCause[]> {
  const causes: StatusCause[] = [];
  for (const [key, secret] of Object.entries((object.spec as DataSourceSpec).secure ?? {})) {
    if (secret === undefined || mayUse === undefined || (await mayUse(context, namespace, secret.name))) continue;
    const message = `Forbidden: you may not use the SecureValue ${JSON.stringify(secret.name)}`;
    causes.push({ reason: "FieldValueForbidden", field: `spec.secure.${key}.name`, message });
  }
  return causes;
}
