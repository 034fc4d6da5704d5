import * as z from "zod";

const id = z.int().positive();

/** A step of a run: the body of a message in the queue of mirroring (docs/schema.md). Every step may be repeated. */
export const syncMessageSchema = z.discriminatedUnion("type", [
  /** Find out what is to be copied, or go on with that. */
  z.object({ type: z.literal("plan"), execution: id }),
  /** Copy an item that was taken for this message; `attempt` tells it from messages that came late. */
  z.object({ type: z.literal("copy"), execution: id, item: id, attempt: z.int() }),
  /** Hand out what is due, or go on to the end. */
  z.object({ type: z.literal("advance"), execution: id }),
  /** Delete at the targets what the source no longer has. */
  z.object({ type: z.literal("prune"), execution: id }),
  /** End the run. */
  z.object({ type: z.literal("finish"), execution: id }),
]);

export type SyncMessage = z.infer<typeof syncMessageSchema>;

/** The longest that a queue holds a message back, in seconds. @see Cloudflare Queues, limits */
const MAX_DELAY = 12 * 3600;

/** How many messages one call sends. @see Cloudflare Queues, limits */
const MAX_BATCH = 100;

/** What sends messages. */
export type SyncQueue = Pick<Queue, "send" | "sendBatch">;

/** Sends a message, to be delivered after `delay` milliseconds; longer waits than a queue knows are armed again then. */
export async function sendMessage(queue: SyncQueue, message: SyncMessage, delay = 0): Promise<void> {
  const delaySeconds = Math.min(Math.ceil(delay / 1000), MAX_DELAY);
  await queue.send(message, delaySeconds > 0 ? { delaySeconds } : {});
}

export async function sendMessages(queue: SyncQueue, messages: readonly SyncMessage[]): Promise<void> {
  for (let index = 0; index < messages.length; index += MAX_BATCH) {
    await queue.sendBatch(messages.slice(index, index + MAX_BATCH).map((body) => ({ body })));
  }
}
