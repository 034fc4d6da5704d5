import { AwsV4Signer } from "aws4fetch";
import * as z from "zod";
import type { Clock } from "../../../platform/index.ts";
import { RegistryError } from "../../registry.ts";
import { answerError, readErrorBody } from "../answer-error.ts";
import type { Credential } from "../credential.ts";
import { discard, type HttpAnswer, type HttpClient, readBytes } from "../http-client.ts";
import { CLIENT_LIMITS } from "../limits.ts";
import { ecrHost } from "../registry-type.ts";

/** Not used in its last minutes, in milliseconds; it lives twelve hours. */
const EARLY = 10 * 60 * 1000;

const authorizationSchema = z.object({
  authorizationData: z.array(
    z.object({
      authorizationToken: z
        .string()
        .max(64 * 1024)
        .regex(/^[A-Za-z0-9+/=]+$/),
      /** Seconds since 1970. */
      expiresAt: z.number(),
    }),
  ),
});

/** The API of Amazon ECR beside its registry. */
export interface EcrApi {
  /** The value of `Authorization` for the registry. `again` asks even if one is known. */
  authorization(again?: boolean): Promise<string>;
  /** Makes a repository, unless it is there. */
  createRepository(name: string): Promise<void>;
}

/** @see Amazon ECR API reference, GetAuthorizationToken and CreateRepository */
export function createEcrApi(
  credential: Credential & { readonly kind: "ecr" },
  { registry, base, http, clock }: { registry: string; base: URL; http: HttpClient; clock: Clock },
): EcrApi {
  const host = ecrHost(base.hostname);
  const region = credential.region ?? host?.region;
  let known: { readonly value: string; readonly usableUntil: number } | undefined;

  async function call(action: string, input: object): Promise<HttpAnswer> {
    if (region === undefined) throw new RegistryError("refused", `${registry}: the region of Amazon ECR is not known`);
    const suffix = base.hostname.endsWith(".cn") ? "amazonaws.com.cn" : "amazonaws.com";
    const body = JSON.stringify(input);
    const signer = new AwsV4Signer({
      method: "POST",
      url: credential.endpoint ?? `https://api.ecr.${region}.${suffix}/`,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${action}`,
      },
      body,
      accessKeyId: credential.accessKeyId,
      secretAccessKey: credential.secretAccessKey,
      ...(credential.sessionToken === undefined ? {} : { sessionToken: credential.sessionToken }),
      service: "ecr",
      region,
      datetime: new Date(clock()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
      allHeaders: true,
    });
    const { url, headers } = await signer.sign();
    const { authorization, ...others } = Object.fromEntries(headers);
    return await http.send({ method: "POST", url, headers: others, authorization, body, what: `Amazon ECR ${action}` });
  }

  return {
    async authorization(again = false) {
      if (!again && known !== undefined && clock() < known.usableUntil) return known.value;
      const answer = await call("GetAuthorizationToken", {});
      const describe = `${registry}: Amazon ECR GetAuthorizationToken`;
      if (answer.status !== 200) throw await ecrError(answer, describe, clock());
      const parsed = authorizationSchema.safeParse(await json(answer));
      const [first] = parsed.data?.authorizationData ?? [];
      if (first === undefined) throw new RegistryError("refused", `${describe}: the answer is not a token`);
      known = { value: `Basic ${first.authorizationToken}`, usableUntil: first.expiresAt * 1000 - EARLY };
      return known.value;
    },
    async createRepository(name) {
      const input = { repositoryName: name, ...(host === undefined ? {} : { registryId: host.account }) };
      const answer = await call("CreateRepository", input);
      if (answer.status === 200) return await discard(answer);
      throwUnlessThere(await ecrError(answer, `${registry}: Amazon ECR CreateRepository ${name}`, clock()));
    },
  };
}

/** AWS answers 400 to wrong keys and to what may not be done, and tells them apart by a name. */
async function ecrError(answer: HttpAnswer, describe: string, now: number): Promise<RegistryError> {
  const body = await readErrorBody(answer);
  const error = await answerError(answer, describe, now, body);
  if (body.code === "RepositoryAlreadyExistsException")
    return new RegistryError("conflict", error.message, { status: 409 });
  const denied =
    /AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|IncompleteSignature|MissingAuthentication/;
  return denied.test(body.code) ? new RegistryError("denied", error.message, { status: answer.status }) : error;
}

function throwUnlessThere(error: RegistryError): void {
  if (error.failure !== "conflict") throw error;
}

async function json(answer: HttpAnswer): Promise<unknown> {
  const bytes = await readBytes(answer, CLIENT_LIMITS.token);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
