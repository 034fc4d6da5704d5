import { createHash } from "node:crypto";
import { type Clock, err, Lru, ok, type Result } from "../platform/index.ts";
import { addressBlock } from "./address-block.ts";
import type { AttemptGuard, AttemptSubject } from "./attempt-guard.ts";
import type { Authenticator, Reading } from "./authenticator.ts";
import type { BasicCredential } from "./basic.ts";
import type { Hashing } from "./hashing.ts";
import type { Htpasswd } from "./htpasswd.ts";
import { type AuthenticationFailure, GROUPS, type Principal } from "./identity.ts";
import { fitsPassword, normalizePassword, type PasswordHasher } from "./password-hash.ts";
import type { PasswordIds } from "./password-ids.ts";
import type { PasswordStore, StoredPassword } from "./password-store.ts";
import { looksLikeApiKey, looksLikeJwt } from "./presented-credential.ts";
import { equalSecrets } from "./secrets.ts";
import { BOOTSTRAP_ADMIN } from "./settings-accounts.ts";
import { AdmissionQueue } from "./admission-queue.ts";

/** Longest user name, in characters: that of an object. */
const MAX_NAME = 253;

/** How long and how often to wait while too many others are being tried elsewhere, in milliseconds. */
const GUARD_TURN = { pause: 200, tries: 50 } as const;

/** Passwords that an isolate looks at, in all and from one address; those of one name from there come one after the other. */
const ADMISSION = { total: 256, perGroup: 64, patience: 10_000, lease: 30_000, rest: 0 } as const;

/** How many passwords are remembered as right, and for how long after they were used last, in milliseconds. */
const CAPACITY = 2000;
const REMEMBER_MS = 3_600_000;

/**
 * When a wrong password is refused, in milliseconds from when it is looked at: a hash of this platform is done by then,
 * and one of bcrypt after as many for a cost of 10, twice as many for each step.
 */
const REFUSE_AFTER = { scrypt: 600, bcrypt: 150, longest: 5000 } as const;

/** Where hashes take longer, all wait as much as the slowest of late and a little, which fades with each that is quicker. */
const SLOWEST = { margin: 1.2, fading: 0.9 } as const;

/** After how many seconds to come again where too many passwords are waiting. */
const BUSY_SECONDS = 2;

/** What checking passwords works with. */
export interface PasswordPorts {
  readonly adminPassword: string | undefined;
  readonly htpasswd: Htpasswd | undefined;
  readonly passwords: Pick<PasswordStore, "get" | "rehash">;
  readonly hasher: PasswordHasher;
  readonly hashing: Hashing;
  readonly ids: Pick<PasswordIds, "admin" | "listed" | "stored">;
  readonly guard: AttemptGuard;
  /** The client's address, if it is known. */
  readonly address: (request: Request) => string | undefined;
  readonly clock: Clock;
  /** Waits, in milliseconds. */
  readonly sleep: (duration: number) => Promise<void>;
}

type Proof = Result<Principal, AuthenticationFailure>;

/** A name and password, and what the password may be compared with. */
interface Attempt {
  readonly name: string;
  readonly text: string;
  /** `text` as passwords are hashed. */
  readonly password: string;
  readonly stored: StoredPassword | undefined;
  readonly subject: AttemptSubject;
  /** What it proved when it was right before. */
  readonly remembered: () => Principal | undefined;
  readonly remember: (principal: Principal) => void;
}

/**
 * Users and passwords: `ADMIN_PASSWORD`, `HTPASSWD`, and the passwords of users. API keys and tokens in the place of a
 * password are left to others. A name without a password costs no hash; it is refused no sooner than a wrong password,
 * so that the time does not tell whether there is such a user.
 */
