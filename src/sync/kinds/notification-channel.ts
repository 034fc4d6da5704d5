import * as z from "zod";
import type { KindDeclaration } from "../../resources/index.ts";
import { NOTIFICATION_CHANNELS } from "./names.ts";
import { secretRef } from "./registry.ts";

export const notificationChannelSpec = z.object({
  description: z.string().max(1024).optional().describe("Who reads it."),
  type: z
    .enum(["webhook", "slack", "wecom", "dingtalk"])
    .describe("What is sent: JSON to a `webhook`, or a message to Slack, WeChat Work or DingTalk."),
  urlRef: secretRef.describe("Where to send it. The address is a secret: who knows it can write there."),
  secretRef: secretRef.optional().describe("What messages are signed with, for `webhook` and `dingtalk`."),
  enabled: z.boolean().default(true).describe("Whether anything is sent."),
});

export type NotificationChannelSpec = z.infer<typeof notificationChannelSpec>;

export const notificationChannelKind: KindDeclaration<typeof notificationChannelSpec> = {
  kind: "NotificationChannel",
  plural: NOTIFICATION_CHANNELS.plural,
  shortNames: ["nc"],
  categories: ["sync"],
  scope: "Namespaced",
  description: "Where to tell about runs of tasks.",
  spec: notificationChannelSpec,
  columns: [
    { name: "Type", type: "string", jsonPath: ".spec.type" },
    { name: "Enabled", type: "boolean", jsonPath: ".spec.enabled" },
    { name: "Description", type: "string", jsonPath: ".spec.description", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};
