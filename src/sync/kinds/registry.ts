import * as z from "zod";
import type { KindDeclaration } from "../../resources/index.ts";
import { conditionsSchema } from "./condition.ts";
import { REGISTRIES } from "./names.ts";
import { addressProblem } from "./registry-address.ts";
import { secretReference } from "../../secrets/index.ts";

/** What a SecureValue of the namespace is named by. */
export const secretRef = secretReference(
  "Name of a SecureValue in this namespace that lists `sync.entrepot.dev` among its decrypters.",
);

export const REGISTRY_TYPES = [
  "generic",
  "docker-hub",
  "ghcr",
  "quay",
  "harbor",
  "ecr",
  "acr",
  "artifact-registry",
  "gitlab",
  "entrepot",
  "local",
] as const;

export const registrySpec = z
  .object({
    description: z.string().max(1024).optional().describe("What it is for."),
    type: z
      .enum(REGISTRY_TYPES)
      .default("generic")
      .describe("Which product it is. `local` is this registry itself, and is for the name `local` alone."),
    url: z
      .string()
      .min(1)
      .max(2048)
      .optional()
      .describe("Its address, such as `https://registry-1.docker.io` or `registry.example.com:5000`."),
    username: z.string().min(1).max(253).optional().describe("Whom to sign in as."),
    passwordRef: secretRef.optional().describe("The password."),
    tokenRef: secretRef.optional().describe("A token that is sent as it is, instead of a user name and a password."),
    insecure: z.boolean().default(false).describe("Speak plain http."),
    rateLimit: z
      .object({ qps: z.number().min(0).max(1000).default(0).describe("Requests in a second; 0 is no limit.") })
      .prefault({})
      .describe("How fast it may be called."),
    concurrency: z.int().min(1).max(50).default(3).describe("How many requests may run at once."),
    ecr: z
      .object({
        region: z.string().min(1).max(64).optional().describe("Region; taken from the address unless given."),
        accessKeyIdRef: secretRef.describe("The id of the access key."),
        secretAccessKeyRef: secretRef.describe("The secret access key."),
        sessionTokenRef: secretRef.optional().describe("The session token of temporary credentials."),
      })
      .optional()
      .describe("Signs in to Amazon ECR."),
  })
  .superRefine(({ type, url, insecure, username, passwordRef, tokenRef, ecr }, context) => {
    const problem = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (type === "local") {
      for (const [path, value] of Object.entries({ url, username, passwordRef, tokenRef, ecr })) {
        if (value !== undefined) problem(path, "has no meaning for type local");
      }
      return;
    }
    const address = url === undefined ? "is required, unless the type is local" : addressProblem(url, insecure);
    if (address !== undefined) problem("url", address);
    if (passwordRef !== undefined && username === undefined) problem("username", "is required with passwordRef");
    if (tokenRef !== undefined && passwordRef !== undefined) problem("tokenRef", "may not be given with passwordRef");
    if (ecr !== undefined && type !== "ecr") problem("ecr", "is for type ecr");
    if (ecr !== undefined && (passwordRef ?? tokenRef) !== undefined) {
      problem("ecr", "may not be given with passwordRef or tokenRef");
    }
  });

export type RegistryType = (typeof REGISTRY_TYPES)[number];
export type RegistrySpec = z.infer<typeof registrySpec>;

export const registryStatus = z.object({
  conditions: conditionsSchema.optional().describe("`Ready`: it answered and took the credentials when last tested."),
  checkedAt: z.string().optional().describe("When it was last tested, RFC 3339."),
  message: z.string().optional().describe("What the test said."),
  capabilities: z.record(z.string(), z.boolean()).optional().describe("What it can, as far as is known."),
});

export type RegistryStatus = z.infer<typeof registryStatus>;

export const registryKind: KindDeclaration<typeof registrySpec, typeof registryStatus> = {
  kind: "Registry",
  plural: REGISTRIES.plural,
  shortNames: ["reg"],
  categories: ["sync"],
  scope: "Namespaced",
  description: "A registry that tasks read from or write to, and how to sign in there.",
  spec: registrySpec,
  status: registryStatus,
  columns: [
    { name: "Type", type: "string", jsonPath: ".spec.type" },
    { name: "URL", type: "string", jsonPath: ".spec.url" },
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Message", type: "string", jsonPath: ".status.message", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [".spec.type"],
};

/** The names of the SecureValues that a registry signs in with. */
export function registrySecrets({ passwordRef, tokenRef, ecr }: RegistrySpec): readonly string[] {
  const refs = [passwordRef, tokenRef, ecr?.accessKeyIdRef, ecr?.secretAccessKeyRef, ecr?.sessionTokenRef];
  return [...new Set(refs.flatMap((ref) => (ref === undefined ? [] : [ref.name])))];
}
