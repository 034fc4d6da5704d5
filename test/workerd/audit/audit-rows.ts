import type { AuditStore } from "../../../src/audit/audit-store.ts";

/** A row before it is written. */
export type AuditedRow = Parameters<AuditStore["append"]>[0][number];

/** A push by ann, except for what is given. */
export function audited(given: Partial<AuditedRow> = {}): AuditedRow {
  return {
    occurredAt: Date.UTC(2026, 0, 1),
    requestId: "r",
    identity: "ann",
    credentialType: "password",
    credentialId: null,
    address: "192.0.2.1",
    userAgent: "docker/29",
    verb: "push",
    group: "content.entrepot.dev",
    resource: "repositories",
    subresource: "",
    namespace: "team-a",
    name: "team-a/app",
    allowed: true,
    reason: "ClusterRoleBinding/ops ClusterRole/pusher",
    status: 201,
    ...given,
  };
}
