import type { Identity } from "../../access/index.ts";
import type { RequestContext } from "../../resources/index.ts";

/** Who the written fields belong to. */
const FIELD_MANAGER = "entrepot-rest";

/** The context in which objects are read and written for whoever asks. */
export function contextOf(
  identity: Identity,
  { host, dryRun = false, warn = () => {} }: Partial<Pick<RequestContext, "host" | "dryRun" | "warn">> = {},
): RequestContext {
  return { identity, ...(host === undefined ? {} : { host }), dryRun, fieldManager: FIELD_MANAGER, warn };
}
