import type { Audit } from "../access/index.ts";
import type { Database } from "../platform/index.ts";
import type { GroupBuilder } from "../resources/index.ts";
import type { AuditServices } from "./audit-api.ts";
import { AuditChain } from "./audit-chain.ts";
import { AuditLog, type AuditLogPorts } from "./audit-log.ts";
import { AuditStore } from "./audit-store.ts";
import { auditGroup } from "./kinds.ts";

/** What the audit works with. */
export interface AuditPorts extends Omit<AuditLogPorts, "store"> {
  readonly database: Database;
}

/** The audit, put together. */
export interface AuditLedger {
  /** Where surfaces tell what was done. */
  readonly log: Audit;
  /** What is done by the clock: chaining new rows, forgetting old ones. */
  readonly chain: AuditChain;
  /** The audit as a kind. */
  readonly group: GroupBuilder;
  /** What its REST API is served from. */
  rest(ports: Pick<AuditServices, "gate" | "authorizer" | "reportFailure">): AuditServices;
}

export function createAudit({ database, ...ports }: AuditPorts): AuditLedger {
  const store = new AuditStore(database);
  const log = new AuditLog({ ...ports, store });
  const chain = new AuditChain(store);
  return {
    log,
    chain,
    group: auditGroup(store),
    rest: (shell) => ({ ...shell, store, chain, audit: log }),
  };
}
