export { auditApi, type AuditServices } from "./audit-api.ts";
export { createAudit } from "./compose.ts";
export type { AuditChain } from "./audit-chain.ts";
