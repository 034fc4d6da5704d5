/** How often a write that others keep overtaking is tried, once it has its turn. */
const ATTEMPTS = 20;

/** The longest pause before the second of those, and before any, in milliseconds. */
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1000;

/** How long a write waits for its turn, in milliseconds; the one before it may have ended without a word. */
const PATIENCE_MS = 30_000;

/** By object: ends with the latest write that has, or waits for, its turn in this isolate. */
const turns = new Map<string, Promise<void>>();

/**
 * Writes until it fits. A write that another one overtook takes turns with the others of this isolate that want the same
 * object: without, each of a hundred would be tried a hundred times. Writes of other isolates are met with pauses.
 * @param write one try; resolves to `undefined` if another write came first
 * @returns `undefined` if it has never fit
 */
export async function untilWritten<T>(object: string, write: () => Promise<T | undefined>): Promise<T | undefined> {
  const first = await write();
  if (first !== undefined) return first;
  const before = turns.get(object);
  const turn = Promise.withResolvers<void>();
  turns.set(object, turn.promise);
  try {
    if (before !== undefined) await withPatience(before);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await pauseBefore(attempt);
      const written = await write();
      if (written !== undefined) return written;
    }
    return undefined;
  } finally {
    if (turns.get(object) === turn.promise) turns.delete(object);
    turn.resolve();
  }
}

async function withPatience(before: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([before, late]);
  clearTimeout(timer);
}

/** Longer each time, and never as long as in other isolates: they would meet again and again. */
async function pauseBefore(attempt: number): Promise<void> {
  if (attempt === 0) return;
  const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}
