import { type Clock, err, type Log, Lru, ok } from "../platform/index.ts";
import { hashApiKey, parseApiKey } from "./api-key.ts";
import type { Authenticator, PresentedCredential } from "./authenticator.ts";
import type { AuthenticationFailure, Principal } from "./identity.ts";
import { keyState, type KeyStore } from "./key-store.ts";
import { looksLikeApiKey } from "./presented-credential.ts";
import { equalSecrets } from "./secrets.ts";

/** How often the use of a key is noted, in milliseconds. */
const TOUCH_INTERVAL = 60_000;
/** Keys whose last use is remembered. */
const TOUCHED_KEYS = 10_000;
/** Compared with what a client sent if there is no such key, so that it takes as long. */
const NO_HASH = "0".repeat(64);

/** What keys are checked with. */
export interface KeyAuthenticatorPorts {
  readonly keys: Pick<KeyStore, "find" | "touch">;
  readonly clock: Clock;
  readonly log: Log;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/**
 * API keys: as the password of Basic, with whatever user name, or as a Bearer token. A text that begins as keys do is a
 * key or wrong; no other authenticator gets to see it. Whether the account is still there is for the gate to ask.
 */
export function keyAuthenticator(ports: KeyAuthenticatorPorts): Authenticator {
  const { keys, clock, log, background } = ports;
  const touched = new Lru<number>(TOUCHED_KEYS);

  function touch(id: string, now: number): void {
    const last = touched.get(id);
    if (last !== undefined && now - last < TOUCH_INTERVAL) return;
    touched.set(id, now, 1);
    background(keys.touch(id, now).catch((error: unknown) => log.warn("access.key-touch-failed", { id, error })));
  }

  return {
    name: "api-key",
    announces: true,
    async authenticate(credential, _request, reading) {
      const text = keyTextOf(credential);
      if (text === undefined) return undefined;
      const parsed = parseApiKey(text);
      if (parsed === undefined) return refused("api-key.malformed");
      reading?.();
      const [key, hash] = await Promise.all([keys.find(parsed.id), hashApiKey(parsed.text)]);
      const isGenuine = await equalSecrets(hash, key?.hash ?? NO_HASH);
      if (key === undefined) return refused("api-key.unknown");
      if (!isGenuine) return refused("api-key.wrong-secret");
      const now = clock();
      const state = keyState(key, now);
      if (state !== "active") return refused(`api-key.${state}`);
      touch(key.id, now);
      const principal: Principal = {
        name: key.identity,
        groups: [],
        credential: { type: "api-key", id: key.id, name: key.name },
        ...(key.expiresAt === null ? {} : { expiresAt: key.expiresAt }),
        ...(key.issuer === null ? {} : { issuer: key.issuer }),
      };
      return ok(principal);
    },
  };
}

function keyTextOf(credential: PresentedCredential): string | undefined {
  const text =
    credential.scheme === "basic"
      ? credential.basic.password
      : credential.scheme === "bearer"
        ? credential.token
        : undefined;
  return text !== undefined && looksLikeApiKey(text) ? text : undefined;
}

function refused(detail: string) {
  return err<AuthenticationFailure>({ reason: "unauthenticated", detail });
}
