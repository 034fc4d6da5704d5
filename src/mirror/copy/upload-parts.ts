import type { Descriptor } from "../../oci/index.ts";
import type { Checkpoints, TargetBlob } from "../ports.ts";
import { type BlobUpload, RegistryError } from "../registry.ts";

/**
 * Sends `stream`, which begins at the upload's offset, in parts of `partSize` bytes, and notes after each where it
 * stands. `stop` is called before each part and may throw.
 * @throws RegistryError "transient" if the target took less than it was sent
 */
export async function uploadParts(
  upload: BlobUpload,
  blob: Descriptor,
  stream: ReadableStream<Uint8Array>,
  options: {
    readonly partSize: number;
    readonly checkpoints: Checkpoints;
    readonly key: TargetBlob;
    readonly stop: () => void;
  },
): Promise<void> {
  const pieces = pieceReader(stream);
  let { offset } = upload.state;
  try {
    while (offset < blob.size) {
      options.stop();
      const length = Math.min(options.partSize, blob.size - offset);
      const state = await upload.append(partOf(pieces, length), length);
      await options.checkpoints.save(options.key, { location: state.location, offset: state.offset });
      if (state.offset !== offset + length) {
        throw new RegistryError(
          "transient",
          `the target has ${state.offset} bytes of ${blob.digest}, not ${offset + length}`,
        );
      }
      offset = state.offset;
    }
    // The stream ends well only if the digest is right.
    if ((await pieces.next(1)) !== undefined) throw new RegistryError("corrupt", `${blob.digest} is too long`);
  } finally {
    pieces.cancel();
  }
  options.stop();
  await upload.close(blob.digest);
  await options.checkpoints.remove(options.key);
}

interface PieceReader {
  /** Up to `most` bytes, or `undefined` at the end. */
  next(most: number): Promise<Uint8Array | undefined>;
  cancel(): void;
}

function pieceReader(stream: ReadableStream<Uint8Array>): PieceReader {
  const reader = stream.getReader();
  let rest: Uint8Array | undefined;
  return {
    next: async (most) => {
      if (rest === undefined) {
        const read = await reader.read();
        if (read.done) return undefined;
        rest = read.value;
      }
      const piece = rest.subarray(0, most);
      rest = piece.byteLength < rest.byteLength ? rest.slice(most) : undefined;
      return piece;
    },
    cancel: () => void reader.cancel().catch(() => {}),
  };
}

function partOf(pieces: PieceReader, length: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const piece = await pieces.next(left);
        if (piece === undefined) {
          controller.error(new Error(`the blob ended ${left} bytes early`));
          return;
        }
        left -= piece.byteLength;
        controller.enqueue(piece);
        if (left === 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
