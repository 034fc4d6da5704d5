import * as z from "zod";
import { type DataSourceAdapter, pick, type Source } from "./adapter.ts";
import { expectOk, items, property } from "./answers.ts";

const config = z.object({
  owner: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
    .optional()
    .describe("Only repositories of this user or organization."),
});

type Config = z.infer<typeof config>;

/** A path segment that names an owner or a repository. */
const NAME = "[A-Za-z0-9._-]+";
const BELOW_REPOSITORY = new RegExp(`^repos/(${NAME})/(${NAME})/(releases|tags|branches)$`);

const PAGING = ["page", "limit"];

/** Gitea or Forgejo. @see https://docs.gitea.com/api/ */
export const giteaAdapter: DataSourceAdapter<Config> = {
  type: "gitea",
  description: "A Gitea or Forgejo server, whose repositories, tags and releases can be listed.",
  config,
  secure: [{ name: "token", description: "Access token with the scope `read:repository`." }],
  resources: {
    repos: "Repositories; `q`, `page` and `limit` in the query.",
    "repos/<owner>/<repository>/releases": "Releases of a repository.",
    "repos/<owner>/<repository>/tags": "Tags of a repository.",
    "repos/<owner>/<repository>/branches": "Branches of a repository.",
  },

  credentials({ secrets }) {
    const token = secrets.get("token");
    return token === undefined ? {} : { authorization: `token ${token}` };
  },

  async health(source) {
    const answer = await source.read("api/v1/version");
    if (answer.status !== 200) return { status: "ERROR", message: `The server answered ${answer.status}.` };
    const version = property(answer.json, "version");
    if (typeof version !== "string") return { status: "ERROR", message: "This is not a Gitea server." };
    if (source.secrets.has("token")) {
      const { status } = await source.read("api/v1/repos/search", { limit: "1" });
      if (status !== 200) return { status: "ERROR", message: `The server refused the token (${status}).` };
    }
    return { status: "OK", message: `Gitea ${version} answers.`, details: { version } };
  },

  async resource(source, path, query) {
    if (path === "repos") return repositories(source, query);
    const [, owner, name, below] = BELOW_REPOSITORY.exec(path) ?? [];
    if (owner === undefined || name === undefined || below === undefined) return undefined;
    if (source.config.owner !== undefined && source.config.owner.toLowerCase() !== owner.toLowerCase())
      return undefined;
    const answer = expectOk(await source.read(`api/v1/repos/${owner}/${name}/${below}`, pick(query, PAGING)));
    return { [below]: items(answer.json) };
  },
};

async function repositories(source: Source<Config>, query: URLSearchParams): Promise<unknown> {
  const { owner } = source.config;
  const answer =
    owner === undefined
      ? await source.read("api/v1/repos/search", pick(query, [...PAGING, "q"]))
      : await source.read(`api/v1/users/${owner}/repos`, pick(query, PAGING));
  const { json, headers } = expectOk(answer);
  return {
    repos: items(owner === undefined ? property(json, "data") : json).map((repository) => ({
      fullName: property(repository, "full_name"),
      description: property(repository, "description"),
      private: property(repository, "private"),
      defaultBranch: property(repository, "default_branch"),
      url: property(repository, "html_url"),
      updatedAt: property(repository, "updated_at"),
    })),
    total: Number(headers.get("x-total-count") ?? Number.NaN) || undefined,
  };
}
