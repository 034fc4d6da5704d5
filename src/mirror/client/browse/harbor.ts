import * as z from "zod";
import { answerError } from "../answer-error.ts";
import { discard } from "../http-client.ts";
import { wholeList } from "../whole-list.ts";
import { API_PAGE, apiAuthorization, apiCall, apiJson, type Browser, type BrowserPorts } from "./browser.ts";

const namesSchema = z.array(z.object({ name: z.string() }));

/** What Harbor's own API is used for besides listing. */
export interface Harbor extends Browser {
  /** Makes a private project, unless it is there or the credential may not see. */
  createProject(project: string): Promise<void>;
  /** Takes one tag off an artifact; what is not there is no failure. */
  deleteTag(repository: string, tag: string): Promise<void>;
}

/** Harbor API v2.0, beside the registry. @see Harbor, "api/v2.0/swagger.yaml" */
export function harborBrowser(ports: BrowserPorts): Harbor {
  const { client, credential } = ports;
  const authorization = apiAuthorization(credential);
  const address = (path: string) => new URL(`api/v2.0/${path}`, client.base);

  async function* names(path: string, what: string): AsyncGenerator<readonly string[]> {
    const list = wholeList(`${client.registry}: ${what}`);
    for (let page = 1; ; page += 1) {
      const url = address(`${path}?page=${page}&page_size=${API_PAGE}`);
      const entries = await apiJson({ method: "GET", url, authorization, what }, namesSchema, ports);
      list.page(entries.map(({ name }) => name));
      if (entries.length > 0) yield entries.map(({ name }) => name);
      if (entries.length < API_PAGE) return;
    }
  }

  async function projects(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const page of names("projects", "list projects")) found.push(...page);
    return found;
  }

  return {
    projects,
    async *repositories(project) {
      for (const each of project === undefined ? await projects() : [project]) {
        yield* names(`projects/${encodeURIComponent(each)}/repositories`, `list repositories of ${each}`);
      }
    },
    async createProject(project) {
      const what = `make project ${project}`;
      const url = address(`projects?project_name=${encodeURIComponent(project)}`);
      // Robots of a project may push to it, but not ask whether it is there.
      const found = await apiCall({ method: "HEAD", url, authorization, what }, [200, 401, 403, 404], ports);
      if (found.status !== 404) return;
      const body = JSON.stringify({ project_name: project, metadata: { public: "false" } });
      const headers = { "content-type": "application/json" };
      const request = { method: "POST", url: address("projects"), headers, body, authorization, what };
      await discard(await apiCall(request, [201, 409], ports));
    },
    async deleteTag(repository, tag) {
      const [project = "", ...rest] = repository.split("/");
      // Harbor decodes the name of a repository twice.
      const name = encodeURIComponent(encodeURIComponent(rest.join("/")));
      const url = address(`projects/${project}/repositories/${name}/artifacts/${tag}/tags/${tag}`);
      const what = `DELETE tag ${repository}:${tag}`;
      const answer = await apiCall({ method: "DELETE", url, authorization, what }, [200, 404, 412], ports);
      if (answer.status === 412) throw await answerError(answer, `${client.registry}: ${what}`, client.clock());
      await discard(answer);
    },
  };
}