export function passwordAuthenticator(ports: PasswordPorts): Authenticator & {
  /** The same for a name and password that came otherwise, such as by a form. */
  check(credential: BasicCredential, request: Request, reading?: Reading): Promise<Proof>;
} {
  const { adminPassword, htpasswd, passwords, hasher, hashing, ids, guard, address, clock, sleep } = ports;
  // Outlives a generation: whatever a password is compared with is part of the key. So is the address, which has nobody
  // elsewhere try passwords without being counted while the owner uses theirs.
  const right = new Lru<{ readonly principal: Principal; readonly until: number }>(CAPACITY);
  const queue = new AdmissionQueue(ADMISSION, { clock, sleep });
  const usual = Math.max(REFUSE_AFTER.scrypt, REFUSE_AFTER.bcrypt * 2 ** ((htpasswd?.rounds ?? 0) - 10));

  let slowest = 0;

  async function check(
    { username, password: text }: BasicCredential,
    request: Request,
    reading?: Reading,
  ): Promise<Proof> {
    if (username === "" || username.length > MAX_NAME) return wrong("not a user name");
    const password = normalizePassword(text);
    if (!fitsPassword(password) || !fitsPassword(text)) return wrong("a password that is too long");
    reading?.();
    const attempt = await attemptOf(username, text, password, address(request));
    const known = attempt.remembered();
    if (known !== undefined) return ok(known);
    const from = attempt.subject.address;
    const group = from === undefined ? undefined : addressBlock(from);
    // Of several requests that came at once the first may find out for all.
    const isDone = () => attempt.remembered() !== undefined;
    const release = await queue.acquire({ key: JSON.stringify([group, username]), group, isDone });
    try {
      const proved = attempt.remembered();
      if (proved !== undefined) return ok(proved);
      return release === undefined ? busy() : await patiently(attempt);
    } finally {
      release?.();
    }
  }

  async function attemptOf(name: string, text: string, password: string, from: string | undefined): Promise<Attempt> {
    const stored = await passwords.get(name);
    const entry = htpasswd?.entry(name);
    const isAdmin = adminPassword !== undefined && name === BOOTSTRAP_ADMIN;
    const isAccount = isAdmin || entry !== undefined || stored !== undefined;
    const block = from === undefined ? undefined : addressBlock(from);
    const key = createHash("sha256")
      .update(JSON.stringify([block, name, text, stored?.hash, stored?.changedAt, entry]))
      .digest("base64");
    const remember = (principal: Principal) => right.set(key, { principal, until: clock() + REMEMBER_MS }, 1);
    return {
      name,
      text,
      password,
      stored,
      subject: { name, isAccount, ...(from !== undefined && { address: from }) },
      remember,
      remembered() {
        const known = right.get(key);
        if (known === undefined || known.until <= clock()) return undefined;
        remember(known.principal);
        return known.principal;
      },
    };
  }

  /** Whatever is wrong is said at the same time. */
  async function patiently(attempt: Attempt): Promise<Proof> {
    const since = clock();
    const proof = await tried(attempt);
    const took = clock() - since;
    if (attempt.subject.isAccount) slowest = Math.min(REFUSE_AFTER.longest, Math.max(took, SLOWEST.fading * slowest));
    if (!proof.ok) await sleep(Math.max(usual, SLOWEST.margin * slowest) - took);
    return proof;
  }

  async function tried(attempt: Attempt): Promise<Proof> {
    const { subject } = attempt;
    let admission = await guard.check(subject);
    for (let tries = 1; !admission.admitted; tries += 1) {
      const { retryAfterSeconds } = admission;
      if (retryAfterSeconds > 0) return err({ reason: "locked-out", retryAfterSeconds });
      if (tries === GUARD_TURN.tries) return busy();
      await sleep(GUARD_TURN.pause);
      admission = await guard.check(subject);
    }
    const compared = subject.isAccount ? await hashing(() => compare(attempt)) : ok(undefined);
    if (compared.ok && compared.value !== undefined) {
      attempt.remember(compared.value);
      await guard.succeeded(subject);
      return ok(compared.value);
    }
    if (!compared.ok) {
      await guard.dropped(subject);
      return busy();
    }
    await guard.failed(subject);
    const { lockedFor } = admission;
    if (lockedFor !== undefined) return err({ reason: "locked-out", retryAfterSeconds: lockedFor });
    return wrong("a wrong user name or password");
  }

  async function compare({ name, text, password, stored }: Attempt): Promise<Principal | undefined> {
    const credential = (id: string | undefined) => ({ type: "password", ...(id !== undefined && { id }) }) as const;
    // Its password is the last resort of whoever runs the server: no object of that name can take it away.
    if (adminPassword !== undefined && name === BOOTSTRAP_ADMIN) {
      if (await equalSecrets(password, normalizePassword(adminPassword)))
        return { name, groups: [GROUPS.masters], credential: credential(await ids.admin()), vouched: true };
    }
    if (htpasswd !== undefined && (await htpasswd.verify(name, text)))
      return { name, groups: [], credential: credential(ids.listed(name)) };
    if (stored === undefined) return undefined;
    const { genuine, outdated } = await hasher.verify(password, stored.hash);
    if (!genuine) return undefined;
    if (outdated) await passwords.rehash(name, stored.hash, await hasher.hash(password));
    return { name, groups: [], credential: credential(ids.stored(stored)) };
  }

  return {
    name: "password",
    announces: true,
    check,
    async authenticate(credential, request, reading) {
      if (credential.scheme !== "basic") return undefined;
      const { password } = credential.basic;
      if (looksLikeApiKey(password) || looksLikeJwt(password)) return undefined;
      return check(credential.basic, request, reading);
    },
  };
}

function wrong(detail: string): Proof {
  return err({ reason: "unauthenticated", detail });
}

function busy(): Proof {
  return err({ reason: "busy", retryAfterSeconds: BUSY_SECONDS });
}
