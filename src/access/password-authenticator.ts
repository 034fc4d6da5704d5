import { createHash } from "node:crypto";
import { type Clock, err, Lru, ok, type Result } from "../platform/index.ts";
import type { AttemptGuard } from "./attempt-guard.ts";
import type { Authenticator } from "./authenticator.ts";
import type { BasicCredential } from "./basic.ts";
import type { Htpasswd } from "./htpasswd.ts";
import { type AuthenticationFailure, GROUPS, type Principal } from "./identity.ts";
import { fitsPassword, normalizePassword, type PasswordHasher } from "./password-hash.ts";
import type { PasswordIds } from "./password-ids.ts";
import type { PasswordStore, StoredPassword } from "./password-store.ts";
import { looksLikeApiKey, looksLikeJwt } from "./presented-credential.ts";
import { equalSecrets } from "./secrets.ts";
import { BOOTSTRAP_ADMIN } from "./settings-accounts.ts";
import { REMEMBER_MS } from "./verified-cache.ts";

/** Longest user name, in characters: that of an object. */
const MAX_NAME = 253;

/** How long and how often to wait while too many others are being tried, in milliseconds. */
const TURN = { pause: 200, tries: 50 } as const;

/** How many passwords are remembered as right. */
const CAPACITY = 2000;

/** What checking passwords works with. */
export interface PasswordPorts {
  readonly adminPassword: string | undefined;
  readonly htpasswd: Htpasswd | undefined;
  readonly passwords: Pick<PasswordStore, "get" | "rehash">;
  readonly hasher: PasswordHasher;
  readonly ids: Pick<PasswordIds, "admin" | "listed" | "stored">;
  readonly guard: AttemptGuard;
  /** The client's address, if it is known. */
  readonly address: (request: Request) => string | undefined;
  readonly clock: Clock;
  /** Waits, in milliseconds. */
  readonly sleep?: (duration: number) => Promise<void>;
}

type Proof = Result<Principal, AuthenticationFailure>;

/**
 * Users and passwords: `ADMIN_PASSWORD`, `HTPASSWD`, and the passwords of users. API keys and tokens in the place of a
 * password are left to others. Whatever is wrong, the same hashes are computed, so that the time does not tell whether
 * there is such a user.
 */
export function passwordAuthenticator(ports: PasswordPorts): Authenticator & {
  /** The same for a name and password that came otherwise, such as by a form. */
  check(credential: BasicCredential, request: Request): Promise<Proof>;
} {
  const { adminPassword, htpasswd, passwords, hasher, ids, guard, address, clock, sleep = pause } = ports;
  // Outlives a generation: whatever a password is compared with is part of the key.
  const right = new Lru<{ readonly principal: Principal; readonly until: number }>(CAPACITY);

  async function check({ username, password: text }: BasicCredential, request: Request): Promise<Proof> {
    if (username === "" || username.length > MAX_NAME) return wrong("not a user name");
    const password = normalizePassword(text);
    if (!fitsPassword(password) || !fitsPassword(text)) return wrong("a password that is too long");
    const stored = await passwords.get(username);
    const key = createHash("sha256")
      .update(JSON.stringify([username, text, stored?.hash, stored?.changedAt, htpasswd?.entry(username)]))
      .digest("base64");
    const remembered = () => {
      const known = right.get(key);
      return known !== undefined && known.until > clock() ? ok(known.principal) : undefined;
    };
    const from = address(request);
    const subject = { account: username, ...(from !== undefined && { address: from }) };
    for (let tries = 1; ; tries += 1) {
      // Of several requests that came at once the first may have hashed it by now.
      const known = remembered();
      if (known !== undefined) return known;
      const wait = await guard.check(subject);
      if (wait === undefined) break;
      if (wait > 0 || tries === TURN.tries) return err({ reason: "locked-out", retryAfterSeconds: Math.max(1, wait) });
      await sleep(TURN.pause);
    }
    const principal = remembered()?.value ?? (await compare(username, text, password, stored));
    if (principal === undefined) {
      await guard.failed(subject);
      return wrong("a wrong user name or password");
    }
    right.set(key, { principal, until: clock() + REMEMBER_MS }, 1);
    await guard.succeeded(subject);
    return ok(principal);
  }

  async function compare(
    name: string,
    text: string,
    password: string,
    stored: StoredPassword | undefined,
  ): Promise<Principal | undefined> {
    const credential = (id: string | undefined) => ({ type: "password", ...(id !== undefined && { id }) }) as const;
    if (adminPassword !== undefined) {
      const same = await equalSecrets(password, normalizePassword(adminPassword));
      // Its password is the last resort of whoever runs the server: no object of that name can take it away.
      if (same && name === BOOTSTRAP_ADMIN)
        return { name, groups: [GROUPS.masters], credential: credential(await ids.admin()), vouched: true };
    }
    if (htpasswd !== undefined && (await htpasswd.verify(name, text)))
      return { name, groups: [], credential: credential(ids.listed(name)) };
    const { genuine, outdated } = await hasher.verify(password, stored?.hash);
    if (!genuine || stored === undefined) return undefined;
    if (outdated) await passwords.rehash(name, stored.hash, await hasher.hash(password));
    return { name, groups: [], credential: credential(ids.stored(stored)) };
  }

  return {
    name: "password",
    check,
    async authenticate(credential, request) {
      if (credential.scheme !== "basic") return undefined;
      const { password } = credential.basic;
      if (looksLikeApiKey(password) || looksLikeJwt(password)) return undefined;
      return check(credential.basic, request);
    },
  };
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

function wrong(detail: string): Proof {
  return err({ reason: "unauthenticated", detail });
}
