import * as z from "zod";
import { type KindDeclaration, uses } from "../resources/index.ts";
import { secretReference } from "./secret-reference.ts";
import { KEEPERS, SECRET_GROUP, SECURE_VALUES } from "./names.ts";

/** Bounds of a SecureValue. @see Grafana, apps/secret, SecureValueSpec */
export const SECURE_VALUE_LIMITS = { description: 253, valueBytes: 24_576, ref: 1024, decrypters: 64 } as const;

/**
 * What is wanted of a SecureValue. `value` has no bounds here: they are in bytes of UTF-8, and what a schema refuses
 * it may quote; `secure-value-rules.ts` checks it.
 */
export const secureValueSpec = z.object({
  description: z.string().max(SECURE_VALUE_LIMITS.description).optional().describe("What the secret is for."),
  value: z
    .string()
    .optional()
    .meta({ writeOnly: true })
    .describe(
      `The secret, 1 to ${SECURE_VALUE_LIMITS.valueBytes} bytes of UTF-8. Write-only: it is taken out before the object is stored and is in no answer. A new value makes a new version.`,
    ),
  ref: z
    .string()
    .min(1)
    .max(SECURE_VALUE_LIMITS.ref)
    .optional()
    .describe("Instead of a value: where the keeper's own service has it. For `vault`, `<path>#<field>`."),
  keeper: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .meta(uses(KEEPERS))
    .describe("Name of the Keeper in this namespace; `system`, which encrypts into the database, unless given."),
  decrypters: z
    .array(z.string().min(1).max(253))
    .max(SECURE_VALUE_LIMITS.decrypters)
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Services that may read the value, such as `datasource.entrepot.dev`. Empty: nobody may."),
});

export type SecureValueSpec = z.infer<typeof secureValueSpec>;

export const secureValueStatus = z.object({
  version: z.int().describe("Counts the values there have been; the newest is the one in use."),
  keeper: z.string().describe("The keeper that has the value."),
  externalID: z.string().optional().describe("What the keeper calls it."),
});

export type SecureValueStatus = z.infer<typeof secureValueStatus>;

/** A secret that is written by people and read by parts of the platform only. */
export const secureValueKind: KindDeclaration<typeof secureValueSpec, typeof secureValueStatus> = {
  kind: "SecureValue",
  plural: SECURE_VALUES.plural,
  shortNames: ["sv"],
  scope: "Namespaced",
  description: "A secret, such as a token: anyone with the right may write it, only the services it lists may read it.",
  spec: secureValueSpec,
  status: secureValueStatus,
  columns: [
    { name: "Description", type: "string", jsonPath: ".spec.description" },
    { name: "Keeper", type: "string", jsonPath: ".status.keeper" },
    { name: "Version", type: "integer", jsonPath: ".status.version" },
    { name: "Decrypters", type: "string", jsonPath: ".spec.decrypters", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};

/** What is wanted of a Keeper: which service it stands for. */
export const keeperSpec = z.object({
  description: z.string().max(253).optional().describe("What the keeper is for."),
  vault: z
    .object({
      address: z.string().max(1024).describe("Base address of the service, `https://vault.example.com:8200`."),
      namespace: z.string().max(253).optional().describe("The service's own namespace (`X-Vault-Namespace`)."),
      token: secretReference("Name of a SecureValue kept by `system`.").describe(
        `The token to read with. Its SecureValue must list \`${SECRET_GROUP}\` as a decrypter.`,
      ),
    })
    .optional()
    .describe("HashiCorp Vault or OpenBao, its KV engine; SecureValues refer to what is there."),
});

export type KeeperSpec = z.infer<typeof keeperSpec>;

/** A service that keeps values. */
export const keeperKind: KindDeclaration<typeof keeperSpec> = {
  kind: "Keeper",
  plural: KEEPERS.plural,
  scope: "Namespaced",
  description: "A place where values of SecureValues are kept. Every namespace has `system`, which is built in.",
  spec: keeperSpec,
  columns: [
    { name: "Description", type: "string", jsonPath: ".spec.description" },
    { name: "Vault", type: "string", jsonPath: ".spec.vault.address" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};
