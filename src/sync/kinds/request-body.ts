import type { z } from "zod";
import { readBody } from "../../http/index.ts";
import { badRequest, bodyFault, decodeBody } from "../../resources/index.ts";

/** Bytes of a body at the most. */
const MAX_BODY = 65_536;

/** What a request to a subresource says, by a schema; nothing at all is an empty object. @throws {StatusError} */
export async function bodyOf<S extends z.ZodType>(request: Request, schema: S): Promise<z.infer<S>> {
  const read = await readBody(request, { limit: MAX_BODY });
  if (!read.ok) throw bodyFault(read.error);
  const body = read.value;
  const given =
    body.byteLength === 0 ? {} : (await decodeBody({ headers: request.headers, body }, { limit: MAX_BODY })).object;
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRequest(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "invalid"}`);
}
