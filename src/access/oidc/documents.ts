import { type Clock, err, Lru, ok, type Outbound, type OutboundFailure, type Result } from "../../platform/index.ts";

/** How documents of issuers are remembered; times in milliseconds. */
export const DOCUMENT_LIMITS = {
  /** Without a `Cache-Control` that says otherwise. */
  freshness: 10 * 60_000,
  shortest: 60_000,
  longest: 24 * 3_600_000,
  /** An old document is used for this long while its server cannot be reached. */
  staleness: 24 * 3_600_000,
  /** Between two fetches that something new in a token asks for. */
  pause: 30_000,
  /** After a failure, before the next try. */
  penalty: 5000,
  timeout: 5000,
  maxBytes: 256 * 1024,
  documents: 128,
  /** Fetches of one document that may be under way: tokens that nobody has verified yet ask for them. */
  concurrent: 4,
  /** How long a fetch counts at most: its request may have been cut off. Twice the timeout, with its one retry, and a little. */
  longestFetch: 12_000,
} as const;

/** Why there is no document. */
export type DocumentFailure = OutboundFailure | { readonly reason: "bad-status" | "bad-document" | "busy" };

interface Remembered<T> {
  readonly value?: T;
  readonly freshUntil: number;
  readonly triedAt: number;
  readonly failure?: DocumentFailure;
}

/** JSON documents by address, fetched when they are needed and remembered. */
export interface Documents<T> {
  /**
   * With `again`, a remembered document is fetched once more, unless that was done less than 30 seconds ago.
   * @param from who named the address, if it was not the configuration
   */
  get(url: URL, again?: boolean, from?: URL): Promise<Result<T, DocumentFailure>>;
}

/**
 * Documents that `parse` makes sense of; it answers `undefined` to one that is none. Requests do not wait for each
 * other's fetches: on Workers a request must not depend on the I/O of another.
 */
export function createDocuments<T>(ports: {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly parse: (json: unknown, url: URL) => T | undefined;
}): Documents<T> {
  const { outbound, clock, parse } = ports;
  const memory = new Lru<Remembered<T>>(DOCUMENT_LIMITS.documents);
  const running = new Map<string, readonly number[]>();

  /** Notes a fetch, unless there are as many already. Answers the function that ends it. */
  function begin(href: string, now: number): (() => void) | undefined {
    const others = (running.get(href) ?? []).filter((since) => now - since < DOCUMENT_LIMITS.longestFetch);
    if (others.length >= DOCUMENT_LIMITS.concurrent) return undefined;
    running.set(href, [...others, now]);
    return () => {
      const left = running.get(href) ?? [];
      const at = left.indexOf(now);
      const rest = left.filter((_, index) => index !== at);
      if (rest.length > 0) running.set(href, rest);
      else running.delete(href);
    };
  }

  return {
    async get(url, again = false, from) {
      const now = clock();
      const known = memory.get(url.href);
      const usable =
        known?.value !== undefined && now < known.freshUntil + DOCUMENT_LIMITS.staleness ? known.value : undefined;
      if (known !== undefined) {
        if (usable !== undefined && !mayFetch(known, now, again)) return ok(usable);
        if (usable === undefined && known.failure !== undefined && now < known.triedAt + DOCUMENT_LIMITS.penalty) {
          return err(known.failure);
        }
        // Others go on with what there is until this fetch is done.
        if (usable !== undefined) memory.set(url.href, { ...known, triedAt: now }, 1);
      }
      const end = begin(url.href, now);
      if (end === undefined) return usable === undefined ? err({ reason: "busy" }) : ok(usable);
      const fetched = await fetchDocument(outbound, url, from, parse).finally(end);
      if (fetched.ok) {
        const { value, lifetime } = fetched.value;
        memory.set(url.href, { value, freshUntil: now + lifetime, triedAt: now }, 1);
        return ok(value);
      }
      if (usable !== undefined) return ok(usable);
      memory.set(url.href, { freshUntil: 0, triedAt: now, failure: fetched.error }, 1);
      return fetched;
    },
  };
}

function mayFetch(known: Remembered<unknown>, now: number, again: boolean): boolean {
  return (again || now >= known.freshUntil) && now >= known.triedAt + DOCUMENT_LIMITS.pause;
}

async function fetchDocument<T>(
  outbound: Outbound,
  url: URL,
  from: URL | undefined,
  parse: (json: unknown, url: URL) => T | undefined,
): Promise<Result<{ readonly value: T; readonly lifetime: number }, DocumentFailure>> {
  const response = await outbound.request({
    url,
    ...(from === undefined ? {} : { from }),
    headers: { accept: "application/json" },
    timeout: DOCUMENT_LIMITS.timeout,
    maxBytes: DOCUMENT_LIMITS.maxBytes,
    retry: "once",
    // What came by TLS is not to be had from someone on the way.
    within: (target) => target.protocol === url.protocol || target.protocol === "https:",
  });
  if (!response.ok) return response;
  if (response.value.status !== 200) {
    await response.value.body?.cancel();
    return err({ reason: "bad-status" });
  }
  let json: unknown;
  try {
    json = await response.value.json();
  } catch {
    return err({ reason: "bad-document" });
  }
  const value = parse(json, url);
  if (value === undefined) return err({ reason: "bad-document" });
  return ok({ value, lifetime: lifetimeOf(response.value.headers.get("cache-control")) });
}

/** How long a document may be remembered, in milliseconds. @see RFC 9111, section 5.2.2 */
export function lifetimeOf(cacheControl: string | null): number {
  if (cacheControl === null) return DOCUMENT_LIMITS.freshness;
  if (/(?:^|[\s,])no-(?:store|cache)\b/i.test(cacheControl)) return DOCUMENT_LIMITS.shortest;
  const seconds = /(?:^|[\s,])max-age="?([0-9]{1,10})/i.exec(cacheControl)?.[1];
  if (seconds === undefined) return DOCUMENT_LIMITS.freshness;
  return Math.min(Math.max(Number(seconds) * 1000, DOCUMENT_LIMITS.shortest), DOCUMENT_LIMITS.longest);
}
