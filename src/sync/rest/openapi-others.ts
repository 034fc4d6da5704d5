const error = { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
const refusals = {
  "401": { description: "Without credentials, or with wrong ones.", content: error },
  "403": { description: "Whoever asks may not do it.", content: error },
};
const anyObject = { type: "object", additionalProperties: true };

function parameter(name: string, description: string, schema: object = { type: "string" }) {
  return { name, in: "query", required: false, description, schema };
}

function ok(schema: object, description = "OK") {
  return { description, content: { "application/json": { schema } } };
}

const time = { type: "string", format: "date-time" };
const filters = ["identity", "verb", "group", "resource", "namespace", "name", "reason"];

/** REST endpoints that are not of mirroring, for the one document that there is. */
export const OTHER_OPERATIONS = {
  "/api/v1/health": {
    get: {
      operationId: "getHealth",
      summary: "That the server is there; without credentials",
      tags: ["operations"],
      parameters: [],
      security: [],
      responses: {
        "200": ok({ type: "object", required: ["status"], properties: { status: { type: "string", const: "ok" } } }),
      },
    },
  },
  "/api/v1/usage": {
    get: {
      operationId: "getUsage",
      summary: "How much there is, as counted last",
      tags: ["operations"],
      parameters: [],
      responses: {
        "200": ok({
          type: "object",
          required: ["collectedAt", "numbers"],
          properties: { collectedAt: time, numbers: { type: "object", additionalProperties: { type: "number" } } },
        }),
        ...refusals,
      },
    },
  },
  "/api/v1/audit": {
    get: {
      operationId: "getAudit",
      summary: "What was done, the newest first",
      tags: ["operations"],
      parameters: [
        ...filters.map((name) => parameter(name, `Only events with this ${name}.`)),
        parameter("allowed", "Only what was allowed, or what was not.", { type: "boolean" }),
        parameter("since", "Not earlier.", time),
        parameter("until", "Earlier.", time),
        parameter("limit", "Events of a page.", { type: "integer", minimum: 1, maximum: 1000, default: 100 }),
        parameter("cursor", "Where the page before ended."),
      ],
      responses: {
        "200": ok({
          type: "object",
          required: ["items"],
          properties: { items: { type: "array", items: anyObject }, cursor: { type: "string" } },
        }),
        ...refusals,
      },
    },
  },
  "/api/v1/audit/verify": {
    get: {
      operationId: "getAuditVerify",
      summary: "Whether the chain of hashes holds",
      tags: ["operations"],
      parameters: [parameter("cursor", "`<id>.<hash>` of the last event that was checked.")],
      responses: {
        "200": ok({ type: "object", required: ["intact"], properties: { intact: { type: "boolean" } } }),
        ...refusals,
      },
    },
  },
  "/api/v1/apply": {
    post: {
      operationId: "postApply",
      summary: "Applies several YAML or JSON documents, each as by server-side apply",
      tags: ["operations"],
      parameters: [
        parameter("fieldManager", "Who the fields belong to."),
        parameter("dryRun", "`All` writes nothing."),
      ],
      requestBody: { required: true, content: { "application/yaml": { schema: { type: "string" } } } },
      responses: {
        "200": ok({
          type: "object",
          required: ["results", "failed"],
          properties: { results: { type: "array", items: anyObject }, failed: { type: "integer" } },
        }),
        "207": ok(anyObject, "Some were refused; the others are written."),
        "401": { description: "Without credentials, or with wrong ones. A Status." },
      },
    },
  },
} as const;
