import * as z from "zod";
import { serviceAccountIdentity } from "../access/index.ts";
import { type KindDeclaration, type KindRegistration } from "../resources/index.ts";
import { accountHooks, type AccountKind, type AccountPorts } from "./account-hooks.ts";
import { SERVICE_ACCOUNTS } from "./names.ts";
import { type TokensPorts, tokensConnecter } from "./tokens.ts";

export const serviceAccountSpec = z.object({
  displayName: z.string().max(253).optional().describe("What people call it."),
  description: z.string().max(1024).optional().describe("What it is for."),
  disabled: z.boolean().default(false).describe("Refuses all of its credentials."),
});

const serviceAccountStatus = z.object({ keys: z.int().describe("How many API keys of it are good now.") });

const declaration: KindDeclaration<typeof serviceAccountSpec, typeof serviceAccountStatus> = {
  kind: "ServiceAccount",
  plural: SERVICE_ACCOUNTS.plural,
  shortNames: ["sa"],
  categories: ["iam"],
  scope: "Namespaced",
  description: "A robot, such as a CI job. It signs in with API keys, or by a FederatedIssuer without any.",
  spec: serviceAccountSpec,
  status: serviceAccountStatus,
  columns: [
    { name: "Display Name", type: "string", jsonPath: ".spec.displayName" },
    { name: "Disabled", type: "boolean", jsonPath: ".spec.disabled" },
    { name: "Keys", type: "integer", jsonPath: ".status.keys" },
    { name: "Description", type: "string", jsonPath: ".spec.description", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};

const account: AccountKind = {
  key: SERVICE_ACCOUNTS,
  identityOf: ({ namespace = "", name }) => serviceAccountIdentity(namespace, name),
  statusOf: ({ keys }) => ({ keys }),
};

/** The kind `ServiceAccount`. */
export function serviceAccountKind(ports: AccountPorts & TokensPorts): KindRegistration {
  const { client } = ports;
  const connecter = tokensConnecter(ports, {
    key: SERVICE_ACCOUNTS,
    identityOf: account.identityOf,
    uidOf: async ({ namespace, name }) => (await client().find(SERVICE_ACCOUNTS, { namespace, name }))?.metadata.uid,
  });
  return {
    declaration,
    hooks: (general) => accountHooks(general, account, ports),
    connecters: [connecter],
  };
}
