import { setTimeout as sleep } from "node:timers/promises";

/** How often an isolate is asked what it has, in milliseconds. */
const POLL_MS = 10;

/** @see Chrome DevTools Protocol, Runtime.getHeapUsage: bytes */
interface HeapUsage {
  readonly usedSize: number;
  /** Memory of ArrayBuffers. */
  readonly backingStorageSize: number;
}

/**
 * The most memory that one isolate had while `work` was done, in MiB: its heap and the memory of its ArrayBuffers, garbage
 * included. Others of the same process, as those of the simulated bucket, are not counted.
 * @param inspector port of DevTools
 * @param worker a word of the target's name
 */
export async function peakDuring(inspector: number, worker: string, work: () => Promise<unknown>): Promise<number> {
  const isolate = await connect(inspector, worker);
  try {
    let peak = await isolate.memory();
    const done = new AbortController();
    const working = work().finally(() => done.abort());
    while (!done.signal.aborted) {
      peak = Math.max(peak, await isolate.memory());
      await sleep(POLL_MS);
    }
    await working;
    return peak;
  } finally {
    isolate.close();
  }
}

async function connect(inspector: number, worker: string) {
  const targets = (await (await fetch(`http://127.0.0.1:${inspector}/json`)).json()) as readonly {
    readonly id: string;
    readonly webSocketDebuggerUrl: string;
  }[];
  const target = targets.find(({ id }) => id === worker || id.endsWith(`:${worker}`));
  if (target === undefined) throw new Error(`no isolate of ${worker}: ${targets.map(({ id }) => id).join(", ")}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl.replace("localhost", "127.0.0.1"));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const waiting = new Map<number, (usage: HeapUsage) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result: HeapUsage };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  let calls = 0;
  return {
    /** In MiB. */
    async memory(): Promise<number> {
      const id = (calls += 1);
      const answer = new Promise<HeapUsage>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
      const { usedSize, backingStorageSize } = await answer;
      waiting.delete(id);
      return (usedSize + backingStorageSize) / 1024 ** 2;
    },
    close: () => socket.close(),
  };
}
