import type { Log } from "../platform/index.ts";

/** What does one kind of messages. A queue's name says nothing: another installation or environment has others. */
export interface MessageConsumer {
  /** Whether it is the one for a message. */
  accepts(body: unknown): boolean;
  /** Does what a message says. It may come twice. @throws if it should be tried again */
  run(body: unknown): Promise<void>;
  /** Closes what failed every time. */
  giveUp(body: unknown): Promise<void> | void;
  /** How often a message is tried, in all. Less than the queue itself does, which then drops it. */
  readonly attempts: number;
}

/** What dealing with messages works with. */
export interface DeliveryPorts {
  readonly consumers: readonly MessageConsumer[];
  readonly log: Log;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/** Bounds of the wait before a message is tried again, in seconds: it doubles with each try. */
const WAIT = { first: 5, longest: 600 } as const;

type Delivered = Pick<Message, "id" | "body" | "attempts" | "ack" | "retry">;

/**
 * Has each message done by the consumer that accepts it. One that fails is delivered again, later each time; when it
 * has failed as often as its consumer tries, that gives it up. One that nobody accepts, such as that of a later version,
 * is never taken from its queue: it is delivered again until the queue moves it to its dead letters.
 */
export async function deliver(messages: readonly Delivered[], ports: DeliveryPorts): Promise<void> {
  for (const message of messages) await deliverOne(message, ports);
}

async function deliverOne(message: Delivered, { consumers, log, random }: DeliveryPorts): Promise<void> {
  const { id, body, attempts } = message;
  const again = (): void => message.retry({ delaySeconds: waitAfter(attempts, random) });
  const consumer = consumers.find((candidate) => candidate.accepts(body));
  if (consumer === undefined) {
    log.error("queue.unknown-message", { id, attempts, type: typeOf(body) });
    return again();
  }
  // Past its attempts it ended the Worker each time, or could not be given up.
  if (attempts <= consumer.attempts) {
    try {
      await consumer.run(body);
      return message.ack();
    } catch (error) {
      log.error("queue.message-failed", { id, attempts, type: typeOf(body), error });
    }
    if (attempts < consumer.attempts) return again();
  }
  try {
    await consumer.giveUp(body);
    message.ack();
  } catch (error) {
    log.error("queue.give-up-failed", { id, attempts, type: typeOf(body), error });
    again();
  }
}

/** Seconds until the try after number `attempts`: half of it certain, half drawn, so that those that failed together spread. */
function waitAfter(attempts: number, random: () => number): number {
  const most = Math.min(WAIT.longest, WAIT.first * 2 ** Math.min(attempts - 1, 20));
  return Math.ceil(most / 2 + (most / 2) * random());
}

/** What a message calls itself, for people. */
function typeOf(body: unknown): string {
  const type: unknown = typeof body === "object" && body !== null && "type" in body ? body.type : undefined;
  return typeof type === "string" ? type.slice(0, 64) : "none";
}
