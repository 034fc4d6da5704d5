import type { Descriptor } from "../../oci/index.ts";
import { err, ok, type Result } from "../../platform/index.ts";
import type { PlatformRule } from "./mirror-rules.ts";
import { isSelected, platformText, selectorText } from "./platforms.ts";

/** @see https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
export const REFERENCE_TYPE = "vnd.docker.reference.type";
export const REFERENCE_DIGEST = "vnd.docker.reference.digest";
const ATTESTATION = "attestation-manifest";

/** What of an index is copied. */
export interface PlatformSelection {
  readonly kept: readonly Descriptor[];
  /** Where what is kept stands in the index; the same digest may stand there twice. */
  readonly positions: readonly number[];
  /** Whether nothing is left out. */
  readonly isWhole: boolean;
}

/** The part of an index that selection is about. */
export interface IndexEntries {
  readonly manifests: readonly Descriptor[];
}

/**
 * The entries of an index that a rule keeps: those of its platforms, those without a platform (artifacts, and nested
 * indexes, to which the rule has to be applied in turn), and attestations of what is kept. In mode `single` it is exactly
 * one. The error says which platforms there are instead.
 */
export function selectPlatforms(index: IndexEntries, rule: PlatformRule): Result<PlatformSelection, string> {
  const all = index.manifests.map((_, position) => position);
  if (rule.mode === "all") return ok(selection(index, all));
  const selected = all.filter((position) => isMeant(index.manifests[position], rule));
  if (rule.mode === "single") {
    const matching = distinct(index, selected);
    if (matching.length === 1) return ok(selection(index, matching));
    const count = matching.length === 0 ? "no image" : `${matching.length} images`;
    return err(`has ${count} for ${wanted(rule)}; there is ${available(index)}`);
  }
  const meant = new Set(selected);
  const plain = new Set(all.filter((position) => meant.has(position) || isPlain(index.manifests[position])));
  const digests = new Set<string | undefined>([...plain].map((position) => index.manifests[position]?.digest));
  const kept = all.filter((position) => {
    const subject = attestedBy(index.manifests[position]);
    return plain.has(position) || (subject !== undefined && digests.has(subject));
  });
  if (kept.length === 0) return err(`has nothing for ${wanted(rule)}; there is ${available(index)}`);
  return ok(selection(index, kept));
}

/** The digest of what an entry attests, `undefined` if it is no attestation. */
export function attestedBy(descriptor: Descriptor | undefined): string | undefined {
  if (!isAttestation(descriptor)) return undefined;
  return descriptor?.annotations?.[REFERENCE_DIGEST];
}

function isAttestation(descriptor: Descriptor | undefined): boolean {
  return descriptor?.annotations?.[REFERENCE_TYPE] === ATTESTATION;
}

function isMeant(descriptor: Descriptor | undefined, rule: PlatformRule): boolean {
  const platform = descriptor?.platform;
  if (platform === undefined || isAttestation(descriptor)) return false;
  return rule.select.some((selector) => isSelected(platform, selector));
}

/** Whether an entry is there for no platform. */
function isPlain(descriptor: Descriptor | undefined): boolean {
  if (descriptor === undefined || isAttestation(descriptor)) return false;
  return descriptor.platform === undefined || ["", "unknown"].includes(descriptor.platform.os);
}

function selection(index: IndexEntries, positions: readonly number[]): PlatformSelection {
  const places = new Set(positions);
  const kept = index.manifests.filter((_, position) => places.has(position));
  return { kept, positions, isWhole: kept.length === index.manifests.length };
}

/** The first position of each digest. */
function distinct({ manifests }: IndexEntries, positions: readonly number[]): readonly number[] {
  const seen = new Set<string | undefined>();
  return positions.filter((position) => {
    const digest = manifests[position]?.digest;
    const isNew = !seen.has(digest);
    seen.add(digest);
    return isNew;
  });
}

function wanted(rule: PlatformRule): string {
  return rule.select.map(selectorText).join(", ");
}

function available({ manifests }: IndexEntries): string {
  const texts = manifests
    .filter((entry) => !isAttestation(entry))
    .map(({ platform }) => (platform === undefined ? "an entry without a platform" : platformText(platform)));
  return [...new Set(texts)].join(", ") || "nothing";
}
