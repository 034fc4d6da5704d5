import { dropRest } from "./unread-body.ts";

/**
 * A refusal as its client gets to see it. workerd closes the connection of a request whose body was not read as soon as
 * the answer has ended, and a client that is sending then loses the answer; so the rest is dropped before. Where it is a
 * long one, the answer goes out whole, for clients that read while they send, and ends only when more was dropped.
 */
export async function answerBeforeRest(request: Request, answer: Response): Promise<Response> {
  const { body } = request;
  if (answer.status < 400 || body === null || body.locked) return answer;
  const enough = Promise.withResolvers<boolean>();
  const dropped = dropRest(body, () => enough.resolve(false));
  const ended = await Promise.race([dropped.then(() => true), enough.promise]);
  if (ended || answer.body === null) return answer;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const { readable, writable } = new FixedLengthStream(bytes.byteLength);
  void send(writable.getWriter(), bytes, dropped);
  return new Response(readable, answer);
}

async function send(writer: WritableStreamDefaultWriter, bytes: Uint8Array, dropped: Promise<void>): Promise<void> {
  try {
    await Promise.all([writer.write(bytes), dropped]);
    await writer.close();
  } catch {
    // The client is gone.
  }
}
