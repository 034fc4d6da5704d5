import { scrypt, timingSafeEqual } from "node:crypto";
import { err, ok, type Result, toBase64Url } from "../platform/index.ts";
import { looksLikeApiKey, looksLikeJwt } from "./presented-credential.ts";

/** Shortest password, in characters, and longest, in bytes of UTF-8. */
export const PASSWORD_LENGTH = { minimum: 8, maximumBytes: 1024 } as const;

/** What scrypt costs (RFC 7914): memory is 128 · 2^ln · r bytes, work is p times that. */
export interface ScryptCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/**
 * 16 MiB and 172 ms of a workerd isolate, during which it does nothing else: so a password that proved right is
 * remembered, and one is hashed at a time (`createHashing`). It is what the OWASP password storage cheat sheet lists for 16 MiB. PBKDF2-SHA256 with the
 * 600 000 rounds of that list takes 96 ms, but Cloudflare allows 100 000.
 */
const COST: ScryptCost = { ln: 14, r: 8, p: 5 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FINGERPRINT_BYTES = 16;

/** Derives a key from a password. */
export type Derive = (password: string, salt: Uint8Array, cost: ScryptCost, bytes: number) => Promise<Uint8Array>;

/** What hashing works with; all but tests use the defaults. */
export interface PasswordHasherOptions {
  readonly cost?: ScryptCost;
  readonly derive?: Derive;
}

/** Hashes passwords, and compares them with stored hashes: `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, base64 without padding. */
export class PasswordHasher {
  readonly #cost: ScryptCost;
  readonly #derive: Derive;

  constructor({ cost = COST, derive = scryptDerive }: PasswordHasherOptions = {}) {
    this.#cost = cost;
    this.#derive = derive;
  }

  async hash(password: string): Promise<string> {
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    const hash = await this.#derive(password, salt, this.#cost, HASH_BYTES);
    const { ln, r, p } = this.#cost;
    return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
  }

  /** A name for a password, which costs whoever knows `salt` as much to guess as a hash. */
  async fingerprint(password: string, salt: Uint8Array): Promise<string> {
    return toBase64Url(await this.#derive(password, salt, this.#cost, FINGERPRINT_BYTES));
  }

  /**
   * Whether the password is the one that was hashed, and whether the hash is cheaper than it should be by now.
   * @throws {Error} if `stored` is no hash of this class
   */
  async verify(password: string, stored: string): Promise<{ readonly genuine: boolean; readonly outdated: boolean }> {
    const { cost, salt, hash } = parseHash(stored);
    const genuine = timingSafeEqual(await this.#derive(password, salt, cost, hash.byteLength), hash);
    return { genuine, outdated: work(cost) < work(this.#cost) };
  }
}

/** Why a password is not accepted as a new one. */
export type PasswordProblem = "too-short" | "too-long" | "control-characters" | "reserved";

/** Why a password is refused, in words that do not quote it. */
export const PASSWORD_MESSAGES: Readonly<Record<PasswordProblem, string>> = {
  "too-short": "must have at least 8 characters",
  "too-long": "must have at most 1024 bytes of UTF-8",
  "control-characters": "must not have control characters",
  reserved: "must not look like an API key or a token",
};

/**
 * A new password in the form in which it is hashed. One that looks like an API key or a token is refused: it would be
 * taken for one when it is used.
 */
export function newPassword(text: string): Result<string, PasswordProblem> {
  const password = normalizePassword(text);
  if (/\p{Cc}/u.test(password)) return err("control-characters");
  if (Array.from(password).length < PASSWORD_LENGTH.minimum) return err("too-short");
  if (!fitsPassword(password)) return err("too-long");
  return looksLikeApiKey(password) || looksLikeJwt(password) ? err("reserved") : ok(password);
}

/** Different ways to type the same text give the same password. @see RFC 8265, section 4.2.2 */
export function normalizePassword(text: string): string {
  return text.replace(/\p{Zs}/gu, " ").normalize("NFC");
}

/** Whether a text is short enough to be hashed. */
export function fitsPassword(text: string): boolean {
  return (
    text.length <= PASSWORD_LENGTH.maximumBytes &&
    new TextEncoder().encode(text).byteLength <= PASSWORD_LENGTH.maximumBytes
  );
}

const work = ({ ln, r, p }: ScryptCost) => 2 ** ln * r * p;

function parseHash(stored: string) {
  const match = /^\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
    stored,
  );
  const [, ln, r, p, salt, hash] = match ?? [];
  if (salt === undefined || hash === undefined) throw new Error("a stored password hash is not well-formed");
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Uint8Array.fromBase64(salt),
    hash: Uint8Array.fromBase64(hash),
  };
}

function unpadded(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}

const scryptDerive: Derive = (password, salt, { ln, r, p }, bytes) =>
  new Promise((resolve, reject) => {
    const memory = 128 * r * (2 ** ln + p + 1);
    scrypt(password, salt, bytes, { N: 2 ** ln, r, p, maxmem: 2 * memory }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
