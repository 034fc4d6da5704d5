import type { Descriptor } from "../../oci/index.ts";
import type { Sleep } from "../ports.ts";
import { largePieces, type PieceReader } from "../large-pieces.ts";
import { isTransient, RegistryError, type SourceRepository } from "../registry.ts";
import { type RetryPolicy, retryWait } from "../with-retries.ts";
import { abortScope, untilAborted } from "./abort.ts";

/** What reading works with. */
export interface BlobReaderPorts {
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly onInterruption: (message: string) => void;
}

/** Reads a blob in order, whatever happens to the connection. */
export interface BlobReader {
  /** Where the next piece begins. */
  readonly position: number;
  /** The next piece, never empty; `undefined` after the last. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/**
 * Reads `blob` from `from` on. A connection that breaks is opened again where it broke, until that failed
 * `retry.attempts` times without a new byte. A source that ignores ranges is read from its start and what was
 * there before is dropped.
 */
export function readBlob(source: SourceRepository, blob: Descriptor, from: number, ports: BlobReaderPorts): BlobReader {
  const { retry, signal } = ports;
  let position = from;
  let stream: PieceReader | undefined;
  /** Bytes of the stream that were read before. */
  let skip = 0;
  let failures = 0;
  let endedEarlyAt: number | undefined;

  const open = async (): Promise<PieceReader> => {
    const opened = await openAt(source, blob, position, signal);
    skip = position - opened.start;
    if (skip < 0) throw new RegistryError("corrupt", `${source.name} sent ${blob.digest} from a later byte than asked`);
    return largePieces(opened.stream);
  };
  const scope = abortScope(signal);
  const release = (): void => {
    const old = stream;
    stream = undefined;
    old?.cancel();
  };
  const interrupted = async (cause: unknown): Promise<void> => {
    release();
    signal.throwIfAborted();
    const error =
      cause instanceof RegistryError
        ? cause
        : new RegistryError("transient", `reading ${blob.digest} from ${source.name} broke off at ${position}`, {
            cause,
          });
    failures += 1;
    if (!isTransient(error) || error.failure === "delayed" || failures >= retry.attempts) throw error;
    // Who is told to wait that long gives its place to others.
    if (error.retryAfter !== undefined && error.retryAfter > retry.maximum) throw error;
    ports.onInterruption(`${error.message}; trying again from byte ${position}`);
    await ports.sleep(retryWait(failures, retry, error, ports.random), signal);
  };

  return {
    get position() {
      return position;
    },
    read: async () => {
      while (position < blob.size) {
        let piece: Uint8Array | undefined;
        try {
          stream ??= await open();
          const next = await scope.until(stream.read());
          piece = next.done ? undefined : next.value;
        } catch (error) {
          await interrupted(error);
          continue;
        }
        if (piece === undefined) {
          if (endedEarlyAt === position) {
            throw new RegistryError("corrupt", `${blob.digest} ends after ${position} of ${blob.size} bytes`);
          }
          endedEarlyAt = position;
          await interrupted(new Error("the stream ended early"));
          continue;
        }
        const dropped = Math.min(skip, piece.byteLength);
        skip -= dropped;
        if (dropped === piece.byteLength) continue;
        const fresh = dropped === 0 ? piece : piece.subarray(dropped);
        if (fresh.byteLength > blob.size - position) {
          release();
          throw new RegistryError("corrupt", `${blob.digest} is longer than ${blob.size} bytes`);
        }
        failures = 0;
        position += fresh.byteLength;
        if (position === blob.size) release();
        return fresh;
      }
      return undefined;
    },
    cancel() {
      scope.end();
      release();
    },
  };
}

async function openAt(source: SourceRepository, blob: Descriptor, offset: number, signal: AbortSignal) {
  let opened: Awaited<ReturnType<SourceRepository["blob"]>>;
  try {
    opened = await untilAborted(source.blob(blob.digest, offset, signal), signal);
  } catch (error) {
    if (offset === 0 || !(error instanceof RegistryError) || error.status !== 416) throw error;
    opened = await untilAborted(source.blob(blob.digest, 0, signal), signal);
  }
  if (opened === undefined) throw new RegistryError("missing", `${source.name} does not have the blob ${blob.digest}`);
  return opened;
}

/** Reads what is in memory already. */
export function readBytes(bytes: Uint8Array): BlobReader {
  let position = 0;
  return {
    get position() {
      return position;
    },
    read: async () => {
      if (position === bytes.byteLength) return undefined;
      position = bytes.byteLength;
      return bytes;
    },
    cancel: () => {},
  };
}
