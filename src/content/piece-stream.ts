/** A stream of `size` bytes, made of pieces that are asked for one by one as it is read. */
export function streamOfPieces(size: number, pieces: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(size);
  const send = async (): Promise<void> => {
    const writer = writable.getWriter();
    try {
      for (const piece of pieces) await writer.write(piece);
      await writer.close();
    } catch (error) {
      // Whoever reads is told, unless it was the reader who gave up.
      await writer.abort(error).catch(() => {});
    }
  };
  void send();
  return readable;
}
