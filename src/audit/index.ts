export { auditApi, type AuditServices } from "./audit-api.ts";
export { type AuditLedger, type AuditPorts, createAudit } from "./compose.ts";
export type { AuditChain } from "./audit-chain.ts";
