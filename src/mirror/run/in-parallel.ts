/**
 * Works on entries as they come, at most `limit` at once, and yields what becomes of them in the order in which they
 * are done. What the work throws ends it all.
 */
export async function* inParallel<In, Out>(
  entries: AsyncIterable<In> | Iterable<In>,
  limit: number,
  work: (entry: In) => Promise<Out>,
): AsyncIterable<Out> {
  const running = new Set<Promise<Out>>();
  const start = (entry: In): void => {
    const promise = work(entry);
    // The race below sees a failure; of several, only the first.
    promise.catch(() => undefined);
    running.add(promise);
  };
  const next = async (): Promise<Out> => {
    const ended = await Promise.race([...running].map(async (promise) => ({ promise, result: await promise })));
    running.delete(ended.promise);
    return ended.result;
  };
  try {
    for await (const entry of entries) {
      start(entry);
      if (running.size >= limit) yield await next();
    }
    while (running.size > 0) yield await next();
  } finally {
    await Promise.allSettled(running);
  }
}
