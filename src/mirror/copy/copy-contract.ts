import type { ManifestHead } from "../registry.ts";
import type { Checkpoints, Progress, Sleep } from "../ports.ts";
import type { Registry, SourceRepository, TargetRepository } from "../registry.ts";
import type { ArtifactRule, ExistingRule, PlatformRule } from "../rules/index.ts";
import type { RetryPolicy } from "../with-retries.ts";
import type { PlacedBlobs } from "./placed-blobs.ts";
import type { WrittenDigests } from "./written-digests.ts";

/** What to copy: a tag and what it stood for when it was resolved. */
export interface CopyItem {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** Where to copy from. */
export interface CopySource {
  readonly registry: Registry;
  readonly repository: SourceRepository;
  /** All tags of the repository, if they were listed anyway: it saves a request for each tag that may belong to an image. */
  readonly tags?: ReadonlySet<string>;
}

/** Where to copy to, and under which tag. */
export interface CopyTarget {
  readonly registry: Registry;
  readonly repository: TargetRepository;
  readonly tag: string;
  /** What the tag was a moment ago, if somebody looked: it saves a request. */
  readonly seen?: { readonly head: ManifestHead | undefined };
}

/** What to copy of an image, and how hard to try. */
export interface CopyRules {
  readonly platforms: PlatformRule;
  readonly artifacts: ArtifactRule;
  readonly existing: ExistingRule;
  /** For reads and uploads that break off. */
  readonly retry: RetryPolicy;
  /** Blobs at once, 3 if not given. */
  readonly blobs?: number;
  /** Layers larger than this are sent in parts. In bytes, 32 MiB if not given. */
  readonly largeBlob?: number;
  /** Size of those parts. In bytes, 16 MiB if not given. */
  readonly partSize?: number;
}

/** What a copy works with. */
export interface CopyPorts {
  readonly progress: Progress;
  readonly checkpoints: Checkpoints;
  readonly written: WrittenDigests;
  /** Shared by the copies of a run, so that a blob is sent to a registry once and mounted after that. */
  readonly placed?: PlacedBlobs;
  readonly signal: AbortSignal;
  readonly clock: () => number;
  readonly sleep: Sleep;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** Whether to stop between two blobs or parts, with a `RegistryError` "delayed": what may be done in one go is done. */
  readonly isLate?: () => boolean;
}

/** How many blobs went which way to a target. */
export interface BlobCounts {
  readonly copied: number;
  readonly mounted: number;
  readonly skipped: number;
}

export type CopyOutcome = "copied" | "unchanged" | "skipped" | "conflict" | "failed";

/** How it went at one target. */
export interface TargetResult {
  readonly target: CopyTarget;
  readonly outcome: CopyOutcome;
  /** What the tag stands for at the target; differs from the source's digest when platforms were left out. */
  readonly digest: string;
  /** Bytes of blobs that were sent. */
  readonly bytes: number;
  readonly blobs: BlobCounts;
  readonly warnings: readonly string[];
  /** Why it failed or is a conflict. */
  readonly error?: unknown;
}

/** How a copy went: of all targets together, and of each. */
export interface CopyResult {
  /** What matters most: `failed` before `conflict` before `copied` before `skipped` before `unchanged`. */
  readonly outcome: CopyOutcome;
  readonly digest: string;
  readonly bytes: number;
  readonly blobs: BlobCounts;
  readonly warnings: readonly string[];
  readonly targets: readonly TargetResult[];
}
