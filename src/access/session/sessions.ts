import { type Clock, toBase64Url, toHex, uuidv7 } from "../../platform/index.ts";
import type { Session, SessionStore } from "./session-store.ts";

/** What a browser gets: the secret is in its cookie only, the store has its hash. */
export interface StartedSession extends Session {
  readonly secret: string;
}

export interface SessionPorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  /** How long a session lasts, in milliseconds. */
  readonly lifetime: number;
}

/** Who signed in, and by what: see `Session`. */
export type SignIn = Pick<Session, "identity" | "credential"> & { readonly issuer?: string };

/** 32 random bytes in base64url. */
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Sign-ins in browsers. */
export class Sessions {
  readonly #ports: SessionPorts;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  /** Starts a session under a secret of its own: one that the browser had before is never taken over. */
  async start({ identity, issuer, credential }: SignIn): Promise<StartedSession> {
    const { store, clock, lifetime } = this.#ports;
    const now = clock();
    const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
    const session = { id: uuidv7(now), identity, issuer, credential, expiresAt: now + lifetime };
    await store.insert(session, await hashOf(secret), now);
    return { ...session, secret };
  }

  /** The session of a secret, if there is one that has not ended. */
  async find(secret: string): Promise<Session | undefined> {
    if (!SECRET.test(secret)) return undefined;
    return this.#ports.store.find(await hashOf(secret), this.#ports.clock());
  }

  /** Ends a session; it may have ended already. */
  async end(id: string): Promise<void> {
    await this.#ports.store.delete(id);
  }
}

async function hashOf(secret: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret))));
}
