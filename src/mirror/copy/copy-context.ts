import type { ProgressEvent } from "../ports.ts";
import { RegistryError } from "../registry.ts";
import type { CopyPorts, CopyRules, CopySource } from "./copy-contract.ts";
import { createPlacedBlobs, type PlacedBlobs } from "./placed-blobs.ts";

/** Bytes are reported in pieces of this size, or when this long passed since the last report. */
const REPORT_BYTES = 256 * 1024;
const REPORT_INTERVAL = 200;

/** What all steps of one copy share. */
export interface CopyContext {
  /** Name of the image for logs and progress. */
  readonly image: string;
  readonly source: CopySource;
  readonly rules: CopyRules;
  readonly ports: CopyPorts;
  readonly placed: PlacedBlobs;
  /** @throws the signal's reason, or a RegistryError "delayed" when the time is up */
  stop(): void;
  /** Whether all work ends, as opposed to that for one target. */
  isOver(): boolean;
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
}

export function copyContext(image: string, source: CopySource, rules: CopyRules, ports: CopyPorts): CopyContext {
  const late = () => ports.isLate?.() ?? false;
  return {
    image,
    source,
    rules,
    ports,
    placed: ports.placed ?? createPlacedBlobs(),
    stop: () => {
      ports.signal.throwIfAborted();
      if (late())
        throw new RegistryError("delayed", `the time for ${image} is up; it goes on later`, { retryAfter: 0 });
    },
    isOver: () => ports.signal.aborted || late(),
    log: (level, message) => ports.progress({ type: "log", level, message: `${image}: ${message}` }),
  };
}

/** Reports bytes of a blob as they pass, though not each piece. */
export function byteReports(
  { image, ports }: CopyContext,
  digest: string,
): { readonly add: (bytes: number) => void; readonly end: () => void } {
  let pending = 0;
  let reported = ports.clock();
  const end = (): void => {
    if (pending === 0) return;
    const event: ProgressEvent = { type: "bytes", image, digest, bytes: pending };
    pending = 0;
    reported = ports.clock();
    ports.progress(event);
  };
  return {
    add: (bytes) => {
      pending += bytes;
      if (pending >= REPORT_BYTES || ports.clock() - reported >= REPORT_INTERVAL) end();
    },
    end,
  };
}
