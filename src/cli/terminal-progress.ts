import type { ProgressEvent } from "../mirror/index.ts";
import { formatBytes } from "./quantities.ts";
import { lineReporter, type Reporter } from "./reporter.ts";

/** What a terminal has to be able to. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** Milliseconds between two drawings. */
const REDRAW = 100;
const BAR = 24;
/** Bytes a second are those of so many of the last milliseconds. */
const SPEED_WINDOW = 5000;

interface ActiveImage {
  readonly name: string;
  /** Bytes to send, as far as they are known, and sent. */
  readonly blobs: Map<string, { size: number; sent: number }>;
}

/** Bars below the lines: one for each image that is being copied. */
export function terminalReporter(terminal: Terminal, clock: () => number, verbose: boolean): Reporter {
  const active = new Map<string, ActiveImage>();
  let drawn = 0;
  let changed = false;
  let sent = 0;
  const samples: { readonly time: number; readonly sent: number }[] = [];

  /** Line by line: some terminals keep what was on a screen that is cleared as a whole. */
  const erased = (): string => {
    const up = `\u001B[${drawn}A`;
    const text = drawn === 0 ? "" : `${up}${"\u001B[2K\u001B[1B".repeat(drawn)}${up}`;
    drawn = 0;
    return text;
  };
  const draw = (): void => {
    const now = clock();
    samples.push({ time: now, sent });
    while (samples.length > 2 && (samples[0]?.time ?? now) < now - SPEED_WINDOW) samples.shift();
    const lines = frame([...active.values()], speedOf(samples), terminal);
    terminal.write(`${erased()}${lines.map((line) => `${line}\n`).join("")}`);
    drawn = lines.length;
    changed = false;
  };
  const print = (text: string): void => {
    terminal.write(`${erased()}${text}\n`);
    changed = true;
  };
  const timer = setInterval(() => {
    if (changed || active.size > 0) draw();
  }, REDRAW);
  timer.unref();

  const lines = lineReporter({ line: print, complaint: print }, verbose);
  return {
    message: (level, text, task) => lines.message(level, text, task),
    event: (task, event) => {
      if (event.type === "started" && (event.item.state === "copy" || event.item.state === "attached")) {
        const name = `${event.item.repository}:${event.item.tag}`;
        active.set(`${task} ${name}`, { name, blobs: new Map() });
      }
      if (event.type === "ended") active.delete(`${task} ${event.result.repository}:${event.result.tag}`);
      lines.event(task, event);
      changed = true;
    },
    progress: (task, event) => {
      lines.progress(task, event);
      if (event.type === "bytes") sent += event.bytes;
      if (event.type !== "log") note(active.get(`${task} ${event.image}`), event);
    },
    ended: (summary) => lines.ended(summary),
    close: () => {
      clearInterval(timer);
      terminal.write(erased());
    },
  };
}

function note(image: ActiveImage | undefined, event: Exclude<ProgressEvent, { type: "log" }>): void {
  if (image === undefined) return;
  const blob = image.blobs.get(event.digest) ?? { size: 0, sent: 0 };
  if (event.type === "bytes") blob.sent += event.bytes;
  else if (event.state === "copying" || event.state === "copied") {
    blob.size = event.size;
    if (event.state === "copied") blob.sent = event.size;
  }
  image.blobs.set(event.digest, blob);
}

function speedOf(samples: readonly { readonly time: number; readonly sent: number }[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.time === first.time) return 0;
  return ((last.sent - first.sent) * 1000) / (last.time - first.time);
}

/** What stands below the lines: bars, and how fast it goes. */
export function frame(
  images: readonly ActiveImage[],
  speed: number,
  { columns, rows }: Pick<Terminal, "columns" | "rows">,
): readonly string[] {
  if (images.length === 0) return [];
  const shown = images.slice(0, Math.max(1, rows - 3));
  const hidden = images.length - shown.length;
  const rest = hidden === 0 ? "" : `, ${hidden} more`;
  return [...shown.map((image) => barOf(image, columns)), `${formatBytes(speed)}/s${rest}`].map((line) =>
    line.slice(0, Math.max(1, columns - 1)),
  );
}

function barOf({ name, blobs }: ActiveImage, columns: number): string {
  let size = 0;
  let sent = 0;
  for (const blob of blobs.values()) {
    size += Math.max(blob.size, blob.sent);
    sent += blob.sent;
  }
  const filled = size === 0 ? 0 : Math.floor((BAR * sent) / size);
  const bar = `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}]`;
  const amount = size === 0 ? "" : ` ${formatBytes(sent)} of ${formatBytes(size)}`;
  const room = Math.max(10, columns - BAR - 28);
  const label = name.length > room ? `…${name.slice(name.length - room + 1)}` : name.padEnd(Math.min(room, 40));
  return `${label} ${bar}${amount}`;
}
