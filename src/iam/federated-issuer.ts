import * as z from "zod";
import type { Issuer, IssuerLogin } from "../access/index.ts";
import type { KindDeclaration } from "../resources/index.ts";
import { FEDERATED_ISSUERS } from "./names.ts";
import { secretReferenceAnywhere } from "../secrets/index.ts";

const MAX_JWKS = 65_536;
const MAX_RULES = 200;
const MAX_CLAIMS = 32;
const MAX_TEXT = 1024;

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether an address is one whose answers can be trusted: https, or plain http that does not leave the machine. */
function isTrustworthy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));
  return isSafe && username === "" && password === "";
}

const address = z
  .string()
  .min(1)
  .max(MAX_TEXT)
  .refine(isTrustworthy, "must be an https address without credentials, or an http one of this machine");

const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.enum(["RSA", "EC", "OKP"]) })).min(1) });

/** Whether a text is a JWK Set of public keys. */
function isPublicKeySet(text: string): boolean {
  try {
    const parsed = keySetSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.keys.every((key) => !("d" in key));
  } catch {
    return false;
  }
}

/** Claims that all tokens have which an issuer makes for this server: whoever asks it for one chooses the audience. */
const SHARED: ReadonlySet<string> = new Set(["iss", "aud"]);

const objectName = z.string().min(1).max(253);

const claimRuleSchema = z.object({
  claims: z
    .record(z.string().min(1).max(MAX_TEXT), z.string().min(1).max(MAX_TEXT))
    .refine((claims) => Object.keys(claims).length <= MAX_CLAIMS, `must have at most ${MAX_CLAIMS} claims`)
    .refine(
      (claims) =>
        Object.entries(claims).some(([name, pattern]) => !SHARED.has(name) && pattern.replaceAll("*", "") !== ""),
      "must limit a claim: everyone whom the issuer knows would match",
    )
    .describe(
      "By claim name (a dot goes down into objects) what it has to be, `*` standing for any text. All have to match.",
    ),
  serviceAccount: z
    .object({ namespace: objectName.describe("Its namespace."), name: objectName.describe("Its name.") })
    .describe("Who the bearer of such a token is."),
});

const loginSchema = z.object({
  clientId: z.string().min(1).max(MAX_TEXT).describe("What the issuer knows this server as."),
  clientSecret: secretReferenceAnywhere()
    .optional()
    .describe("The SecureValue with the client's secret, which has to list `iam.entrepot.dev` among its decrypters."),
  scopes: z
    .array(z.string().min(1).max(128))
    .max(32)
    .default(["openid", "profile", "email"])
    .describe("What to ask the issuer for."),
  usernameClaim: z.string().min(1).max(128).default("preferred_username").describe("The claim that names the user."),
  createUsers: z.boolean().default(false).describe("Make a User of whoever signs in for the first time."),
  displayName: z.string().min(1).max(64).describe("What the button says."),
});

export const federatedIssuerSpec = z
  .object({
    description: z.string().max(1024).optional().describe("What the issuer is for."),
    issuer: address.describe("The claim `iss` of its tokens, compared to the letter."),
    audiences: z
      .array(z.string().min(1).max(MAX_TEXT))
      .min(1)
      .max(16)
      .describe("What the claim `aud` of its tokens has to name one of."),
    jwksUrl: address.optional().describe("Where its keys are. Found by OpenID discovery if not given."),
    jwks: z
      .string()
      .max(MAX_JWKS)
      .refine(isPublicKeySet, "must be a JWK Set of public keys, as JSON")
      .optional()
      .describe("Its public keys, if they are not to be fetched: a JWK Set as JSON text."),
    rules: z
      .array(claimRuleSchema)
      .max(MAX_RULES)
      .default([])
      .describe("Whose tokens are taken for which service account. The first rule that matches decides."),
    login: loginSchema.optional().describe("Lets people sign in by it."),
  })
  .refine(({ jwks, jwksUrl }) => jwks === undefined || jwksUrl === undefined, {
    path: ["jwks"],
    message: "may not be given together with jwksUrl",
  });

export type FederatedIssuerSpec = z.infer<typeof federatedIssuerSpec>;

export const federatedIssuerKind: KindDeclaration<typeof federatedIssuerSpec> = {
  kind: "FederatedIssuer",
  plural: FEDERATED_ISSUERS.plural,
  categories: ["iam"],
  scope: "Cluster",
  description:
    "An OpenID issuer: whose identity tokens, of a CI for one, stand for which service accounts, and by which people may sign in.",
  spec: federatedIssuerSpec,
  columns: [
    { name: "Issuer", type: "string", jsonPath: ".spec.issuer" },
    { name: "Login", type: "string", jsonPath: ".spec.login.displayName" },
    { name: "Audiences", type: "string", jsonPath: ".spec.audiences[*]", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};

/** The issuer as authentication knows it. */
export function issuerOf(name: string, spec: FederatedIssuerSpec): Issuer {
  const { issuer, audiences, jwksUrl, jwks, rules, login } = spec;
  return {
    name,
    issuer,
    audiences,
    rules,
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(jwks === undefined ? {} : { jwks }),
    ...(login === undefined ? {} : { login: loginOf(login) }),
  };
}

function loginOf({ clientSecret, ...login }: z.infer<typeof loginSchema>): IssuerLogin {
  return { ...login, ...(clientSecret === undefined ? {} : { clientSecret }) };
}
