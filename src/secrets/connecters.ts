import { badRequest, type Connecter, notFound } from "../resources/index.ts";
import type { SecretAuditStore } from "./audit-store.ts";
import type { SecretMaintenance } from "./maintenance.ts";
import { KEEPERS, SYSTEM_KEEPER } from "./names.ts";

/** Attempts that one answer has. */
const AUDIT_ROWS = 500;

/**
 * `POST …/namespaces/<namespace>/keepers/system/rotate`: a new data key for the namespace. The first values are put under
 * it before the answer, the rest by maintenance; those under the key before it stay readable throughout.
 */
export function rotateConnecter(maintenance: SecretMaintenance): Connecter {
  return {
    subresource: "rotate",
    description: "Gives the namespace a new data key and puts its values under it.",
    methods: ["POST"],
    usesNothing: true,
    async connect(context, { namespace, name }) {
      if (name !== SYSTEM_KEEPER) throw notFound(KEEPERS, `${name}/rotate`);
      if (namespace === undefined) throw badRequest("data keys belong to a namespace");
      if (context.dryRun) return Response.json({ reencrypted: 0, failed: 0, remaining: 0 });
      return Response.json(await maintenance.rotate(namespace));
    },
  };
}

/** `GET …/securevalues/<name>/audit`: who read the secret or tried to, newest first; also of one that is deleted. */
export function auditConnecter(audit: SecretAuditStore): Connecter {
  return {
    subresource: "audit",
    description: "Who read the secret or tried to, newest first.",
    methods: ["GET"],
    usesNothing: true,
    async connect(_context, { namespace, name }) {
      if (namespace === undefined) throw badRequest("a SecureValue stands in a namespace");
      const attempts = await audit.of(namespace, name, AUDIT_ROWS);
      return Response.json({
        attempts: attempts.map(({ occurredAt, service, version, outcome }) => ({
          time: new Date(occurredAt).toISOString(),
          service,
          version,
          outcome,
        })),
      });
    },
  };
}
