import { createDecipheriv } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { importJWK, type JWK, SignJWT } from "jose";

/** What a test takes out of the server's own database to make tokens that only their claims can be wrong in. */
export interface StolenKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  /** Signs claims as the server would; `header` replaces what it would say. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

/**
 * Reads the signing key of the token service from the data folder of a running server that has given out a token. The
 * database alone does not tell it.
 */
export function stealSigningKey(data: string): StolenKey {
  for (const file of sqliteFiles(data)) {
    const row = firstKey(file);
    if (row === undefined) continue;
    const privateJwk = JSON.parse(opened(row, path.join(data, "secrets-key"))) as JWK;
    return {
      kid: row.kid,
      publicJwk: JSON.parse(row.public_jwk) as JWK,
      async sign(claims, header = {}) {
        const key = await importJWK(privateJwk, "ES256");
        return new SignJWT(claims)
          .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: row.kid, ...header })
          .sign(key, { crit: { x: true } });
      },
    };
  }
  throw new Error(`no signing key in ${data}`);
}

interface KeyRow {
  readonly kid: string;
  readonly private_jwk: string;
  readonly public_jwk: string;
}

/** AES-256-GCM under the key of a self-host, which is `<date>:<base64>`: nonce, ciphertext, tag. */
function opened({ kid, private_jwk }: KeyRow, keyFile: string): string {
  const key = Buffer.from(readFileSync(keyFile, "utf8").trim().split(":")[1] ?? "", "base64");
  const { wrapped } = JSON.parse(private_jwk) as { readonly wrapped: string };
  const sealed = Buffer.from(wrapped, "base64");
  const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  cipher.setAAD(Buffer.from(`access_signing_keys/${kid}`)).setAuthTag(sealed.subarray(-16));
  return cipher.update(sealed.subarray(12, -16), undefined, "utf8") + cipher.final("utf8");
}

function sqliteFiles(data: string): string[] {
  return readdirSync(data, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes("D1") && name.endsWith(".sqlite"))
    .map((name) => path.join(data, name));
}

function firstKey(file: string): KeyRow | undefined {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const table = "SELECT 1 FROM sqlite_master WHERE name = 'access_signing_keys'";
    if (database.prepare(table).get() === undefined) return undefined;
    return database.prepare("SELECT kid, private_jwk, public_jwk FROM access_signing_keys").get() as unknown as KeyRow;
  } finally {
    database.close();
  }
}
