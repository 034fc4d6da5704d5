/** At most so many are remembered; the oldest are forgotten first, which costs a mount and nothing else. */
const MAX_REMEMBERED = 10_000;

/** Work that the copies of one run do not do at the same time, or only once. */
export type SharedWork =
  | { readonly work: "copy" | "read-platform"; readonly digest: string }
  | { readonly work: "prepare"; readonly origin: string; readonly repository: string }
  | { readonly work: "add-referrer"; readonly origin: string; readonly repository: string; readonly tag: string };

/** What the copies of one run know of each other: which blobs were put where, and what somebody is at. */
export interface PlacedBlobs {
  /** A repository of the registry at `origin` that has the blob. */
  where(origin: string, digest: string): string | undefined;
  add(origin: string, digest: string, repository: string): void;
  /** Runs `work` when nobody else is at the same, so that who comes second finds it done. */
  exclusively<T>(key: SharedWork, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** What `work` for a key came to, which is done once. A key stands for one type of result, which is to be small. */
  once<T>(key: SharedWork, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/** Keeps that in memory. */
export function createPlacedBlobs(): PlacedBlobs {
  const places = new Map<string, string>();
  const busy = new Map<string, Promise<unknown>>();
  const done = new Map<string, unknown>();
  const inTurn = async <T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    for (let other = busy.get(key); other !== undefined; other = busy.get(key)) await other;
    signal.throwIfAborted();
    const running = work();
    const ended = running.then(
      () => busy.delete(key),
      () => busy.delete(key),
    );
    busy.set(key, ended);
    return await running;
  };
  return {
    where: (origin, digest) => places.get(`${origin} ${digest}`),
    add: (origin, digest, repository) => {
      if (places.size >= MAX_REMEMBERED) {
        const [oldest] = places.keys();
        if (oldest !== undefined) places.delete(oldest);
      }
      places.set(`${origin} ${digest}`, repository);
    },
    exclusively: (shared, signal, work) => inTurn(textOf(shared), signal, work),
    once: <T>(shared: SharedWork, signal: AbortSignal, work: () => Promise<T>) => {
      const key = textOf(shared);
      return inTurn(`once ${key}`, signal, async () => {
        if (done.has(key)) return done.get(key) as T;
        const result = await work();
        if (done.size >= MAX_REMEMBERED) done.clear();
        done.set(key, result);
        return result;
      });
    },
  };
}

function textOf(shared: SharedWork): string {
  return JSON.stringify(Object.entries(shared).sort(([a], [b]) => (a < b ? -1 : 1)));
}
