import type { CopyContext } from "./copy-context.ts";
import type { CopyOutcome, CopyTarget, TargetResult } from "./copy-contract.ts";

/** How far a copy is at one target. A target that failed takes no further part; the others go on. */
export class TargetState {
  readonly target: CopyTarget;
  /** What the tag stood for before. */
  before: string | undefined;
  mediaType: string | undefined;
  /** Decided before the work ends, if there is none to do. */
  outcome: CopyOutcome | undefined;
  digest: string;
  /** Whether any manifest was put. */
  wrote = false;
  bytes = 0;
  readonly blobs = { copied: 0, mounted: 0, skipped: 0 };
  /** Digests of manifests that are known to be there with all that they name. */
  readonly complete = new Set<string>();
  readonly #warnings = new Set<string>();
  #failure: { readonly error: unknown } | undefined;

  constructor(target: CopyTarget, digest: string) {
    this.target = target;
    this.digest = digest;
  }

  /** Registry and repository, for messages and keys. */
  get label(): string {
    return `${this.target.registry.name}/${this.target.repository.name}`;
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  get error(): unknown {
    return this.#failure?.error;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  warn(message: string): void {
    this.#warnings.add(message);
  }

  /** Does `work` unless the target failed before; what it throws is the target's failure, unless everything ends. */
  async attempt(context: CopyContext, work: () => Promise<void>): Promise<void> {
    if (!this.alive) return;
    try {
      await work();
    } catch (error) {
      context.stop();
      this.fail(error);
    }
  }

  result(outcome: CopyOutcome): TargetResult {
    const { target, digest, bytes, blobs } = this;
    const failed = this.#failure !== undefined && outcome !== "conflict";
    return {
      target,
      // A signature may be new at an image that is not.
      outcome: failed ? "failed" : outcome === "unchanged" && this.wrote ? "copied" : outcome,
      digest,
      bytes,
      blobs: { ...blobs },
      warnings: [...this.#warnings],
      ...(this.#failure === undefined ? {} : { error: this.#failure.error }),
    };
  }
}
