import { toBase64Url } from "../../platform/index.ts";
import { ownOrigin, sameOrigin, type Scheme } from "./own-origin.ts";

/** Where a page sends the token that `GET /auth/session` gave it. */
export const CSRF_HEADER = "x-csrf-token";

/** Methods that change nothing. @see RFC 9110, section 9.2.1 */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export interface CsrfPorts {
  /** An HMAC key of this installation, for this use alone. */
  readonly key: () => Promise<CryptoKey>;
  /** `PUBLIC_SCHEME`. */
  readonly publicScheme: Scheme | undefined;
}

/**
 * Tells requests of our own pages from those that another site had a browser send along with its cookie. Two proofs
 * are asked for: what the browser says of the request's origin, and a token that only our origin can read.
 */
export interface Csrf {
  /** What pages of the session have to send with requests that change something. */
  token(sessionId: string): Promise<string>;
  /** Whether another site may have made a request that came with the session's cookie. */
  isForged(request: Request, sessionId: string): Promise<boolean>;
}

export function createCsrf({ key, publicScheme }: CsrfPorts): Csrf {
  return {
    async token(sessionId) {
      return toBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", await key(), message(sessionId))));
    },
    async isForged(request, sessionId) {
      // Other sites may open a WebSocket too. Pages cannot add headers to its GET, but browsers say where it is from.
      if (opensWebSocket(request)) return request.headers.get("origin") !== ownOrigin(request, publicScheme);
      if (SAFE.has(request.method)) return false;
      if (sameOrigin(request, publicScheme) !== true) return true;
      const given = decode(request.headers.get(CSRF_HEADER) ?? "");
      // `verify` compares in constant time.
      const genuine =
        given !== undefined && (await crypto.subtle.verify("HMAC", await key(), given, message(sessionId)));
      return !genuine;
    },
  };
}

/** Whether what the browser sends by itself is not enough for a request: it changes something, or opens a WebSocket. */
export function needsProof(request: Request): boolean {
  return opensWebSocket(request) || !SAFE.has(request.method);
}

function opensWebSocket(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

function message(sessionId: string): Uint8Array {
  return new TextEncoder().encode(`csrf\n${sessionId}`);
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
