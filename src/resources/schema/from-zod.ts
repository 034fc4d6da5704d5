import * as z from "zod";
import type { SchemaNode } from "../kinds/kind.ts";
import { cleanNode } from "./json-schema-node.ts";

/**
 * The structural schema of what a zod schema takes in. What JSON Schema cannot say (refinements, transforms) is not in
 * it: `serveKind` has zod itself check that.
 */
export function nodeFromZod(schema: z.ZodType): SchemaNode {
  const json: unknown = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    unrepresentable: "any",
    reused: "inline",
    cycles: "ref",
  });
  return cleanNode(json);
}
