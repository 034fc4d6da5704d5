import * as z from "zod";
import { type Clock, err, ok, type Outbound, type Result } from "../../platform/index.ts";
import { createDocuments, type DocumentFailure } from "./documents.ts";

/** What an OpenID provider says of itself. @see OpenID Connect Discovery 1.0, section 3 */
export interface ProviderMetadata {
  readonly issuer: string;
  readonly jwksUri: URL;
  /** Absent where nobody signs in, as with issuers of CI. */
  readonly authorizationEndpoint?: URL;
  readonly tokenEndpoint?: URL;
  /** Ways in which clients prove themselves to the token endpoint. */
  readonly tokenEndpointAuthMethods: readonly string[];
  /** Whether `iss` is in every answer to the browser. @see RFC 9207, section 3 */
  readonly sendsIssuer: boolean;
}

/** Why nothing is known of a provider. `wrong-issuer`: the document is about another one. */
export type MetadataFailure = DocumentFailure | { readonly reason: "wrong-issuer" };

/** Finds out what there is to know of providers. */
export interface Providers {
  metadataOf(issuer: string): Promise<Result<ProviderMetadata, MetadataFailure>>;
}

const metadataSchema = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  authorization_endpoint: z.url().optional(),
  token_endpoint: z.url().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(["client_secret_basic"]),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});

/** Providers by OpenID discovery. @see OpenID Connect Discovery 1.0, section 4 */
export function createProviders(ports: { readonly outbound: Outbound; readonly clock: Clock }): Providers {
  const documents = createDocuments({ ...ports, parse: parseMetadata });
  return {
    async metadataOf(issuer) {
      const url = discoveryAddress(issuer);
      if (url === undefined) return err({ reason: "bad-address" });
      const metadata = await documents.get(url);
      if (!metadata.ok) return metadata;
      // Section 4.3: to the letter. Otherwise one issuer could speak for another.
      return metadata.value.issuer === issuer ? ok(metadata.value) : err({ reason: "wrong-issuer" });
    },
  };
}

function discoveryAddress(issuer: string): URL | undefined {
  if (!URL.canParse(issuer)) return undefined;
  const { search, hash } = new URL(issuer);
  if (search !== "" || hash !== "") return undefined;
  return new URL(`${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`);
}

function parseMetadata(json: unknown, from: URL): ProviderMetadata | undefined {
  const parsed = metadataSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const addresses = [data.jwks_uri, data.authorization_endpoint, data.token_endpoint];
  if (addresses.some((address) => address !== undefined && !isAsSafe(new URL(address), from))) return undefined;
  return {
    issuer: data.issuer,
    jwksUri: new URL(data.jwks_uri),
    ...(data.authorization_endpoint === undefined
      ? {}
      : { authorizationEndpoint: new URL(data.authorization_endpoint) }),
    ...(data.token_endpoint === undefined ? {} : { tokenEndpoint: new URL(data.token_endpoint) }),
    tokenEndpointAuthMethods: data.token_endpoint_auth_methods_supported,
    sendsIssuer: data.authorization_response_iss_parameter_supported,
  };
}

/** Whether an address keeps what the document's own has: a provider on TLS has no endpoint without. */
function isAsSafe(address: URL, from: URL): boolean {
  return address.protocol === "https:" || (address.protocol === "http:" && from.protocol === "http:");
}
