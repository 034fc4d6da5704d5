import * as z from "zod";
import { parseRepositoryName } from "../oci/index.ts";
import { basic, type Challenge, type DataSourceAdapter, pick, type Source } from "./adapter.ts";
import { expectOk, items, property } from "./answers.ts";

const config = z.object({
  repositories: z
    .array(z.string().refine((text) => parseRepositoryName(text) !== undefined, "is no name of a repository"))
    .max(1000)
    .default([])
    .describe("The repositories to show, for registries that do not list them. Empty: all that the registry lists."),
});

type Config = z.infer<typeof config>;

const PAGING = ["n", "last"];

/** Any registry of the OCI Distribution API. @see https://github.com/opencontainers/distribution-spec */
export const ociAdapter: DataSourceAdapter<Config> = {
  type: "oci",
  description: "An OCI registry, whose repositories and tags can be listed.",
  config,
  secure: [
    { name: "username", description: "User, or name of a robot account." },
    { name: "password", description: "Password or access token of the user." },
    { name: "token", description: "Bearer token; used instead of a user and password." },
  ],
  resources: {
    repositories: "Names of repositories; `n` and `last` in the query.",
    "repositories/<name>/tags": "Tags of a repository; `n` and `last` in the query.",
  },

  credentials({ secrets }) {
    const token = secrets.get("token");
    // A password is not shown before the registry says to whom: that is often a token service.
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  },

  answerChallenge,

  async health(source) {
    const { status } = await source.read("v2/");
    if (status === 200) return { status: "OK", message: "The registry answers." };
    if (status === 401 || status === 403) return { status: "ERROR", message: "The registry refused the credentials." };
    return { status: "ERROR", message: `This is not an OCI registry: /v2/ answered ${status}.`, details: { status } };
  },

  async resource(source, path, query) {
    const { repositories } = source.config;
    if (path === "repositories") return repositories.length > 0 ? { repositories } : listed(source, query);
    const [, name] = /^repositories\/(.+)\/tags$/.exec(path) ?? [];
    if (name === undefined || parseRepositoryName(name) === undefined) return undefined;
    if (repositories.length > 0 && !repositories.includes(name)) return undefined;
    const { json } = expectOk(await source.read(`v2/${name}/tags/list`, pick(query, PAGING)));
    return { name, tags: items(property(json, "tags")) };
  },
};

async function listed(source: Source<Config>, query: URLSearchParams): Promise<unknown> {
  const { json } = expectOk(await source.read("v2/_catalog", pick(query, PAGING)));
  return { repositories: items(property(json, "repositories")) };
}

/**
 * Basic, or a token from the service that the registry names.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
async function answerChallenge(
  { secrets }: Pick<Source<Config>, "secrets">,
  { challenge, base, ask }: Challenge,
): Promise<Readonly<Record<string, string>> | undefined> {
  const user = secrets.get("username");
  const password = secrets.get("password");
  const own = user === undefined || password === undefined ? undefined : basic(user, password);
  if (/^basic\b/i.test(challenge)) return own === undefined ? undefined : { authorization: own };
  const { realm, service, scope } = parameters(challenge);
  if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const one of (scope ?? "").split(" ").filter(Boolean)) url.searchParams.append("scope", one);
  // The registry chooses who sees the password. Never anyone on the way there.
  const trusted = url.origin === base.origin || url.protocol === "https:";
  const answer = await ask(url, own === undefined || !trusted ? {} : { authorization: own });
  const token = property(answer, "token") ?? property(answer, "access_token");
  return typeof token === "string" ? { authorization: `Bearer ${token}` } : undefined;
}

/** @see RFC 9110 section 11.2 */
function parameters(challenge: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, name = "", value = ""]) => [name.toLowerCase(), value]),
  );
}
