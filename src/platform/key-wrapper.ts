import * as z from "zod";

/** A key as it is kept: under which of the keys of `SECRETS_KEY`, and encrypted. */
export const wrappedKeySchema = z.object({ masterKey: z.string(), wrapped: z.string() });
export type WrappedKey = z.infer<typeof wrappedKeySchema>;

/** Encrypts keys for the database, under a key that is not in it (`SECRETS_KEY`). */
export interface KeyWrapper {
  /** @param additionalData what it is for; it opens with the same only (AES-GCM) */
  wrap(key: Uint8Array, additionalData: string): Promise<WrappedKey>;
  /** The key, or `undefined` if it does not open. */
  unwrap(wrapped: WrappedKey, additionalData: string): Promise<Uint8Array | undefined>;
}
