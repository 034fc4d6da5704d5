import { type Descriptor, isIndex } from "../../oci/index.ts";
import { RegistryError } from "../registry.ts";
import type { CopyContext } from "./copy-context.ts";
import { fallbackTag } from "./fallback-tag.ts";
import { missing, readWhole } from "./image-tree.ts";
import { parsedManifest } from "./parsed-manifest.ts";
import type { TargetState } from "./target-state.ts";
import { putManifest, writeImage } from "./write-image.ts";

/** Referrers of referrers and so on, in all; more than this is taken for an attempt to keep a run busy. */
const MAX_SUBJECTS = 1000;

/** What cosign appends to the digest of what it signs. */
const COSIGN_SUFFIXES = ["sig", "att", "sbom"];

/**
 * Copies what belongs to manifests that are at the targets: their referrers, what refers to those, and the tags that
 * are named after their digests. `subjectFirst` is called before anything is written that refers to them.
 */
export async function copyAttached(
  context: CopyContext,
  subjects: readonly string[],
  states: readonly TargetState[],
  subjectFirst: () => Promise<void>,
): Promise<void> {
  const { artifacts } = context.rules;
  if (!artifacts.referrers && !artifacts.digestTags) return;
  const queue = [...subjects];
  const seen = new Set<string>();
  for (let subject = queue.shift(); subject !== undefined; subject = queue.shift()) {
    if (seen.has(subject)) continue;
    seen.add(subject);
    if (seen.size > MAX_SUBJECTS) {
      for (const state of states)
        state.warn(`more than ${MAX_SUBJECTS} manifests have referrers; the rest was left out`);
      return;
    }
    context.stop();
    queue.push(...(await copyReferrers(context, subject, states, subjectFirst)));
    if (artifacts.digestTags) queue.push(...(await copyDigestTags(context, subject, states)));
  }
}

/** Copies the referrers of one manifest; answers what may have referrers in turn. */
async function copyReferrers(
  context: CopyContext,
  subject: string,
  states: readonly TargetState[],
  subjectFirst: () => Promise<void>,
): Promise<readonly string[]> {
  const { types } = context.rules.artifacts;
  const listed = await referrersAtSource(context, subject);
  const chosen = listed.filter(
    ({ artifactType }) => types.length === 0 || (artifactType !== undefined && types.includes(artifactType)),
  );
  if (chosen.length === 0) return [];
  const present = new Map<TargetState, ReadonlySet<string>>();
  await Promise.all(
    states.map((state) =>
      state.attempt(context, async () => {
        const there = await tolerant(() => state.target.repository.referrers(subject));
        present.set(state, new Set(there.map(({ digest }) => digest)));
      }),
    ),
  );
  for (const referrer of chosen) {
    const lacking = states.filter((state) => state.alive && present.get(state)?.has(referrer.digest) === false);
    if (lacking.length === 0) continue;
    await subjectFirst();
    await copyOne(context, referrer, lacking);
  }
  return chosen.map(({ digest }) => digest);
}

/** By the API, or by the fallback tag alone if only tags are to be copied. */
async function referrersAtSource(context: CopyContext, subject: string): Promise<readonly Descriptor[]> {
  const { registry, repository, tags } = context.source;
  const tag = fallbackTag(subject);
  const untagged = tags !== undefined && !tags.has(tag);
  const { referrers } = context.rules.artifacts;
  // A registry that is known to have no such API would be asked for that tag.
  if (referrers && (registry.capabilities().referrers || !untagged)) {
    return await tolerant(() => repository.referrers(subject));
  }
  if (untagged) return [];
  const head = await repository.head(tag);
  if (head === undefined || !isIndex(head.mediaType)) return [];
  const content = await repository.manifest(head.digest);
  return content === undefined ? [] : parsedManifest(content).children;
}

async function copyOne(context: CopyContext, referrer: Descriptor, states: readonly TargetState[]): Promise<void> {
  // It is put even where it is: only the answer to that tells whether the target has to be helped with its list.
  const tree = await readWhole(context, referrer.digest, states);
  if (tree !== undefined) return await writeImage(context, tree);
  for (const state of states) state.warn(`the source lists the referrer ${referrer.digest} but does not have it`);
}

async function copyDigestTags(
  context: CopyContext,
  subject: string,
  states: readonly TargetState[],
): Promise<readonly string[]> {
  const { repository, tags } = context.source;
  const prefix = `${fallbackTag(subject)}.`;
  const candidates =
    tags === undefined
      ? COSIGN_SUFFIXES.map((suffix) => prefix + suffix)
      : [...tags].filter((tag) => tag.startsWith(prefix));
  const copied: string[] = [];
  for (const tag of candidates) {
    const head = await repository.head(tag);
    if (head === undefined) continue;
    copied.push(head.digest);
    await copyDigestTag(context, tag, head.digest, states);
  }
  return copied;
}

async function copyDigestTag(
  context: CopyContext,
  tag: string,
  digest: string,
  states: readonly TargetState[],
): Promise<void> {
  const lacking: TargetState[] = [];
  await Promise.all(
    states.map((state) =>
      state.attempt(context, async () => {
        const there = await state.target.repository.head(tag);
        if (there?.digest === digest) return;
        if (there === undefined || context.rules.existing === "overwrite") lacking.push(state);
        else state.warn(`the tag ${tag} is another one at the target and was left as it is`);
      }),
    ),
  );
  if (lacking.length === 0) return;
  const tree = await readWhole(context, digest, lacking);
  if (tree === undefined) throw missing(context, digest);
  await writeImage(context, tree, { top: false });
  await Promise.all(
    lacking.map((state) =>
      state.attempt(context, async () => {
        context.stop();
        try {
          await putManifest(context, tree, state, tag);
        } catch (error) {
          if (!(error instanceof RegistryError) || error.failure !== "conflict") throw error;
          state.warn(`the tag ${tag} may not be changed at the target: ${error.message}`);
        }
      }),
    ),
  );
}

/** What a registry without referrers lists. */
async function tolerant(list: () => Promise<readonly Descriptor[]>): Promise<readonly Descriptor[]> {
  try {
    return await list();
  } catch (error) {
    if (error instanceof RegistryError && (error.failure === "missing" || error.failure === "unsupported")) return [];
    throw error;
  }
}
