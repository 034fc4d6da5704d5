import * as z from "zod";
import type { Identity } from "../../access/index.ts";
import { decodeBody, type KindKey, type ResourceClient } from "../../resources/index.ts";
import type { NumberedKind } from "../store/index.ts";
import { type FieldProblem, invalidFields } from "./rest-fault.ts";
import type { SyncRestServices } from "./services.ts";

/** Bytes of a body at the most. */
const MAX_BODY = 1024 * 1024;

/** What an endpoint asks permission for. */
export interface Asked {
  readonly verb: string;
  readonly kind: KindKey;
  readonly subresource?: string;
}

/** One authenticated and permitted request. */
export interface RestCall {
  readonly services: SyncRestServices;
  readonly identity: Identity;
  readonly request: Request;
  readonly url: URL;
  /** Parts of the path by their names, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the object that the path names, else of `?namespace=`, else `default`. */
  readonly namespace: string;
  /** Of the object that the path names, else empty. */
  readonly name: string;
  /** The number in the path, else 0. */
  readonly id: number;
  /** Reads and writes for the one who asks; what they may do is asked before. */
  readonly client: ResourceClient;
  /** The same without writing anything. */
  readonly dryClient: ResourceClient;
  /** Whether the one who asks may do something else. */
  may(asked: Asked, namespace: string, name?: string): Promise<boolean>;
  /** @throws {RestFault} 403 if they may not */
  require(asked: Asked, namespace: string, name?: string): Promise<void>;
  /** Calls an endpoint below an object of the resource API. @throws {StatusError} */
  connect(
    kind: KindKey,
    name: string,
    subresource: string,
    how: { readonly method: "GET" | "POST"; readonly query?: string; readonly body?: unknown },
  ): Promise<unknown>;
}

/** An endpoint, as the router and the OpenAPI document know it. */
export interface RestRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `:name` for parts that vary. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly asked: Asked | "anyone";
  /** What `:id` is the number of. */
  readonly of?: NumberedKind | "execution";
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Media types of the body; JSON unless given. */
  readonly takes?: readonly string[];
  readonly status: number;
  /** What it answers: JSON by a schema, or a media type. */
  readonly answer: z.ZodType | string;
  /** Other answers by their status. */
  readonly failures?: Readonly<Record<number, string>>;
  run(call: RestCall): Promise<Response>;
}

type Definition<Q extends z.ZodObject, B extends z.ZodType> = Omit<RestRoute, "run" | "query" | "body"> & {
  readonly query?: Q;
  readonly body?: B;
  readonly handle: (call: RestCall, query: z.infer<Q>, body: z.infer<B>) => Promise<Response>;
};

/** `?namespace=`, which all endpoints take. */
export const placed = z.object({
  namespace: z
    .string()
    .min(1)
    .max(63)
    .default("default")
    .describe("The namespace. `*` in lists: all that you may list."),
});

/** Makes an endpoint: what it takes is checked before its work is done. */
export function route<Q extends z.ZodObject = typeof placed, B extends z.ZodType = z.ZodUndefined>({
  handle,
  ...definition
}: Definition<Q, B>): RestRoute {
  const { query = placed as unknown as Q, body } = definition;
  return {
    ...definition,
    query,
    async run(call) {
      const asked = parsed(query, present(call.url.searchParams));
      const given = body === undefined ? undefined : parsed(body, await bodyOf(call.request));
      return handle(call, asked, given as z.infer<B>);
    },
  };
}

/** @throws {RestFault} 400, with the fields that are wrong */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue): FieldProblem => ({
    field: issue.path.join("."),
    message: issue.message,
  }));
  throw invalidFields(problems);
}

/** Parameters by name; empty ones are as good as absent. */
function present(parameters: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...parameters].filter(([, value]) => value !== ""));
}

/** The object in a body. Fields that are null are not given. @throws {StatusError} */
async function bodyOf({ headers, body }: Request): Promise<unknown> {
  // Command-line clients say that everything is a form unless told otherwise.
  const given = headers.get("content-type") ?? "";
  const type = given.startsWith("application/x-www-form-urlencoded") ? "application/json" : given;
  const { object } = await decodeBody({ headers: new Headers({ "content-type": type }), body }, { limit: MAX_BODY });
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
