import * as z from "zod";
import type { KindDeclaration } from "../resources/index.ts";
import { secretReference } from "../secrets/index.ts";
import type { DataSourceAdapter } from "./adapter.ts";

/** How data sources name themselves to SecureValues. */
export const DATA_SOURCE_SERVICE = "datasource.entrepot.dev";

export const DATA_SOURCE_VERSION = "v1";

export const DATA_SOURCES = "datasources";

/** What the specs of all data sources have. */
export interface DataSourceSpec {
  readonly title: string;
  readonly url: string;
  readonly secure?: Readonly<Record<string, { readonly name: string } | undefined>>;
}

/** The group of an adapter: `oci.datasource.entrepot.dev`. */
export function dataSourceGroup(type: string): string {
  return `${type}.${DATA_SOURCE_SERVICE}`;
}

/** The kind of an adapter's data sources. */
export function dataSourceKind(adapter: DataSourceAdapter): KindDeclaration {
  const secure = adapter.secure.map(({ name, description }) => [name, secretName.optional().describe(description)]);
  return {
    kind: "DataSource",
    plural: DATA_SOURCES,
    shortNames: ["ds"],
    scope: "Namespaced",
    description: adapter.description,
    spec: z
      .object({
        title: z.string().min(1).max(253).describe("What people call it."),
        url: z
          .string()
          .max(2048)
          .describe("Base address, http or https, without credentials. Nothing outside of it is called."),
        secure: z
          .object(Object.fromEntries(secure) as Record<string, z.ZodOptional<typeof secretName>>)
          .optional()
          .describe(`Secrets, by the name of a SecureValue that lists \`${DATA_SOURCE_SERVICE}\` as a decrypter.`),
      })
      .extend(adapter.config.shape),
    columns: [
      { name: "Title", type: "string", jsonPath: ".spec.title" },
      { name: "URL", type: "string", jsonPath: ".spec.url" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  };
}

const secretName = secretReference("Name of the SecureValue in this namespace.");
