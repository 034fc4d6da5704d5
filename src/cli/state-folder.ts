import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import * as z from "zod";
import {
  type CheckedImage,
  type Checkpoints,
  type CreatedDates,
  type ImageName,
  type ReferrerChecks,
  type SelectedImage,
  selectionText,
  type TargetBlob,
  type WrittenDigests,
} from "../mirror/index.ts";
import { UsageError } from "./options.ts";

/** What is kept between runs, so that one that was killed goes on where it stood. */
export interface StateFolder {
  readonly checkpoints: Checkpoints;
  readonly written: WrittenDigests;
  readonly created: CreatedDates;
  referrerChecks(every: number, clock: () => number): ReferrerChecks;
  /** When a task was last started by its schedule, in milliseconds since 1970. */
  lastRun(task: string): number | undefined;
  saveLastRun(task: string, time: number): void;
  /** What failed in the last run of a task; `undefined` if that is not known. */
  failures(task: string): readonly ImageName[] | undefined;
  saveFailures(task: string, images: readonly ImageName[] | undefined): void;
  /** Lets other processes have the folder. */
  release(): void;
}

const checkpointSchema = z.object({ location: z.string(), offset: z.int().nonnegative() });
const imagesSchema = z.array(z.object({ repository: z.string(), tag: z.string() }));

/**
 * Opens the folder, which one process has at a time. Upload addresses can be as good as credentials: nobody else may
 * read them. With `readOnly` it is left as it is, and may be another's.
 * @throws {UsageError} if another process has it, or it cannot be used
 */
export function openStateFolder(folder: string, { readOnly = false } = {}): StateFolder {
  try {
    return stateFolder(folder, readOnly);
  } catch (error) {
    if (error instanceof UsageError || codeOf(error) === undefined) throw error;
    throw new UsageError(`--state: the folder ${folder} cannot be used (${String(codeOf(error))})`);
  }
}

function stateFolder(folder: string, readOnly: boolean): StateFolder {
  const positions = path.join(folder, "uploads");
  if (!readOnly) mkdirSync(positions, { recursive: true, mode: 0o700 });
  const release = readOnly ? () => undefined : lock(path.join(folder, "lock"), folder);
  const notes = openNotes(path.join(folder, "notes.jsonl"), readOnly);
  const fileOf = (blob: TargetBlob) =>
    path.join(positions, `${createHash("sha256").update(blobText(blob)).digest("hex")}.json`);
  return {
    checkpoints: {
      load: async (blob) => {
        const parsed = checkpointSchema.safeParse(readJson(fileOf(blob)));
        return parsed.success ? parsed.data : undefined;
      },
      save: async (blob, { location, offset }) =>
        writeAtomically(fileOf(blob), JSON.stringify({ key: blobText(blob), location, offset })),
      remove: async (blob) => rmSync(fileOf(blob), { force: true }),
    },
    written: {
      load: async (image) => {
        const digest = notes.get(`written ${writtenText(image)}`);
        return typeof digest === "string" ? digest : undefined;
      },
      save: async (image, digest) => notes.set(`written ${writtenText(image)}`, digest),
    },
    created: {
      load: async (digest) => {
        const time = notes.get(`created ${digest}`);
        return typeof time === "number" || time === null ? time : undefined;
      },
      save: async (digest, time) => notes.set(`created ${digest}`, time),
    },
    referrerChecks: (every, clock) => ({
      due: async (image) => {
        const last = notes.get(`referrers ${checkedText(image)}`);
        return typeof last !== "number" || clock() - last >= every;
      },
      done: async (image) => notes.set(`referrers ${checkedText(image)}`, clock()),
    }),
    lastRun: (task) => {
      const time = notes.get(`run ${task}`);
      return typeof time === "number" ? time : undefined;
    },
    saveLastRun: (task, time) => notes.set(`run ${task}`, time),
    failures: (task) => {
      const text = notes.get(`failed ${task}`);
      return typeof text === "string" ? imagesSchema.safeParse(jsonOf(text)).data : undefined;
    },
    saveFailures: (task, images) =>
      notes.set(
        `failed ${task}`,
        images === undefined ? null : JSON.stringify(images.map(({ repository, tag }) => ({ repository, tag }))),
      ),
    release,
  };
}

const blobText = ({ origin, repository, digest }: TargetBlob) => `${origin}|${repository}|${digest}`;
const checkedText = ({ task, repository, digest }: CheckedImage) => `${task}|${repository}|${digest}`;
const writtenText = ({ registry, repository, digest, platforms }: SelectedImage) =>
  `${registry}|${repository}|${digest}|${selectionText(platforms)}`;

type Note = string | number | null;

const noteSchema = z.tuple([z.string(), z.union([z.string(), z.number(), z.null()])]);

/** Small facts by their keys: a file that grows by a line for each, of which the last holds. */
function openNotes(
  file: string,
  readOnly: boolean,
): {
  get(key: string): Note | undefined;
  set(key: string, value: Note): void;
} {
  const notes = new Map<string, Note>();
  let lines = 0;
  for (const line of readText(file).split("\n")) {
    lines += 1;
    // A line that was cut by a kill says nothing.
    const parsed = noteSchema.safeParse(jsonOf(line));
    if (parsed.success) notes.set(...parsed.data);
  }
  if (!readOnly && lines > 2 * notes.size + 1000) {
    writeAtomically(file, [...notes].map((note) => `${JSON.stringify(note)}\n`).join(""));
  }
  return {
    get: (key) => notes.get(key),
    set: (key, value) => {
      if (notes.get(key) === value) return;
      notes.set(key, value);
      if (readOnly) return;
      // The break before it ends a line that was cut.
      appendFileSync(file, `\n${JSON.stringify([key, value])}`, { mode: 0o600 });
    },
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

function readJson(file: string): unknown {
  return jsonOf(readText(file));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function writeAtomically(file: string, text: string): void {
  const other = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(other, text, { mode: 0o600 });
  renameSync(other, file);
}

function lock(file: string, folder: string): () => void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      writeSync(openSync(file, "wx", 0o600), String(process.pid));
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      const owner = Number(readText(file));
      if (attempt > 3 || isAlive(owner)) {
        throw new UsageError(`--state: the folder ${folder} is used by process ${owner || "unknown"}; give another`);
      }
      rmSync(file, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
