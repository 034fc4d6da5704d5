import type { Descriptor } from "../../oci/index.ts";
import { RegistryError } from "../registry.ts";
import type { CopyContext } from "./copy-context.ts";
import { targetBlob, deliverBlob, isLarge } from "./deliver-blob.ts";
import type { TargetState } from "./target-state.ts";

/**
 * Brings a blob to all targets that lack it: by mounting where the registry has it elsewhere, and by one reading of
 * the source for all others. A target that fails is marked so; this throws only when everything ends.
 */
export async function copyBlob(context: CopyContext, blob: Descriptor, states: readonly TargetState[]): Promise<void> {
  const { ports, placed } = context;
  await placed.exclusively({ work: "copy", digest: blob.digest }, ports.signal, async () => {
    const lacking: TargetState[] = [];
    let mounted = false;
    const { first, same } = byRepository(states);
    await Promise.all(
      first.map((state) =>
        state.attempt(context, async () => {
          if (await state.target.repository.hasBlob(blob.digest)) {
            state.blobs.skipped += 1;
            // Of a copy that ended between the last part and the note of it.
            if (isLarge(context, blob)) await ports.checkpoints.remove(targetBlob(state, blob));
          } else if (await mount(context, blob, state)) {
            state.blobs.mounted += 1;
            mounted = true;
          } else {
            lacking.push(state);
            return;
          }
          placed.add(state.target.registry.origin, blob.digest, state.target.repository.name);
        }),
      ),
    );
    const report = (state: "copying" | "copied" | "mounted" | "skipped" | "failed") =>
      ports.progress({ type: "blob", image: context.image, digest: blob.digest, size: blob.size, state });
    const failed = () => states.some((state) => !state.alive);
    if (lacking.length === 0) {
      share(same);
      return report(failed() ? "failed" : mounted ? "mounted" : "skipped");
    }
    report("copying");
    try {
      await deliverBlob(context, blob, lacking);
    } catch (error) {
      report("failed");
      throw error;
    }
    share(same);
    report(lacking.some(({ alive }) => !alive) ? "failed" : "copied");
  });
}

/** Targets that are two tags of one repository need each blob once. */
function byRepository(states: readonly TargetState[]): {
  readonly first: readonly TargetState[];
  readonly same: ReadonlyMap<TargetState, TargetState>;
} {
  const first = new Map<string, TargetState>();
  const same = new Map<TargetState, TargetState>();
  for (const state of states) {
    const key = `${state.target.registry.origin} ${state.target.repository.name}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, state);
    else same.set(state, other);
  }
  return { first: [...first.values()], same };
}

function share(same: ReadonlyMap<TargetState, TargetState>): void {
  for (const [state, other] of same) {
    if (other.alive) state.blobs.skipped += 1;
    else state.fail(other.error);
  }
}

/** Takes the blob over from another repository of the target. A registry that will not is no failure. */
async function mount(context: CopyContext, blob: Descriptor, { target }: TargetState): Promise<boolean> {
  const { source, placed, ports } = context;
  const { origin } = target.registry;
  const candidates = [
    origin === source.registry.origin ? source.repository.name : undefined,
    placed.where(origin, blob.digest),
  ];
  for (const from of new Set(candidates)) {
    if (from === undefined || from === target.repository.name) continue;
    try {
      if (await target.repository.mount(blob.digest, from)) return true;
    } catch (error) {
      ports.signal.throwIfAborted();
      if (error instanceof RegistryError && error.failure === "delayed") throw error;
      context.log("debug", `${target.registry.name} did not mount ${blob.digest} from ${from}: ${textOf(error)}`);
    }
  }
  return false;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
