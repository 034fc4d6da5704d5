import * as z from "zod";
import { RegistryError } from "../../registry.ts";
import { CATALOG_SCOPE } from "../auth/scopes.ts";
import { CLIENT_LIMITS } from "../limits.ts";
import { wholeList } from "../whole-list.ts";
import type { Browser, BrowserPorts } from "./browser.ts";

const catalogSchema = z.object({ repositories: z.array(z.string()).nullish() });

/** Lists by `GET /v2/_catalog`. Projects are the first components of names. @see Docker Registry HTTP API V2, "Listing Repositories" */
export function catalogBrowser({ client }: BrowserPorts): Browser {
  async function* repositories(project?: string): AsyncGenerator<readonly string[]> {
    const what = "list repositories";
    const to = `_catalog?n=${CLIENT_LIMITS.perPage}`;
    const list = wholeList(`${client.registry}: ${what}`);
    const call = { method: "GET", to, what, scopes: [CATALOG_SCOPE], expect: [200] };
    for await (const { answer } of client.pages(call, list)) {
      const parsed = catalogSchema.safeParse(await client.json(answer, what));
      if (!parsed.success) {
        throw new RegistryError("refused", `${client.registry}: ${what}: the answer is not a list of repositories`);
      }
      const all = parsed.data.repositories ?? [];
      list.page(all);
      const page = all.filter((name) => project === undefined || name === project || name.startsWith(`${project}/`));
      if (page.length > 0) yield page;
    }
  }

  return {
    repositories,
    async projects() {
      const found = new Set<string>();
      for await (const page of repositories()) {
        for (const name of page) found.add(name.split("/")[0] ?? name);
      }
      return [...found].sort();
    },
  };
}

/** For registries that tell nobody what they have. */
export function noBrowser(registry: string, product: string): Browser {
  const refuse = () =>
    new RegistryError("unsupported", `${registry}: ${product} has no list of repositories: give their exact names`);
  return {
    projects: async () => {
      throw refuse();
    },
    repositories: () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          throw refuse();
        },
      }),
    }),
  };
}
