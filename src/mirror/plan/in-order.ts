/**
 * Works on entries as they come, at most `limit` at once, and yields what becomes of them in their own order, each as
 * soon as those before it are done. What the work throws ends it all, after what came before was yielded.
 */
export async function* inOrder<In, Out>(
  entries: AsyncIterable<In>,
  limit: number,
  work: (entry: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const iterator = entries[Symbol.asyncIterator]();
  const running: Promise<Out>[] = [];
  let next: Promise<IteratorResult<In>> | undefined;
  let isAtEnd = false;
  try {
    for (;;) {
      if (!isAtEnd && running.length < Math.max(1, limit)) next ??= quiet(iterator.next());
      const [first] = running;
      // Whichever comes first: the list may take long to give its next entry, and the first of those that are worked on.
      const events: Promise<"done" | IteratorResult<In>>[] = [];
      if (first !== undefined) events.push(first.then(() => "done"));
      // An error of the list waits for the entries before it.
      if (next !== undefined) events.push(first === undefined ? next : next.catch(() => first.then(() => "done")));
      if (events.length === 0) return;
      const event = await Promise.race(events);
      if (event === "done") {
        if (first !== undefined) yield await first;
        void running.shift();
        continue;
      }
      next = undefined;
      if (event.done === true) isAtEnd = true;
      else running.push(quiet(work(event.value)));
    }
  } finally {
    await Promise.allSettled([...running, next]);
    await iterator.return?.();
  }
}

/** A promise whose failure is seen later, by whoever awaits it. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
