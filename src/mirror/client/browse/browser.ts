import type { z } from "zod";
import { RegistryError } from "../../registry.ts";
import { answerError } from "../answer-error.ts";
import type { Credential } from "../credential.ts";
import { basicAuthorization } from "../credential.ts";
import { type HttpAnswer, type HttpClient, type HttpRequest, readBytes } from "../http-client.ts";
import { CLIENT_LIMITS } from "../limits.ts";
import type { RegistryClient } from "../registry-client.ts";

/** How the projects and repositories of a product are listed. */
export interface Browser {
  projects(): Promise<readonly string[]>;
  /** Names as the registry has them, page by page; all of it or one project. */
  repositories(project?: string): AsyncIterable<readonly string[]>;
}

/** What listing works with. */
export interface BrowserPorts {
  readonly client: RegistryClient;
  readonly http: HttpClient;
  readonly credential: Credential;
}

/** Entries per page of the products' own APIs. */
export const API_PAGE = 100;

/** `Authorization` for the products' own APIs, which do not take the registry's tokens. */
export function apiAuthorization(credential: Credential): string | undefined {
  if (credential.kind === "basic") return basicAuthorization(credential.username, credential.password);
  return credential.kind === "token" ? `Bearer ${credential.token}` : undefined;
}

/** Calls a product's own API; any status but those of `expect` is thrown as a `RegistryError`. */
export async function apiCall(
  request: HttpRequest,
  expect: readonly number[],
  { client, http }: BrowserPorts,
): Promise<HttpAnswer> {
  const answer = await http.send(request);
  if (expect.includes(answer.status)) return answer;
  throw await answerError(answer, `${client.registry}: ${request.what}`, client.clock());
}

/** A JSON document of a product's own API. */
export async function apiJson<T>(request: HttpRequest, schema: z.ZodType<T>, ports: BrowserPorts): Promise<T> {
  const answer = await apiCall(request, [200], ports);
  const bytes = await readBytes(answer, CLIENT_LIMITS.page);
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new RegistryError("refused", `${ports.client.registry}: ${request.what}: the answer is not understood`, {
      cause,
    });
  }
}
