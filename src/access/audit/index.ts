export {
  accessEntry,
  type Actor,
  type AuditEntry,
  type AuditRecord,
  type Outcome,
  repositoryEntry,
  sessionEntry,
} from "./audit-entry.ts";
export { type Audit, AuditLog, type AuditLogPorts, type FailedSignIn } from "./audit-log.ts";
export { AuditChain, type ChainBreak, type ChainEnds, type Verification } from "./audit-chain.ts";
export { type AuditPage, type AuditQuery, AuditStore, type ChainLink } from "./audit-store.ts";
