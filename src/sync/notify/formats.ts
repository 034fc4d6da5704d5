import { createHmac } from "node:crypto";
import type { NotificationChannelSpec } from "../kinds/index.ts";
import type { Message } from "./run-message.ts";

/** A message as a channel takes it. */
export interface Delivery {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where a message goes, and when. */
export interface Destination {
  readonly url: URL;
  readonly secret: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Tells one message from another, for receivers that get it twice. */
  readonly id: string;
}

type Format = (message: Message, destination: Destination) => Delivery;

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

/** Bounds of what the services take. @see Slack, "Block Kit"; WeChat Work and DingTalk, "group robots" */
const LIMITS = { slackHeader: 150, slackSection: 3000, wecomBytes: 4096, dingtalkBytes: 18_000, title: 120 } as const;

/** How each type of channel is told something. */
export const FORMATS: Readonly<Record<NotificationChannelSpec["type"], Format>> = {
  webhook: webhookDelivery,
  slack: slackDelivery,
  wecom: wecomDelivery,
  dingtalk: dingtalkDelivery,
};

/** JSON, signed over `<timestamp>.<body>` if there is a secret. The timestamp is in seconds. */
function webhookDelivery({ event, title, link, data }: Message, { url, secret, now, id }: Destination): Delivery {
  const timestamp = String(Math.floor(now / 1000));
  const body = JSON.stringify({
    id,
    event,
    timestamp: Number(timestamp),
    title,
    ...data,
    ...(link === undefined ? {} : { link }),
  });
  const signature =
    secret === undefined ? {} : { "x-entrepot-signature-256": `sha256=${hmac(secret, `${timestamp}.${body}`, "hex")}` };
  return {
    url,
    headers: {
      ...JSON_TYPE,
      "x-entrepot-event": event,
      "x-entrepot-delivery": id,
      "x-entrepot-timestamp": timestamp,
      ...signature,
    },
    body,
  };
}

/** @see Slack, "Formatting text for app surfaces": three characters are control characters */
function slackDelivery(message: Message, { url }: Destination): Delivery {
  const escape = (text: string) =>
    oneLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const facts = message.facts.map(([name, value]) => `*${name}:* ${escape(value)}`);
  const failures = failureLines(
    message,
    ({ image, error }) => `• \`${escape(image).replaceAll("`", "'")}\` ${escape(error)}`,
  );
  const link = message.link === undefined ? [] : [`<${message.link}|Open>`];
  const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });
  const body = {
    text: cut(escape(message.title), LIMITS.title),
    blocks: [
      {
        type: "header",
        text: { type: "plain_text", text: cut(`${mark(message)} ${oneLine(message.title)}`, LIMITS.slackHeader) },
      },
      ...[facts, failures, link]
        .filter((lines) => lines.length > 0)
        .map((lines) => section(joined(lines, (text) => text.length <= LIMITS.slackSection))),
    ],
  };
  return { url, headers: JSON_TYPE, body: JSON.stringify(body) };
}

function wecomDelivery(message: Message, { url }: Destination): Delivery {
  const content = markdown(message, LIMITS.wecomBytes);
  return { url, headers: JSON_TYPE, body: JSON.stringify({ msgtype: "markdown", markdown: { content } }) };
}

/** With a secret, the address has a signature of the time in milliseconds. @see DingTalk, "Customize robot security settings" */
function dingtalkDelivery(message: Message, { url, secret, now }: Destination): Delivery {
  const signed = new URL(url);
  if (secret !== undefined) {
    signed.searchParams.set("timestamp", String(now));
    signed.searchParams.set("sign", hmac(secret, `${now}\n${secret}`, "base64"));
  }
  const title = cut(plain(message.title), LIMITS.title);
  const text = markdown(message, LIMITS.dingtalkBytes);
  return { url: signed, headers: JSON_TYPE, body: JSON.stringify({ msgtype: "markdown", markdown: { title, text } }) };
}

/** Markdown as both group robots read it. */
function markdown(message: Message, maximum: number): string {
  const lines = [
    `### ${mark(message)} ${cut(plain(message.title), LIMITS.title)}`,
    ...message.facts.map(([name, value]) => `> **${name}:** ${plain(value)}`),
    ...failureLines(message, ({ image, error }) => `- ${plain(image)}: ${plain(error)}`),
    ...(message.link === undefined ? [] : [`[Open](${message.link})`]),
  ];
  const encoder = new TextEncoder();
  return joined(lines, (text) => encoder.encode(text).byteLength <= maximum, "\n\n");
}

function mark({ good }: Message): string {
  return good ? "✅" : "❌";
}

function failureLines(
  { failures, moreFailures }: Message,
  line: (failure: Message["failures"][number]) => string,
): string[] {
  const more = failures.length > 0 && moreFailures > 0 ? [`and ${moreFailures} more`] : [];
  return [...failures.map(line), ...more];
}

/** As many whole lines as fit. */
function joined(lines: readonly string[], fits: (text: string) => boolean, separator = "\n"): string {
  let text = "";
  for (const line of lines) {
    const next = text === "" ? line : `${text}${separator}${line}`;
    if (!fits(next)) break;
    text = next;
  }
  return text;
}

/** Characters that mean something in Markdown, and mentions in the robots' dialects, by ones that look like them. */
const HARMLESS: Readonly<Record<string, string>> = {
  "<": "‹",
  ">": "›",
  "[": "(",
  "]": ")",
  "`": "'",
  "*": "∗",
  "@": "＠",
  "!": "！",
};

/** Text that is nothing but text in Markdown that knows no way to escape. */
function plain(text: string): string {
  return oneLine(text).replaceAll(/[<>[\]`*@!]/g, (character) => HARMLESS[character] ?? character);
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

function cut(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

function hmac(secret: string, text: string, encoding: "hex" | "base64"): string {
  return createHmac("sha256", secret).update(text).digest(encoding);
}
