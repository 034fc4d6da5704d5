import * as z from "zod";
import type { ResourceClient, ResourceObject } from "../../resources/index.ts";
import { NOTIFICATION_CHANNELS, type NotificationChannelSpec, SYNC_API_VERSION } from "../kinds/index.ts";
import { displayName, updatedAt, withDisplayName } from "./object-names.ts";
import { checkDisplayName, listedObjects, newName, targetObject } from "./objects.ts";
import { type GivenSecret, writeSecrets } from "./owned-secrets.ts";
import { invalidField, RestFault } from "./rest-fault.ts";
import { type RestCall, type RestRoute, route } from "./route.ts";

const PATH = "/api/v1/notifications";
const tag = "notifications";
const KIND = NOTIFICATION_CHANNELS;
const message = z.object({ message: z.string() });
const testAnswer = z.object({ ok: z.boolean(), message: z.string() });

type ChannelObject = ResourceObject<NotificationChannelSpec>;

const channelView = z.object({
  id: z.int(),
  name: z.string(),
  namespace: z.string(),
  description: z.string(),
  type: z.enum(["webhook", "slack", "wecom", "dingtalk"]),
  has_secret: z.boolean().describe("Whether messages are signed."),
  enabled: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
});

const address = z
  .string()
  .max(2048)
  .refine((text) => text === "" || isAddress(text), "must be an http or https address without credentials")
  .describe("Where to send to. Kept encrypted and never returned, for who knows it can write there. Empty: as it is.");

const channelChange = z
  .object({
    name: z.string().trim().min(1).max(253),
    description: z.string().max(1024),
    type: z.enum(["webhook", "slack", "wecom", "wechat", "dingtalk"]).describe("`wechat` is another name for `wecom`."),
    webhook_url: address,
    secret: z
      .string()
      .max(4096)
      .describe("What messages are signed with. Kept encrypted, never returned. Empty: as it is."),
    enabled: z.boolean(),
  })
  .partial();
const channelInput = channelChange.required({ name: true, type: true, webhook_url: true });

type ChannelChange = z.infer<typeof channelChange>;

/** Where to tell about runs, as numbered resources. */
export const CHANNEL_ROUTES: readonly RestRoute[] = [
  route({
    method: "GET",
    path: PATH,
    summary: "All notification channels",
    tag,
    asked: { verb: "list", kind: KIND },
    status: 200,
    answer: z.array(channelView),
    async handle(call) {
      const channels = await listedObjects<NotificationChannelSpec>(call, KIND, "channel");
      return Response.json(channels.map(({ id, object }) => viewChannel(id, object)));
    },
  }),
  route({
    method: "POST",
    path: PATH,
    summary: "Adds a channel",
    tag,
    asked: { verb: "create", kind: KIND },
    body: channelInput,
    status: 201,
    answer: channelView,
    failures: { 409: "There is one of that name." },
    async handle(call, _query, given) {
      const { namespace } = call;
      if (given.webhook_url === "") throw invalidField("webhook_url", "is needed");
      const name = await newName(call, KIND, given.name);
      const object = await writeChannel(call, name, given.name, given, undefined);
      const id = await call.services.ids.idOf("channel", { namespace, name });
      return Response.json(viewChannel(id, object), { status: 201 });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id`,
    summary: "One channel",
    tag,
    asked: { verb: "get", kind: KIND },
    of: "channel",
    status: 200,
    answer: channelView,
    handle: async (call) => Response.json(viewChannel(call.id, await targetObject(call, KIND))),
  }),
  route({
    method: "PUT",
    path: `${PATH}/:id`,
    summary: "Changes what is given, and nothing else",
    tag,
    asked: { verb: "update", kind: KIND },
    of: "channel",
    body: channelChange,
    status: 200,
    answer: channelView,
    failures: { 409: "There is another one of the new name." },
    async handle(call, _query, given) {
      const current = await targetObject<NotificationChannelSpec>(call, KIND);
      const display = given.name ?? displayName(current.metadata);
      if (display !== displayName(current.metadata)) await checkDisplayName(call, KIND, display);
      return Response.json(viewChannel(call.id, await writeChannel(call, call.name, display, given, current)));
    },
  }),
  route({
    method: "DELETE",
    path: `${PATH}/:id`,
    summary: "Removes a channel and the secrets that were given for it",
    tag,
    asked: { verb: "delete", kind: KIND },
    of: "channel",
    status: 200,
    answer: message,
    async handle(call) {
      await call.client.delete(KIND, call);
      return Response.json({ message: "notification channel deleted" });
    },
  }),
  route({
    method: "POST",
    path: `${PATH}/:id/test`,
    summary: "Sends a message that says that it is a test",
    tag,
    asked: { verb: "create", kind: KIND, subresource: "test" },
    of: "channel",
    status: 200,
    answer: message,
    failures: { 503: "It could not be sent." },
    async handle(call) {
      const test = testAnswer.parse(await call.connect(KIND, call.name, "test", { method: "POST" }));
      if (!test.ok) throw new RestFault(503, "the message was not sent", test.message);
      return Response.json({ message: test.message });
    },
  }),
];

function viewChannel(id: number, { metadata, spec }: ChannelObject): z.infer<typeof channelView> {
  return {
    id,
    name: displayName(metadata),
    namespace: metadata.namespace ?? "",
    description: spec?.description ?? "",
    type: spec?.type ?? "webhook",
    has_secret: spec?.secretRef !== undefined,
    enabled: spec?.enabled ?? true,
    created_at: metadata.creationTimestamp,
    updated_at: updatedAt(metadata),
  };
}

async function writeChannel(
  call: RestCall,
  name: string,
  display: string,
  { type, description, webhook_url: url = "", secret = "", enabled }: ChannelChange,
  current: ChannelObject | undefined,
): Promise<ChannelObject> {
  const { namespace, client, dryClient } = call;
  const urlName = `channel-${name}-url`;
  const secretName = `channel-${name}-secret`;
  const given: GivenSecret[] = [
    ...(url === "" ? [] : [{ name: urlName, field: "url", value: url }]),
    ...(secret === "" ? [] : [{ name: secretName, field: "secret", value: secret }]),
  ];
  const specOf = (before: Partial<NotificationChannelSpec>): NotificationChannelSpec => {
    const spec: Partial<NotificationChannelSpec> = {
      ...before,
      ...(type === undefined ? {} : { type: type === "wechat" ? "wecom" : type }),
      ...(description === undefined ? {} : { description }),
      ...(url === "" ? {} : { urlRef: { name: urlName } }),
      ...(secret === "" ? {} : { secretRef: { name: secretName } }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    return spec as NotificationChannelSpec;
  };
  const write = (writer: ResourceClient): Promise<ChannelObject> =>
    current === undefined
      ? writer.create<NotificationChannelSpec>(KIND, {
          apiVersion: SYNC_API_VERSION,
          kind: "NotificationChannel",
          metadata: { name, namespace, annotations: withDisplayName(undefined, name, display) },
          spec: specOf({}),
        })
      : writer.update<NotificationChannelSpec>(KIND, { namespace, name }, (before) => ({
          ...before,
          metadata: { ...before.metadata, annotations: withDisplayName(before.metadata.annotations, name, display) },
          spec: specOf(before.spec ?? {}),
        }));
  // What is refused must not have changed a secret.
  if (given.length > 0) await write(dryClient);
  const secrets = await writeSecrets(call, { kind: KIND, namespace, name }, given);
  try {
    const object = await write(client);
    await secrets.adopt(object);
    return object;
  } catch (error) {
    await secrets.undo();
    throw error;
  }
}

function isAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}
