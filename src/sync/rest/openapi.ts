import * as z from "zod";
import { OTHER_OPERATIONS } from "./openapi-others.ts";
import type { RestRoute } from "./route.ts";

type Json = Readonly<Record<string, unknown>>;

/** How a body and an answer that are not JSON are described. */
const TEXT = { schema: { type: "string" } };

const FAILURES: Readonly<Record<number, string>> = {
  400: "The request is not valid; `details` lists the fields.",
  401: "Without credentials, or with wrong ones.",
  403: "Whoever asks may not do it.",
  429: "Too many wrong credentials.",
};

/**
 * The OpenAPI document of the REST endpoints, made from the table that they are served from.
 * @see OpenAPI Specification 3.1.0
 */
export function openApiDocument(routes: readonly RestRoute[]): Json {
  const paths: Record<string, Record<string, Json>> = structuredClone(OTHER_OPERATIONS) as Record<
    string,
    Record<string, Json>
  >;
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, path);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Entrepot REST API",
      version: "v1",
      description:
        "Registries, tasks, their runs and channels as numbered resources. All of them are objects of the resource API too (`/apis/sync.entrepot.dev/v1`), which can do more.",
    },
    security: [{ basic: [] }, { bearer: [] }],
    paths,
    components: {
      securitySchemes: { basic: { type: "http", scheme: "basic" }, bearer: { type: "http", scheme: "bearer" } },
      schemas: { Error: ERROR },
    },
  };
}

const ERROR = {
  type: "object",
  required: ["error"],
  properties: {
    error: { type: "string" },
    details: { description: "A text, or a list of `{field, message}`." },
  },
};

function operation(route: RestRoute, path: string): Json {
  const { method, summary, tag, query, body, takes, status, answer, failures = {}, of } = route;
  const errors = { ...FAILURES, ...(of === undefined ? {} : { 404: `There is no such ${of}.` }), ...failures };
  return {
    operationId: operationId(method, path),
    summary,
    tags: [tag],
    parameters: [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query))],
    ...(body === undefined && takes === undefined ? {} : { requestBody: requestBody(body, takes) }),
    responses: {
      [status]: success(status, answer),
      ...Object.fromEntries(Object.entries(errors).map(([code, description]) => [code, failure(description)])),
    },
  };
}

function operationId(method: string, path: string): string {
  const words = path
    .replace("/api/v1/", "")
    .split(/[^A-Za-z]+/)
    .filter((word) => word !== "");
  return [method.toLowerCase(), ...words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)].join("");
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "id" ? { type: "integer", minimum: 1 } : { type: "string" },
  }));
}

function queryParameters(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = jsonSchema(query, "input");
  return Object.entries(properties as Record<string, Json>).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: (required as readonly string[]).includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function requestBody(body: z.ZodType | undefined, takes: readonly string[] = ["application/json"]): Json {
  const content = body === undefined ? TEXT : { schema: jsonSchema(body, "input") };
  return { required: true, content: Object.fromEntries(takes.map((type) => [type, content])) };
}

function success(status: number, answer: z.ZodType | string): Json {
  if (status === 101) return { description: "The connection is a WebSocket." };
  if (typeof answer === "string") return { description: "OK", content: { [answer]: TEXT } };
  return { description: "OK", content: { "application/json": { schema: jsonSchema(answer, "output") } } };
}

function failure(description: string): Json {
  return { description, content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...described } = z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline" });
  return described;
}
