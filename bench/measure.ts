/** One thing to measure; resolves to a number: seconds, or requests per second. */
export type Task = () => Promise<number>;

/** Seconds that `work` takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/**
 * Measures several things in turn (A, B, C, then C, B, A, …), so that what else the machine does meets all of them
 * alike. Answers the median of each; the first round only warms up.
 */
export async function interleave<Name extends string>(
  rounds: number,
  tasks: Readonly<Record<Name, Task>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(tasks) as Name[];
  const results = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await tasks[name]();
      if (round > 0) results.get(name)?.push(result);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(results.get(name) ?? [])])) as Record<Name, number>;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/** The same task for several things, under names that `interleave` takes: `what` with the name of each. */
export function forEach<Each extends { readonly name: string }>(
  all: readonly Each[],
  what: string,
  task: (each: Each) => Task,
): Record<string, Task> {
  return Object.fromEntries(all.map((each) => [`${what} ${each.name}`, task(each)]));
}
