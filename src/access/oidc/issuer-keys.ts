import { createLocalJWKSet, type JWTVerifyGetKey } from "jose";
import * as z from "zod";
import { type Clock, err, Lru, ok, type Outbound, type Result } from "../../platform/index.ts";
import { createDocuments, type DocumentFailure } from "./documents.ts";
import type { MetadataFailure, Providers } from "./provider-metadata.ts";

/** Whose keys, and where they are. The first that is there counts: inline, address, discovery. */
export interface KeySource {
  readonly issuer: string;
  /** A JWK Set as JSON text. */
  readonly jwks?: string;
  readonly jwksUrl?: string;
}

/** Finds the keys that an issuer signs with. */
export interface IssuerKeys {
  /** With `again`, keys that were remembered are fetched once more, at most every 30 seconds. */
  keysOf(source: KeySource, again?: boolean): Promise<Result<JWTVerifyGetKey, DocumentFailure | MetadataFailure>>;
}

/** RFC 7517, section 5. Keys of kinds that are not known are skipped when one is looked for. */
const keySetSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

const REMEMBERED_INLINE = 64;

/** Keys of issuers, remembered for 10 minutes or as long as `Cache-Control` says. */
export function createIssuerKeys(ports: {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly providers: Providers;
}): IssuerKeys {
  const documents = createDocuments({ outbound: ports.outbound, clock: ports.clock, parse: parseKeySet });
  const inline = new Lru<JWTVerifyGetKey>(REMEMBERED_INLINE);

  return {
    async keysOf({ issuer, jwks, jwksUrl }, again = false) {
      if (jwks !== undefined) {
        const keys = inline.get(jwks) ?? parseKeySet(parseJson(jwks));
        if (keys === undefined) return err({ reason: "bad-document" });
        inline.set(jwks, keys, 1);
        return ok(keys);
      }
      if (jwksUrl !== undefined) {
        return URL.canParse(jwksUrl) ? documents.get(new URL(jwksUrl), again) : err({ reason: "bad-address" });
      }
      const metadata = await ports.providers.metadataOf(issuer);
      return metadata.ok ? documents.get(metadata.value.jwksUri, again, new URL(issuer)) : metadata;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseKeySet(json: unknown): JWTVerifyGetKey | undefined {
  const parsed = keySetSchema.safeParse(json);
  if (!parsed.success) return undefined;
  // A shared secret in a public document is none.
  const keys = parsed.data.keys.filter(({ kty }) => kty !== "oct");
  return createLocalJWKSet({ keys });
}
