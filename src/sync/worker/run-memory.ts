import { type CopyItemPorts, type SelectedImage, selectionText } from "../../mirror/index.ts";
import type { Clock } from "../../platform/index.ts";
import { checkedText, type MemoryStore, type StoredExecution, type WrittenKey } from "../store/index.ts";
import type { CallMeter } from "./call-meter.ts";

/** What remembering works with. */
export interface RunMemoryPorts {
  readonly memory: MemoryStore;
  readonly clock: Clock;
  readonly meter: CallMeter;
}

const HOUR = 3_600_000;
/** How often images that did not change are looked at for new signatures, in milliseconds: by each run of the night. */
const CHECK_EVERY = 20 * HOUR;
/** What is of use is noted to be so when the last note is older than this, in milliseconds. */
const NOTE_EVERY = 7 * 24 * HOUR;
/** What is read at once at the most: one query for each image would be more than a message may make. */
const MOST_READ = 20_000;

/** How much of what is remembered a message needs: a plan of `many` images reads it at once, a copy of `few` does not. */
export type RememberedImages = "many" | "few";

/** What runs remember for those after them, as the engine asks for it in one message. */
export function runMemory(
  { id, taskUid }: Pick<StoredExecution, "id" | "taskUid">,
  source: string,
  images: RememberedImages,
  { memory, clock, meter }: RunMemoryPorts,
): Pick<CopyItemPorts, "checkpoints" | "written" | "created" | "referrerChecks"> {
  const isOld = (at: number): boolean => clock() - at >= NOTE_EVERY;
  const written = once(async () => {
    const known = await memory.written(taskUid, MOST_READ);
    return new Map(known.map((entry) => [keyOf(entry), entry]));
  });
  const created = once(async () => {
    const known = await memory.created(source, MOST_READ);
    return new Map(known.map((entry) => [entry.digest, entry]));
  });
  const checked = once(async () => new Set(await memory.checkedSince(taskUid, clock() - CHECK_EVERY, MOST_READ)));
  const writtenFor = async (wanted: WrittenKey) => {
    if (images === "many") return (await written()).get(keyOf(wanted));
    meter.query();
    return memory.writtenFor(taskUid, wanted);
  };
  return {
    checkpoints: {
      async load(key) {
        meter.query();
        return memory.checkpoint(taskUid, key);
      },
      async save(key, checkpoint) {
        // The position is of use even if it is the last that this message saves.
        await memory.saveCheckpoint(taskUid, key, checkpoint, id);
        meter.query();
      },
      remove: (key) => memory.removeCheckpoint(taskUid, key),
    },
    written: {
      async load(image) {
        const wanted = storedKey(image);
        const known = await writtenFor(wanted);
        if (known !== undefined && isOld(known.at)) {
          meter.query();
          await memory.saveWritten(taskUid, wanted, known.written);
        }
        return known?.written;
      },
      async save(image, digest) {
        const wanted = storedKey(image);
        await memory.saveWritten(taskUid, wanted, digest);
        if (images === "many") (await written()).set(keyOf(wanted), { ...wanted, written: digest, at: clock() });
      },
    },
    referrerChecks: {
      async due(image) {
        if (images === "many") return !(await checked()).has(checkedText(image));
        meter.query();
        return !(await memory.wasChecked(taskUid, image, clock() - CHECK_EVERY));
      },
      async done(image) {
        await memory.saveChecked(taskUid, image);
        if (images === "many") (await checked()).add(checkedText(image));
      },
    },
    created: {
      async load(digest) {
        const known = (await created()).get(digest);
        if (known !== undefined && isOld(known.at)) {
          meter.query();
          await memory.saveCreated(source, digest, known.created);
        }
        return known?.created;
      },
      // An image that does not say is asked again: that is one request for each run.
      async save(digest, time) {
        if (time === null) return;
        meter.query();
        await memory.saveCreated(source, digest, time);
      },
    },
  };
}

/** Reads something when it is first asked for. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read());
}

function storedKey({ registry, repository, digest, platforms }: SelectedImage): WrittenKey {
  return { target: `${registry}|${selectionText(platforms)}`, repository, digest };
}

function keyOf({ target, repository, digest }: WrittenKey): string {
  return `${target}|${repository}|${digest}`;
}
