import * as z from "zod";
import { RegistryError } from "../../registry.ts";
import { wholeList } from "../whole-list.ts";
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
      const list = wholeList(`${client.registry}: ${what}`);
      while (next !== undefined) {
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
          const left = error instanceof RegistryError && error.failure === "denied" && next === "";
          if (left) return yield* catalog.repositories(project);
          throw error;
        }
        const page = answer.repositories.map(({ namespace, name }) => `${namespace}/${name}`);
        list.page(page);
        if (page.length > 0) yield page;
        next = answer.next_page ?? undefined;
        if (next !== undefined) list.goOn(next);
      }
    },
  };
}
