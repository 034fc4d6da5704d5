import * as z from "zod";
import { BOOTSTRAP_ADMIN } from "../access/index.ts";
import {
  forwarding,
  type FullStorage,
  type ImpliedObjects,
  impliedMetadata,
  invalid,
  type KindDeclaration,
  type KindRegistration,
  type RequestContext,
  type ResourceObject,
  sameJson,
  type StatusCause,
  type Storage,
  StatusError,
  withImplied,
} from "../resources/index.ts";
import { type AccountKind, AccountStorage, type AccountStoragePorts, type AccountWrite } from "./account-storage.ts";
import { requireActingAs } from "./acting.ts";
import { IAM_GROUP, IAM_VERSION, USERS } from "./names.ts";
import { type PasswordChangePorts, passwordConnecter } from "./password-change.ts";
import { type TokensPorts, tokensConnecter } from "./tokens.ts";
import { takePassword } from "./write-only-password.ts";

const KIND = { group: IAM_GROUP, kind: "User" };
const MAX_NAME = 80;
const NAME = /^[a-z0-9](?:[a-z0-9._@+-]*[a-z0-9])?$/;

export const userSpec = z.object({
  displayName: z.string().max(253).optional().describe("What people call them."),
  email: z.string().max(254).optional().describe("Where to write to. It proves nothing."),
  disabled: z.boolean().default(false).describe("Refuses all of their credentials."),
  password: z
    .string()
    .optional()
    .meta({ writeOnly: true })
    .describe(
      "A new password, at least 8 characters; empty to have none. Write-only: it is taken out before the object is stored and is in no answer.",
    ),
  identities: z
    .array(
      z.object({
        issuer: z.string().min(1).max(253).describe("Name of the FederatedIssuer they sign in by."),
        subject: z.string().min(1).max(255).describe("Who they are there, the claim `sub`."),
      }),
    )
    .max(32)
    .default([])
    .describe("How they sign in without a password of this registry."),
});

export type UserSpec = z.infer<typeof userSpec>;

/** A field that is not known may be the password, misspelt. */
const NOTED = new Set(Object.keys(userSpec.shape).filter((name) => name !== "password"));

const userStatus = z.object({
  passwordSet: z.boolean().describe("Whether they have a password of this registry."),
  keys: z.int().describe("How many API keys of theirs are good now."),
});

const declaration: KindDeclaration<typeof userSpec, typeof userStatus> = {
  kind: "User",
  plural: USERS.plural,
  categories: ["iam"],
  scope: "Cluster",
  description: "A person. The name is what they sign in with.",
  spec: userSpec,
  status: userStatus,
  columns: [
    { name: "Display Name", type: "string", jsonPath: ".spec.displayName" },
    { name: "Email", type: "string", jsonPath: ".spec.email" },
    { name: "Disabled", type: "boolean", jsonPath: ".spec.disabled" },
    { name: "Password", type: "boolean", jsonPath: ".status.passwordSet", description: "Whether there is one." },
    { name: "Keys", type: "integer", jsonPath: ".status.keys" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  checkName: checkUserName,
};

/** What is wrong with a login name: lower case, and no colon, so that no user is called as the platform's own are. */
export function checkUserName(name: string): StatusCause[] {
  const field = "metadata.name";
  const wrong = (message: string): StatusCause[] => [
    {
      reason: "FieldValueInvalid",
      field,
      message: `Invalid value: ${JSON.stringify(name.slice(0, MAX_NAME))}: ${message}`,
    },
  ];
  if (name === "")
    return [{ reason: "FieldValueRequired", field, message: "Required value: name or generateName is required" }];
  if (name.length > MAX_NAME) return wrong(`must be no more than ${MAX_NAME} characters`);
  if (name === BOOTSTRAP_ADMIN)
    return wrong("is the first administrator, whose password is the setting ADMIN_PASSWORD");
  return NAME.test(name)
    ? []
    : wrong("must consist of lower case letters, digits and . _ @ + -, and begin and end with a letter or digit");
}

/** What users work with. */
export interface UserPorts extends AccountStoragePorts, TokensPorts, Pick<PasswordChangePorts, "checkPassword"> {
  readonly passwords: {
    /** `password` as `newPassword` gives it back. */
    set(user: string, password: string): Promise<unknown>;
    delete(user: string): Promise<unknown>;
  };
}

/** The kind `User`. */
export function userKind(ports: UserPorts): KindRegistration {
  const { client, settingsAccount } = ports;
  const account: AccountKind = {
    key: USERS,
    checkName: checkUserName,
    identityOf: (_namespace, name) => name,
    statusOf: ({ passwordSet, keys }) => ({ passwordSet, keys }),
    write: (context, identity, name) => userWrite(ports, context, identity, name),
  };
  const uidOf = async (namespace: string | undefined, name: string): Promise<string | undefined> => {
    const found = await client().find(USERS, namespace, name);
    return found?.metadata.uid ?? (settingsAccount(name) === undefined ? undefined : `settings-${name}`);
  };
  return {
    declaration,
    storage: (general) => new AccountStorage(withAdministrator(general, ports), account, ports),
    connecters: [
      tokensConnecter(ports, { key: USERS, identityOf: account.identityOf, uidOf }),
      passwordConnecter(ports),
    ],
  };
}

function userWrite(
  { mayActAs, passwords }: UserPorts,
  context: RequestContext,
  identity: string,
  name: string,
): AccountWrite {
  let wanted: string | undefined;
  return {
    async next(input, current) {
      const { object, password, causes } = takePassword(input, NOTED);
      if (causes.length > 0) throw invalid(KIND, name, causes);
      const isSameLogin = sameJson(identitiesOf(object.spec), identitiesOf(current?.spec));
      if ((password !== undefined && password !== "") || !isSameLogin) {
        await requireActingAs(mayActAs, context.identity, identity);
      }
      wanted = password;
      return object;
    },
    async written() {
      if (wanted === "") await passwords.delete(name);
      else if (wanted !== undefined) await passwords.set(name, wanted);
    },
  };
}

/** What a client sent has not been checked yet. */
function identitiesOf(spec: unknown): unknown {
  return (spec as { readonly identities?: unknown } | null | undefined)?.identities ?? [];
}

/** The first administrator, who is there as long as `ADMIN_PASSWORD` is set, without anyone having made them. */
function withAdministrator(general: FullStorage, { settingsAccount }: UserPorts): Required<Storage> {
  const implied: ImpliedObjects = {
    names: async () => (settingsAccount(BOOTSTRAP_ADMIN) === undefined ? [] : [BOOTSTRAP_ADMIN]),
    make: (name, resourceVersion): ResourceObject<UserSpec> => ({
      apiVersion: `${IAM_GROUP}/${IAM_VERSION}`,
      kind: KIND.kind,
      metadata: impliedMetadata(`user-${name}`, name, resourceVersion),
      spec: { displayName: "First administrator", disabled: false, identities: [] },
    }),
    shown: (object) => object,
  };
  const refuse = (name: string): void => {
    if (name !== BOOTSTRAP_ADMIN) return;
    throw new StatusError(
      "MethodNotAllowed",
      `the user ${name} is built in: its password is the setting ADMIN_PASSWORD`,
    );
  };
  const reader = withImplied(general, implied);
  return {
    ...forwarding(general),
    get: (context, namespace, name) => reader.get(context, namespace, name),
    list: (context, query) => reader.list(context, query),
    async update(context, namespace, name, transform, options) {
      refuse(name);
      return general.update(context, namespace, name, transform, options);
    },
    async delete(context, namespace, name, options) {
      refuse(name);
      return general.delete(context, namespace, name, options);
    },
  };
}
