/** A user name and a password, as a client sent them. */
export interface BasicCredential {
  readonly username: string;
  readonly password: string;
}

/** The credential in an `Authorization` header of scheme Basic (RFC 7617), or `undefined` if there is none. */
export function parseBasic(header: string | null): BasicCredential | undefined {
  if (header === null || header.slice(0, 6).toLowerCase() !== "basic ") return undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.fromBase64(header.slice(6).trim()),
    );
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
