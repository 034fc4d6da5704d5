import type { Outbound } from "../platform/index.ts";
import type { KeeperSpec } from "./kinds.ts";

/** What a KeeperSpec says of a Vault. */
export type VaultSettings = NonNullable<KeeperSpec["vault"]>;

/** An answer is a few keys and values. */
const MAX_BYTES = 256 * 1024;

/**
 * Reads a field of a secret in HashiCorp Vault or OpenBao, KV version 1 or 2.
 * @param ref `<path>#<field>`, the path as below `/v1/`: `secret/data/team#token`
 * @returns `undefined` if the service does not give it
 * @see https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version
 */
export async function readVault(
  outbound: Outbound,
  settings: VaultSettings,
  token: string,
  ref: string,
): Promise<string | undefined> {
  const [path = "", field = ""] = ref.split("#");
  const base = URL.canParse(settings.address) ? new URL(settings.address) : undefined;
  if (base === undefined || field === "") return undefined;
  const root = `${base.pathname.replace(/\/+$/, "")}/v1/`;
  const url = new URL(root + path.split("/").map(encodeURIComponent).join("/"), base);
  const outcome = await outbound.request({
    url,
    headers: {
      accept: "application/json",
      "x-vault-token": token,
      ...(settings.namespace === undefined ? {} : { "x-vault-namespace": settings.namespace }),
    },
    credentialHeaders: ["x-vault-token"],
    maxBytes: MAX_BYTES,
    within: (target) => target.origin === base.origin && target.pathname.startsWith(root),
  });
  if (!outcome.ok) return undefined;
  if (!outcome.value.ok) {
    await outcome.value.body?.cancel();
    return undefined;
  }
  return fieldOf(await outcome.value.json().catch(() => undefined), field);
}

/** Version 2 wraps the fields once more than version 1 does. */
function fieldOf(answer: unknown, field: string): string | undefined {
  const data = property(answer, "data");
  const inner = property(data, "data");
  const value = property(typeof inner === "object" && inner !== null ? inner : data, field);
  return typeof value === "string" ? value : undefined;
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
