import * as z from "zod";
import {
  err,
  ok,
  type Clock,
  type Log,
  type Outbound,
  type OutboundFailure,
  type Result,
} from "../../platform/index.ts";
import type { ResourceClient } from "../../resources/index.ts";
import {
  type ChannelTester,
  NOTIFICATION_CHANNELS,
  type NotificationChannelSpec,
  SYNC_GROUP,
  type SyncTask,
  type WriterRights,
} from "../kinds/index.ts";
import type { ItemStore, LogStore, StoredExecution } from "../store/index.ts";
import { FORMATS } from "./formats.ts";
import { MAX_FAILURES, type Message, runMessage, testMessage } from "./run-message.ts";
import type { SecretDecrypter } from "../../secrets/index.ts";

/** What telling people about runs works with. */
export interface NotifierPorts {
  /** Asked for when it is needed, not before: it may be made after this. */
  readonly client: () => ResourceClient;
  readonly decrypter: Pick<SecretDecrypter, "decrypt">;
  readonly outbound: Pick<Outbound, "request">;
  readonly items: Pick<ItemStore, "failed">;
  readonly logs: Pick<LogStore, "append">;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the writer of a task may still have its channels told. */
  readonly rights: Pick<WriterRights, "channelRefusal">;
  /** Where people see a run, if the server knows its own address. */
  readonly link?: (run: StoredExecution) => string | undefined;
}

/** Tells people about runs. */
export interface Notifier extends ChannelTester {
  /** Tells the channels of the task, if it wants that for this outcome. Never fails; what goes wrong is in the run's log. */
  runEnded(run: StoredExecution, task: SyncTask): Promise<void>;
}

/** Bytes of an answer that are read. */
const MAX_ANSWER = 4096;
const MAX_REASON = 200;
const robotSchema = z.object({ errcode: z.number(), errmsg: z.string().default("") });

/** Tells people about runs through their channels. */
export function createNotifier(ports: NotifierPorts): Notifier {
  return {
    async runEnded(run, task) {
      const { when, channels } = task.spec?.notifications ?? { when: "never", channels: [] };
      if (channels.length === 0 || run.dryRun || !isWanted(when, run)) return;
      try {
        const failed = run.itemsFailed === 0 ? [] : await ports.items.failed(run.id, MAX_FAILURES);
        const message = runMessage(run, task, failed, ports.link?.(run));
        const id = (channel: string) => `${run.uid}.${channel}`;
        await Promise.all(
          [...new Set(channels)].map(async (channel) => {
            const refusal = await ports.rights.channelRefusal(task, channel);
            const sent =
              refusal === undefined
                ? await deliver(ports, run.namespace, channel, message, id(channel))
                : err(`the task may not tell it: ${refusal}`);
            if (!sent.ok && sent.error !== DISABLED) await note(ports, run, channel, sent.error);
          }),
        );
      } catch (error) {
        ports.log.error("sync.notify-failed", { execution: run.id, error });
      }
    },
    async test(namespace, name) {
      const sent = await deliver(ports, namespace, name, testMessage(namespace, name), crypto.randomUUID());
      return sent.ok ? { ok: true, message: "the test message was sent" } : { ok: false, message: sent.error };
    },
  };
}

const DISABLED = "the channel is not enabled";

function isWanted(when: "all" | "failed" | "never", { state }: StoredExecution): boolean {
  return when === "all" || (when === "failed" && (state === "failed" || state === "partial"));
}

async function note(
  { logs, clock }: NotifierPorts,
  { id }: StoredExecution,
  channel: string,
  reason: string,
): Promise<void> {
  const message = `the channel ${channel} could not be told: ${reason}`;
  await logs.append(id, [{ at: clock(), level: "warn", message }]);
}

/** Sends a message; the error is for people, and has no address and no secret in it. */
async function deliver(
  ports: NotifierPorts,
  namespace: string,
  channel: string,
  message: Message,
  id: string,
): Promise<Result<void, string>> {
  const found = await ports.client().find<NotificationChannelSpec>(NOTIFICATION_CHANNELS, { namespace, name: channel });
  if (found?.spec === undefined) return err("there is no such channel");
  const { type, enabled } = found.spec;
  if (!enabled && message.event !== "test") return err(DISABLED);
  const secrets = await secretsOf(ports, namespace, found.spec);
  if (!secrets.ok) return secrets;
  const { url, secret } = secrets.value;
  const delivery = FORMATS[type](message, { url, secret, now: ports.clock(), id });
  const response = await ports.outbound.request({
    ...delivery,
    method: "POST",
    retry: "repeat",
    maxBytes: MAX_ANSWER,
    // What is sent is for this receiver, and its address is a secret.
    within: (address) => address.origin === url.origin,
  });
  return response.ok ? outcome(type, response.value) : err(FAILURES[response.error.reason]);
}

const FAILURES: Readonly<Record<OutboundFailure["reason"], string>> = {
  "bad-address": "its address is not an http or https address",
  "private-address": "its address is private, and OUTBOUND_PRIVATE does not allow those",
  timeout: "it did not answer in time",
  unreachable: "it could not be reached",
  "bad-redirect": "it sent somewhere else",
};

async function secretsOf(
  { decrypter }: NotifierPorts,
  namespace: string,
  { urlRef, secretRef }: NotificationChannelSpec,
): Promise<Result<{ readonly url: URL; readonly secret: string | undefined }, string>> {
  const names = [urlRef.name, ...(secretRef === undefined ? [] : [secretRef.name])];
  const values = await decrypter.decrypt(SYNC_GROUP, namespace, names);
  const unread = names.find((name) => values.get(name)?.ok !== true);
  if (unread !== undefined)
    return err(`the SecureValue ${unread} cannot be read: it needs ${SYNC_GROUP} as a decrypter`);
  const text = (name: string) => {
    const value = values.get(name);
    return value?.ok === true ? value.value : undefined;
  };
  const url = URL.parse(text(urlRef.name)?.trim() ?? "");
  if (url === null) return err("its address is not an http or https address");
  return ok({ url, secret: secretRef === undefined ? undefined : text(secretRef.name) });
}

/** The group robots answer 200 also to what they refuse, and say so in the body. */
async function outcome(type: NotificationChannelSpec["type"], response: Response): Promise<Result<void, string>> {
  if (!response.ok) {
    await response.body?.cancel();
    return err(`it answered ${response.status}`);
  }
  if (type !== "wecom" && type !== "dingtalk") {
    await response.body?.cancel();
    return ok(undefined);
  }
  const answer = await robotAnswer(response);
  if (answer === undefined) return err("it answered something that is not JSON");
  const { errcode, errmsg } = answer;
  return errcode === 0 ? ok(undefined) : err(`it answered ${errcode}: ${errmsg.slice(0, MAX_REASON)}`);
}

async function robotAnswer(response: Response): Promise<z.infer<typeof robotSchema> | undefined> {
  try {
    const parsed = robotSchema.safeParse(await response.json());
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
