/**
 * Gives the memory behind `bytes` back at once; they are empty afterwards. What is only forgotten counts against the
 * isolate until the engine sees a reason to collect, which it does after 64 MiB of such memory.
 * @param bytes a whole buffer: views of the same memory are emptied as well
 */
export function freeBytes({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
