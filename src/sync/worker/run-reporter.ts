import type { Progress, ProgressEvent } from "../../mirror/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { ExecutionCounts, LogLevel, LogLine } from "../store/index.ts";
import type { RunHub } from "./hub-client.ts";

/** What a reporter works with. */
export interface ReporterPorts {
  readonly hub: RunHub;
  readonly clock: Clock;
}

/** What is told of a run by one worker. */
export interface RunReporter {
  readonly progress: Progress;
  log(level: LogLevel, message: string): void;
  /** Takes back what blobs that did not end had announced: whoever copies them next announces them again. */
  forgetUnfinished(): void;
  /** Sends what was not sent yet. */
  flush(): Promise<void>;
}

/** How often the hub is told, in milliseconds. */
const INTERVAL = 500;

/** Gathers what happens in a copy and passes it to the hub, not more than twice a second. */
export function runReporter(execution: number, { hub, clock }: ReporterPorts): RunReporter {
  let counts: Partial<Record<keyof ExecutionCounts, number>> = {};
  let lines: LogLine[] = [];
  let sent = clock();
  let sending: Promise<void> = Promise.resolve();
  const unfinished = new Map<string, { size: number; bytes: number }>();
  const add = (key: keyof ExecutionCounts, delta: number): void => {
    counts[key] = (counts[key] ?? 0) + delta;
  };
  const send = (): void => {
    if (Object.keys(counts).length === 0 && lines.length === 0) return;
    const report = { counts, lines };
    counts = {};
    lines = [];
    sent = clock();
    sending = sending.then(() => hub.report(execution, report));
  };
  const sendIfDue = (): void => {
    if (clock() - sent >= INTERVAL) send();
  };
  const blob = (event: Extract<ProgressEvent, { type: "blob" }>): void => {
    const key = `${event.image} ${event.digest}`;
    const known = unfinished.get(key);
    if (known === undefined) add("blobsTotal", 1);
    if (event.state === "copying") {
      if (known === undefined) {
        unfinished.set(key, { size: event.size, bytes: 0 });
        add("bytesTotal", event.size);
      }
      return;
    }
    unfinished.delete(key);
    add(ENDS[event.state], 1);
  };
  const log = (level: LogLevel, message: string): void => {
    lines.push({ at: clock(), level, message });
    sendIfDue();
  };
  return {
    log,
    progress(event) {
      if (event.type === "log") return event.level === "debug" ? undefined : log(event.level, event.message);
      if (event.type === "blob") blob(event);
      else {
        add("bytesCopied", event.bytes);
        const known = unfinished.get(`${event.image} ${event.digest}`);
        if (known !== undefined) known.bytes += event.bytes;
      }
      sendIfDue();
    },
    forgetUnfinished() {
      for (const { size, bytes } of unfinished.values()) {
        add("blobsTotal", -1);
        add("bytesTotal", Math.min(0, bytes - size));
      }
      unfinished.clear();
    },
    async flush() {
      send();
      await sending;
    },
  };
}

const ENDS = {
  copied: "blobsCopied",
  mounted: "blobsMounted",
  skipped: "blobsSkipped",
  failed: "blobsFailed",
} as const satisfies Record<string, keyof ExecutionCounts>;
