import * as z from "zod";
import { BOOTSTRAP_ADMIN } from "../access/index.ts";
import {
  type CreateWrite,
  type ImpliedObjects,
  impliedMetadata,
  invalid,
  type KindDeclaration,
  type KindRegistration,
  type ObjectRef,
  type ResourceInput,
  type ResourceObject,
  sameJson,
  type StatusCause,
  StatusError,
  type StorageHooks,
  withImplied,
} from "../resources/index.ts";
import { accountHooks, type AccountKind, type AccountPorts } from "./account-hooks.ts";
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
export interface UserPorts extends AccountPorts, TokensPorts, Pick<PasswordChangePorts, "checkPassword"> {
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
    identityOf: ({ name }) => name,
    statusOf: ({ passwordSet, keys }) => ({ passwordSet, keys }),
    stored: (write, previous) => storedUser(ports, write, previous),
    written: (write) => setPassword(ports, write),
  };
  const uidOf = async (ref: ObjectRef): Promise<string | undefined> => {
    const found = await client().find(USERS, ref);
    return found?.metadata.uid ?? (settingsAccount(ref.name) === undefined ? undefined : `settings-${ref.name}`);
  };
  return {
    declaration,
    hooks: (general) => withAdministrator(accountHooks(general, account, ports), ports),
    connecters: [
      tokensConnecter(ports, { key: USERS, identityOf: account.identityOf, uidOf }),
      passwordConnecter(ports),
    ],
  };
}

/** What was sent, without the password. @throws {StatusError} Invalid, Forbidden */
async function storedUser(
  { mayActAs }: UserPorts,
  { context, ref, sent }: CreateWrite,
  previous: ResourceObject | undefined,
): Promise<ResourceInput> {
  const { object, password, causes } = takePassword(sent, NOTED);
  if (causes.length > 0) throw invalid(KIND, ref.name, causes);
  const isSameLogin = sameJson(identitiesOf(object.spec), identitiesOf(previous?.spec));
  if ((password !== undefined && password !== "") || !isSameLogin) {
    await requireActingAs(mayActAs, context.identity, ref.name);
  }
  return object;
}

async function setPassword({ passwords }: UserPorts, { ref, sent }: CreateWrite): Promise<void> {
  const { password } = takePassword(sent, NOTED);
  if (password === "") await passwords.delete(ref.name);
  else if (password !== undefined) await passwords.set(ref.name, password);
}

/** What a client sent has not been checked yet. */
function identitiesOf(spec: unknown): unknown {
  return (spec as { readonly identities?: unknown } | null | undefined)?.identities ?? [];
}

/** The first administrator, who is there as long as `ADMIN_PASSWORD` is set, without anyone having made them. */
function withAdministrator(hooks: StorageHooks, { settingsAccount }: UserPorts): StorageHooks {
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
  return {
    ...hooks,
    begin(request) {
      hooks.begin?.(request);
      const { verb, ref } = request;
      // Creating it is refused by the rule for names.
      if ((verb !== "update" && verb !== "delete") || ref?.name !== BOOTSTRAP_ADMIN) return;
      throw new StatusError(
        "MethodNotAllowed",
        `the user ${ref.name} is built in: its password is the setting ADMIN_PASSWORD`,
      );
    },
    read: (stored) => ({ ...stored, ...withImplied(stored, implied) }),
  };
}
