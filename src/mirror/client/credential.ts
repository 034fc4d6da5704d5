/** What a registry is called with. */
export type Credential =
  | { readonly kind: "anonymous" }
  /** User name and password, access token, API key, robot: what `docker login` takes. */
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** A token that is sent as `Bearer` as it is. */
  | { readonly kind: "token"; readonly token: string }
  /** A refresh token, which a token service changes for tokens (`identitytoken` in a Docker configuration). */
  | { readonly kind: "identity"; readonly token: string; readonly username?: string }
  /** Keys of AWS, for Amazon ECR. `endpoint` stands in for `https://api.ecr.<region>.amazonaws.com`. */
  | {
      readonly kind: "ecr";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
      /** Read off the host name if absent. */
      readonly region?: string;
      readonly endpoint?: string;
    }
  /** An access token of Microsoft Entra ID, for Azure Container Registry. */
  | { readonly kind: "acr"; readonly accessToken: string; readonly tenant?: string };

/** The value of `Authorization` for a user name and a password, in UTF-8. @see RFC 7617 */
export function basicAuthorization(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}
