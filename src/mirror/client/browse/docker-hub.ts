import * as z from "zod";
import { RegistryError } from "../../registry.ts";
import { wholeList } from "../whole-list.ts";
import { API_PAGE, apiJson, type Browser, type BrowserPorts } from "./browser.ts";

/** The only host that is called besides the registry and its token service. */
const HUB = "https://hub.docker.com";

const tokenSchema = z.object({ access_token: z.string().regex(/^[\x21-\x7e]+$/) });
const repositoriesSchema = z.object({
  next: z.string().nullish(),
  results: z.array(z.object({ name: z.string(), namespace: z.string().optional() })),
});

/** Docker Hub's API, which lists by namespace. @see Docker Hub API, "namespaces/{namespace}/repositories" */
export function dockerHubBrowser(ports: BrowserPorts): Browser {
  const { client, credential } = ports;
  let authorization: string | undefined;

  /** Private repositories are shown only to their owner. */
  async function signIn(): Promise<void> {
    if (authorization !== undefined || credential.kind !== "basic") return;
    const body = JSON.stringify({ identifier: credential.username, secret: credential.password });
    const headers = { "content-type": "application/json" };
    const url = new URL("/v2/auth/token", HUB);
    const what = "sign in at hub.docker.com";
    const { access_token } = await apiJson({ method: "POST", url, headers, body, what }, tokenSchema, ports);
    authorization = `Bearer ${access_token}`;
  }

  return {
    async projects() {
      const own = credential.kind === "basic" ? [credential.username] : [];
      return [...own, "library"];
    },
    async *repositories(project) {
      const what = `list repositories of ${project ?? "everybody"}`;
      if (project === undefined) {
        throw new RegistryError(
          "unsupported",
          `${client.registry}: Docker Hub lists repositories of one namespace only: name it`,
        );
      }
      await signIn();
      let url: URL | undefined = new URL(
        `/v2/namespaces/${encodeURIComponent(project)}/repositories?page_size=${API_PAGE}`,
        HUB,
      );
      const list = wholeList(`${client.registry}: ${what}`);
      while (url !== undefined) {
        const { next, results }: z.infer<typeof repositoriesSchema> = await apiJson(
          { method: "GET", url, authorization, what },
          repositoriesSchema,
          ports,
        );
        const page = results.map(({ name, namespace }) => `${namespace ?? project}/${name}`);
        list.page(page);
        if (page.length > 0) yield page;
        // The last page says that there is no next one.
        if (next === undefined || !URL.canParse(next ?? "", url.href))
          throw list.broken("it does not say how it goes on");
        url = next === null || next === "" ? undefined : new URL(next, url);
        if (url !== undefined && url.origin !== HUB) {
          throw new RegistryError("forbidden-address", `${client.registry}: ${what}: the next page is at ${url.host}`);
        }
        if (url !== undefined) list.goOn(url.href);
      }
    },
  };
}
