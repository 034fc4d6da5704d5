/** Reads a stream piece by piece. */
export interface PieceReader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  /** Lets go of the stream, without waiting: one that hangs must not hold up who lets it go. */
  readonly cancel: (reason?: unknown) => void;
}

/** Bytes that are read at once, where the runtime can: what a piece costs does not depend on its size. */
const PIECE = 256 * 1024;

/**
 * Reads a stream in large pieces. workerd gives out what comes from a network or a store in pieces of 4 KiB unless it is
 * asked for more; elsewhere, and of streams that are made by scripts, pieces are as large as they come.
 */
export function largePieces(stream: ReadableStream<Uint8Array>): PieceReader {
  const byob = byobReader(stream);
  if (byob === undefined) {
    const reader = stream.getReader();
    return { read: () => reader.read(), cancel: cancelOf(reader) };
  }
  return {
    // Each piece is somebody else's from then on.
    async read() {
      const { done, value } = await byob.readAtLeast(PIECE, new Uint8Array(PIECE));
      return done || value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
    cancel: cancelOf(byob),
  };
}

/** What workerd's readers can besides those of others. @see Cloudflare Workers, ReadableStreamBYOBReader */
interface PatientReader extends Pick<ReadableStreamBYOBReader, "cancel"> {
  readAtLeast(bytes: number, into: Uint8Array): Promise<ReadableStreamReadResult<Uint8Array>>;
}

function isPatient(reader: object): reader is PatientReader {
  return "readAtLeast" in reader;
}

/** `undefined` if the runtime or the stream has none that waits for as much as it is asked for. */
function byobReader(stream: ReadableStream<Uint8Array>): PatientReader | undefined {
  if (!isPatient(ReadableStreamBYOBReader.prototype)) return undefined;
  try {
    const reader: object = stream.getReader({ mode: "byob" });
    return isPatient(reader) ? reader : undefined;
  } catch (error) {
    if (error instanceof TypeError && !stream.locked) return undefined;
    throw error;
  }
}

function cancelOf(reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "cancel">): (reason?: unknown) => void {
  return (reason) => void reader.cancel(reason).catch(() => undefined);
}
