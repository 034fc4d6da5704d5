import * as z from "zod";

/** A key as it is kept: under which of the keys of `SECRETS_KEY`, and encrypted. */
export const wrappedKeySchema = z.object({ masterKey: z.string(), wrapped: z.string() });
export type WrappedKey = z.infer<typeof wrappedKeySchema>;

/** Encrypts keys for the database, under a key that is not in it (`SECRETS_KEY`). */
export interface KeyWrapper {
  /** @param place what it is for; it opens only there */
  wrap(key: Uint8Array, place: string): Promise<WrappedKey>;
  /** The key, or `undefined` if it does not open. */
  unwrap(wrapped: WrappedKey, place: string): Promise<Uint8Array | undefined>;
}
