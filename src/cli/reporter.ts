import type { ItemResult, ProgressEvent, RunEvent, RunSummary } from "../mirror/index.ts";
import { formatBytes, formatTime, printable } from "./quantities.ts";

export type Level = "debug" | "info" | "warn" | "error";

/** Tells whoever started the command what happens. */
export interface Reporter {
  message(level: Level, text: string, task?: string): void;
  event(task: string, event: RunEvent): void;
  progress(task: string, event: ProgressEvent): void;
  ended(summary: RunSummary): void;
  /** Takes away what is not to stay. */
  close(): void;
}

/** Where lines go: results to one place, what is amiss to the other. */
export interface Output {
  line(text: string): void;
  complaint(text: string): void;
}

/** One JSON object per line: what happens, and at the end of each run its summary. */
export function jsonReporter(output: Pick<Output, "line">, clock: () => number, verbose: boolean): Reporter {
  const write = (type: string, fields: object): void =>
    output.line(JSON.stringify({ time: new Date(clock()).toISOString(), type, ...fields }));
  return {
    message: (level, message, task) => {
      if (level !== "debug" || verbose) write("log", { task, level, message });
    },
    event: (task, event) => {
      if (event.type === "ended") write("item", { task, ...event.result });
      else if (event.type === "listed") write("listed", { task, ...event, type: "listed" });
      else write("started", { task, repository: event.item.repository, tag: event.item.tag, state: event.item.state });
    },
    progress: (task, event) => {
      if (event.type === "log") {
        if (event.level !== "debug" || verbose) write("log", { task, level: event.level, message: event.message });
      } else if (event.type === "blob") write("blob", { task, ...event, type: "blob" });
    },
    // The items were told as they ended.
    ended: ({ items: _items, ...summary }) => write("summary", summary),
    close: () => undefined,
  };
}

/** A line for each image that something happened to. */
export function lineReporter(place: Output, verbose: boolean): Reporter {
  const output: Output = {
    line: (text) => place.line(printable(text)),
    complaint: (text) => place.complaint(printable(text)),
  };
  const told = new Set<string>();
  return {
    message: (level, text, task) => {
      if (level === "debug" && !verbose) return;
      const line = task === undefined ? text : `${task}: ${text}`;
      if (level === "warn" || level === "error") output.complaint(line);
      else output.line(line);
    },
    event: (task, event) => {
      if (event.type === "listed" && verbose) {
        output.line(`${task}: ${event.repository} has ${event.tags} tags, ${event.selected} of them selected`);
      }
      if (event.type !== "ended") return;
      const line = itemLine(event.result);
      if (isBad(event.result)) output.complaint(`${task}: ${line}`);
      else if (verbose || event.result.outcome !== "unchanged") output.line(`${task}: ${line}`);
    },
    progress: (task, event) => {
      if (event.type !== "log" || (event.level === "debug" && !verbose)) return;
      // A warning of an image comes again with the summary.
      if (event.level === "warn") told.add(event.message);
      if (event.level === "warn" || event.level === "error") output.complaint(`${task}: ${event.message}`);
      else if (verbose) output.line(`${task}: ${event.message}`);
    },
    ended: (summary) => {
      for (const warning of summary.warnings) {
        if (!told.has(warning)) output.complaint(`${summary.task}: ${warning}`);
      }
      for (const { repository, error } of summary.listingFailures) {
        output.complaint(`${summary.task}: ${repository ?? "the list of repositories"} cannot be read: ${error}`);
      }
      for (const line of pruneLines(summary)) output.line(`${summary.task}: ${line}`);
      output.line(`${summary.task}: ${summaryLine(summary)}`);
    },
    close: () => undefined,
  };
}

function isBad({ outcome }: ItemResult): boolean {
  return outcome === "failed" || outcome === "conflict";
}

/** What became of an image, in one line. */
export function itemLine(item: ItemResult): string {
  const name = `${item.repository}:${item.tag}`;
  const renamed = item.targets.filter(({ repository, tag }) => repository !== item.repository || tag !== item.tag);
  const to =
    renamed.length === 0 ? "" : ` to ${renamed.map(({ repository, tag }) => `${repository}:${tag}`).join(", ")}`;
  const why = item.error === undefined ? "" : `: ${item.error}`;
  const bytes = item.bytes > 0 ? `, ${formatBytes(item.bytes)}` : "";
  return `${name} ${PLANNED.get(item.outcome) ?? item.outcome}${to}${bytes}${why}`;
}

function pruneLines({ pruned }: RunSummary): readonly string[] {
  return pruned.flatMap(({ registry, repository, tags, dryRun, failed }) => [
    ...tags.map((tag) => `${repository}:${tag} ${dryRun ? "would be deleted" : "deleted"} at ${registry}`),
    ...failed.map(({ tag, error }) => `${repository}:${tag} could not be deleted at ${registry}: ${error}`),
  ]);
}

/** What a dry run says of what it counts. */
const PLANNED: ReadonlyMap<string, string> = new Map([
  ["would-copy", "would be copied"],
  ["would-delete", "would be deleted"],
]);

/** What a run came to, in one line. */
export function summaryLine({ state, counts, bytes, startedAt, endedAt }: RunSummary): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${PLANNED.get(outcome) ?? outcome}`);
  const what = parts.length === 0 ? "no images" : parts.join(", ");
  return `${state}: ${what}; ${formatBytes(bytes)} in ${formatTime(endedAt - startedAt)}`;
}
