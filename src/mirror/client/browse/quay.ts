import { z } from "zod";
import { RegistryError } from "../../registry.ts";
import { CLIENT_LIMITS } from "../limits.ts";
import { apiJson, type Browser, type BrowserPorts } from "./browser.ts";
import { catalogBrowser } from "./catalog.ts";

const pageSchema = z.object({
  repositories: z.array(z.object({ namespace: z.string(), name: z.string() })),
  next_page: z.string().nullish(),
});

/**
 * Quay's API lists by namespace, to anybody what is public, and the rest to an application's token; robots see no more
 * there. All of it, and what the API refuses, is left to the catalog. @see Quay API, "GET /api/v1/repository"
 */
export function quayBrowser(ports: BrowserPorts): Browser {
  const { client, credential } = ports;
  const catalog = catalogBrowser(ports);
  const authorization = credential.kind === "token" ? `Bearer ${credential.token}` : undefined;

  return {
    async projects() {
      const { username } = credential.kind === "basic" ? credential : { username: "" };
      // A robot is called `<namespace>+<name>`.
      return username === "" ? await catalog.projects() : [username.replace(/\+.*$/, "")];
    },
    async *repositories(project) {
      if (project === undefined) return yield* catalog.repositories();
      const what = `list repositories of ${project}`;
      let next: string | undefined = "";
      for (let page = 0; next !== undefined && page < CLIENT_LIMITS.pages; page += 1) {
        const query = new URLSearchParams({
          namespace: project,
          ...(authorization === undefined ? { public: "true" } : {}),
        });
        if (next !== "") query.set("next_page", next);
        const url = new URL(`/api/v1/repository?${query}`, client.base);
        let answer: z.infer<typeof pageSchema>;
        try {
          answer = await apiJson({ method: "GET", url, authorization, what }, pageSchema, ports);
        } catch (error) {
          const left = error instanceof RegistryError && error.failure === "denied" && page === 0;
          if (left) return yield* catalog.repositories(project);
          throw error;
        }
        if (answer.repositories.length > 0)
          yield answer.repositories.map(({ namespace, name }) => `${namespace}/${name}`);
        next = answer.next_page ?? undefined;
      }
    },
  };
}
