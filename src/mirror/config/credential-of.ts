import type { Credential } from "../client/index.ts";
import type { RegistryConfig } from "./sync-config.ts";

/** Identifiers of access keys: long-lived ones, and those that come with a session. @see AWS IAM, "Unique identifiers" */
const AWS_ACCESS_KEY = /^(?:AKIA|ASIA)[A-Z0-9]{16}$/;

/**
 * What a registry of a configuration is called with. A user name that is the identifier of an AWS access key makes the
 * password its secret, and a token the one of its session; a token by itself is sent as `Bearer`, and changed for one
 * of the registry first at Azure.
 */
export function credentialOf({ type, username, password, token }: RegistryConfig): Credential {
  if (username !== undefined && password !== undefined) {
    if (!AWS_ACCESS_KEY.test(username)) return { kind: "basic", username, password };
    return {
      kind: "ecr",
      accessKeyId: username,
      secretAccessKey: password,
      ...(token === undefined ? {} : { sessionToken: token }),
    };
  }
  if (token === undefined) return { kind: "anonymous" };
  if (type === "acr") return { kind: "acr", accessToken: token };
  return username === undefined ? { kind: "token", token } : { kind: "identity", token, username };
}
