import * as z from "zod";
import { StatusError } from "../status-error.ts";

/** Where a list goes on: after this object, as part of the list that began at version `rv`. */
const tokenSchema = z.object({
  v: z.literal(1),
  rv: z.number().int(),
  namespace: z.string(),
  name: z.string(),
  /** Lists of the past go by version, newest first: where they go on is before this one. */
  before: z.number().int().optional(),
  /** How many came in the pages before. */
  listed: z.number().int().optional(),
});

export type ContinueToken = Omit<z.infer<typeof tokenSchema>, "v">;

export function encodeContinue(token: ContinueToken): string {
  return new TextEncoder()
    .encode(JSON.stringify({ v: 1, ...token }))
    .toBase64({ alphabet: "base64url", omitPadding: true });
}

/** @throws {StatusError} BadRequest */
export function decodeContinue(text: string): ContinueToken {
  try {
    const { v: _version, ...token } = tokenSchema.parse(
      JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" }))),
    );
    return token;
  } catch {
    throw new StatusError("BadRequest", "continue key is not valid");
  }
}
