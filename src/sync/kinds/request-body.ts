import type { z } from "zod";
import { badRequest, decodeBody, StatusError } from "../../resources/index.ts";

/** Bytes of a body at the most. */
const MAX_BODY = 65_536;

/** What a request to a subresource says, by a schema; nothing at all is an empty object. @throws {StatusError} */
export async function bodyOf<S extends z.ZodType>(request: Request, schema: S): Promise<z.infer<S>> {
  const body = await readAll(request);
  const given =
    body.byteLength === 0 ? {} : (await decodeBody({ headers: request.headers, body }, { limit: MAX_BODY })).object;
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badRequest(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "invalid"}`);
}

async function readAll({ body }: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    const bytes = chunk as Uint8Array;
    length += bytes.byteLength;
    if (length > MAX_BODY) {
      throw new StatusError("RequestEntityTooLarge", `the request is too large: limit is ${MAX_BODY}`);
    }
    chunks.push(bytes);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
