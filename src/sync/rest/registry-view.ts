import * as z from "zod";
import type { ResourceObject } from "../../resources/index.ts";
import { LOCAL_REGISTRY, type RegistrySpec, type RegistryStatus } from "../kinds/index.ts";
import { REGISTRY_TYPES } from "../kinds/registry.ts";
import { displayName, updatedAt } from "./object-names.ts";

const nameSchema = z.string().trim().min(1).max(253);

/** A registry as clients read it. There is no password and no token in it. */
export const registryView = z.object({
  id: z.int(),
  name: z.string(),
  namespace: z.string(),
  description: z.string(),
  type: z.enum(REGISTRY_TYPES).describe("Which product it is. `local` is this registry itself, in every namespace."),
  url: z.string().describe("Its address; empty for `local`."),
  username: z.string(),
  has_password: z.boolean().describe("Whether a password, a token or a key is kept for it."),
  insecure: z.boolean().describe("Plain http."),
  rate_limit: z.number().describe("Requests in a second; 0 is no limit."),
  concurrency: z.int().describe("Requests that run at once."),
  healthy: z.boolean().nullable().describe("What the latest test found."),
  health_message: z.string(),
  checked_at: z.string().nullable().describe("When it was last tested, RFC 3339."),
  created_at: z.string(),
  updated_at: z.string(),
});

export type RegistryView = z.infer<typeof registryView>;

const writable = {
  description: z.string().max(1024).optional(),
  type: z.enum(REGISTRY_TYPES).optional(),
  url: z.string().max(2048).optional(),
  username: z.string().max(253).optional().describe("Empty: none, and no password."),
  password: z.string().max(16_384).optional().describe("Kept encrypted and never returned. Empty: as it is."),
  token: z.string().max(16_384).optional().describe("Instead of a password. Kept encrypted, never returned."),
  insecure: z.boolean().optional(),
  rate_limit: z.number().min(0).max(1000).optional(),
  concurrency: z.int().min(1).max(50).optional(),
};

export const registryInput = z.object({ name: nameSchema, ...writable });
export const registryChange = z.object({ name: nameSchema.optional(), ...writable });

export type RegistryChange = z.infer<typeof registryChange>;

/** A registry for clients. */
export function viewRegistry(id: number, object: ResourceObject<RegistrySpec, RegistryStatus>): RegistryView {
  const { metadata, spec, status } = object;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    id,
    name: displayName(metadata),
    namespace: metadata.namespace ?? "",
    description: spec?.description ?? "",
    type: spec?.type ?? "generic",
    url: spec?.url ?? "",
    username: spec?.username ?? "",
    has_password: (spec?.passwordRef ?? spec?.tokenRef ?? spec?.ecr) !== undefined,
    insecure: spec?.insecure ?? false,
    rate_limit: spec?.rateLimit.qps ?? 0,
    concurrency: spec?.concurrency ?? 0,
    healthy: ready === undefined ? null : ready.status === "True",
    health_message: status?.message ?? "",
    checked_at: status?.checkedAt ?? null,
    created_at: metadata.creationTimestamp,
    updated_at: updatedAt(metadata),
  };
}

/** This registry itself, which is there without an object. */
export function viewLocal(id: number, namespace: string): RegistryView {
  return {
    id,
    name: LOCAL_REGISTRY,
    namespace,
    description: "This registry itself.",
    type: "local",
    url: "",
    username: "",
    has_password: false,
    insecure: false,
    rate_limit: 0,
    concurrency: 0,
    healthy: null,
    health_message: "",
    checked_at: null,
    created_at: EPOCH,
    updated_at: EPOCH,
  };
}

const EPOCH = "1970-01-01T00:00:00Z";

/** What is wanted of a registry, as the kind takes it. */
export type WantedRegistry = Partial<Omit<RegistrySpec, "type">> & { readonly type?: RegistrySpec["type"] };

/** The wanted state with what a request changes; secrets are kept apart from it. */
export function changedRegistry(spec: WantedRegistry, change: RegistryChange): WantedRegistry {
  const { description, type, url, username, insecure, rate_limit: qps, concurrency } = change;
  const given = {
    ...(description === undefined ? {} : { description }),
    ...(type === undefined ? {} : { type }),
    ...(url === undefined ? {} : { url }),
    ...(username === undefined ? {} : { username }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(qps === undefined ? {} : { rateLimit: { ...spec.rateLimit, qps } }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  // Who signs in as nobody has no password.
  const { passwordRef: _password, ...others } = spec;
  const before = username === "" ? others : spec;
  // Empty texts are for what is not there.
  return Object.fromEntries(Object.entries({ ...before, ...given }).filter(([, value]) => value !== ""));
}
