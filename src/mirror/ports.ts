/**
 * Who decides how fast a registry may be called, shared by all that use it with the same credentials.
 * In a process it waits; on a Worker it throws a `RegistryError` "delayed" when the wait is long, and the work is put off.
 */
export interface Budget {
  /** Resolves when a request may be sent. `manifest-get` is what Docker Hub counts. */
  acquire(kind: "request" | "manifest-get", signal: AbortSignal): Promise<void>;
  /**
   * What an answer said: `Retry-After` in milliseconds; what is left of a quota (`ratelimit-remaining`), how much it is in
   * all (`ratelimit-limit`), and the milliseconds in which it is counted.
   */
  report(answer: {
    readonly status: number;
    readonly retryAfter?: number;
    readonly remaining?: number;
    readonly limit?: number;
    readonly window?: number;
  }): void;
}

/** What happens during a run, for totals, logs and bars. */
export type ProgressEvent =
  | { readonly type: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly message: string }
  | {
      readonly type: "blob";
      readonly image: string;
      readonly digest: string;
      readonly size: number;
      /** Of all targets together: `copying` when it begins for any of them, then one of the others when all have ended. */
      readonly state: "copying" | "copied" | "mounted" | "skipped" | "failed";
    }
  /** `bytes` more of a blob were read; what several targets get by one reading counts once. */
  | { readonly type: "bytes"; readonly image: string; readonly digest: string; readonly bytes: number };

export type Progress = (event: ProgressEvent) => void;

/** A blob on its way to a repository; registries are told apart by their origin. */
export interface TargetBlob {
  readonly origin: string;
  readonly repository: string;
  readonly digest: string;
}

/** Where large layers stand, kept so that another process can go on. */
export interface Checkpoints {
  load(blob: TargetBlob): Promise<UploadCheckpoint | undefined>;
  save(blob: TargetBlob, checkpoint: UploadCheckpoint): Promise<void>;
  remove(blob: TargetBlob): Promise<void>;
}

export interface UploadCheckpoint {
  readonly location: string;
  readonly offset: number;
}

/** Waits, in milliseconds; ends early with the signal's reason. */
export type Sleep = (duration: number, signal: AbortSignal) => Promise<void>;
