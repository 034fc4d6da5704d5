import * as z from "zod";
import { badRequest } from "../resources/index.ts";
import { basic, type DataSourceAdapter } from "./adapter.ts";
import { expectOk } from "./answers.ts";

const config = z.object({
  healthPath: z.string().max(1024).default("").describe("Path below the address that answers 2xx when all is well."),
  header: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/)
    .refine((name) => !FORBIDDEN.test(name), "not a header that carries a credential")
    .optional()
    .describe("Name of the header that carries `secure.headerValue`, for example `X-Api-Key`."),
  resources: z
    .record(z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/), z.string().max(1024))
    .default({})
    .describe("JSON documents that `resource` may read: a name, and the path below the address."),
});

/** Headers that frame a message or route it. */
const FORBIDDEN = /^(host|connection|content-.*|transfer-encoding|upgrade|te|trailer|proxy-.*|cf-.*|x-forwarded-.*)$/i;

type Config = z.infer<typeof config>;

/** Any service that speaks HTTP. */
export const httpAdapter: DataSourceAdapter<Config> = {
  type: "http",
  description: "An HTTP service, for example one that serves packages or their index.",
  config,
  secure: [
    { name: "username", description: "User of HTTP Basic authentication." },
    { name: "password", description: "Password of HTTP Basic authentication." },
    { name: "token", description: "Bearer token; used instead of a password." },
    { name: "headerValue", description: "Value of the header that `header` names." },
  ],
  resources: { "<name>": "The document that `spec.resources` has under the name." },

  credentials({ config: { header }, secrets }) {
    const token = secrets.get("token");
    const value = secrets.get("headerValue");
    const user = secrets.get("username");
    const password = secrets.get("password");
    return {
      ...(token !== undefined
        ? { authorization: `Bearer ${token}` }
        : user !== undefined || password !== undefined
          ? { authorization: basic(user ?? "", password ?? "") }
          : {}),
      ...(header === undefined || value === undefined ? {} : { [header]: value }),
    };
  },

  async health(source) {
    const { status } = await source.read(source.config.healthPath);
    return status >= 200 && status < 300
      ? { status: "OK", message: "The service answers." }
      : { status: "ERROR", message: `The service answered ${status}.`, details: { status } };
  },

  async resource(source, path) {
    const { resources } = source.config;
    const target = Object.hasOwn(resources, path) ? resources[path] : undefined;
    if (target === undefined) return undefined;
    const answer = expectOk(await source.read(target));
    if (answer.json === undefined) throw badRequest(`the document ${path} is not JSON`);
    return answer.json;
  },
};
