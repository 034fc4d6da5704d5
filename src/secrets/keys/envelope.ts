/** Bytes of a nonce. @see NIST SP 800-38D section 8.2.2 */
const NONCE_BYTES = 12;

/** Bytes of every key: AES-256. */
export const KEY_BYTES = 32;

/** A key for `seal` and `open`; it cannot be taken out again. */
export async function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/**
 * Encrypts with AES-256-GCM. The result is base64 of nonce, ciphertext and tag.
 * @param additionalData what it is sealed for; it opens with the same only, so that a row cannot be put in another's place
 */
export async function seal(key: CryptoKey, plain: Uint8Array, additionalData: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: bytesOf(additionalData) },
    key,
    plain,
  );
  const whole = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  whole.set(iv);
  whole.set(new Uint8Array(sealed), NONCE_BYTES);
  return whole.toBase64();
}

/** What was sealed, or `undefined` if it was with another key, with other additional data, or changed since. */
export async function open(key: CryptoKey, sealed: string, additionalData: string): Promise<Uint8Array | undefined> {
  try {
    const whole = Uint8Array.fromBase64(sealed);
    const iv = whole.subarray(0, NONCE_BYTES);
    const algorithm = { name: "AES-GCM", iv, additionalData: bytesOf(additionalData) };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, whole.subarray(NONCE_BYTES)));
  } catch {
    return undefined;
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
