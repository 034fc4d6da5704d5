import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Outbound } from "../../platform/index.ts";
import type { ResourceClient } from "../../resources/index.ts";
import type { NotificationChannelSpec, SyncTask } from "../kinds/index.ts";
import type { LogLine, StoredExecution, StoredItem } from "../store/index.ts";
import { createNotifier } from "./notifier.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const SECRET = "signing-secret";
const ADDRESS = "https://hooks.example.com/robot/send?access_token=very-secret";

interface Sent {
  readonly url: URL;
  readonly headers: Headers;
  readonly text: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

interface World {
  readonly type?: NotificationChannelSpec["type"];
  readonly enabled?: boolean;
  readonly answers?: readonly (() => Response)[];
  readonly address?: string;
  readonly failed?: readonly StoredItem[];
  /** Why the writer of the task may not have a channel told, by its name. */
  readonly refusals?: Readonly<Record<string, string>>;
}

function world({
  type = "webhook",
  enabled = true,
  answers = [],
  address = ADDRESS,
  failed = [],
  refusals = {},
}: World = {}) {
  const sent: Sent[] = [];
  const lines: LogLine[] = [];
  const spec: NotificationChannelSpec = { type, urlRef: { name: "url" }, secretRef: { name: "secret" }, enabled };
  const secrets: Readonly<Record<string, string>> = { url: address, secret: SECRET };
  const outbound = new Outbound({
    allowPrivate: false,
    sleep: async () => {},
    random: () => 0.5,
    async fetch(url, init) {
      const text = typeof init.body === "string" ? init.body : "";
      sent.push({ url: new URL(url), headers: new Headers(init.headers), text, body: JSON.parse(text) });
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      return answer?.() ?? Response.json({ errcode: 0 });
    },
  });
  const notifier = createNotifier({
    client: () => ({ find: async () => ({ spec }) }) as unknown as ResourceClient,
    decrypter: {
      decrypt: async (_service, _namespace, names) =>
        new Map(names.map((name) => [name, { ok: true, value: secrets[name] ?? "" }])),
    },
    outbound,
    rights: { channelRefusal: async (_task, channel) => refusals[channel] },
    items: { failed: async () => failed },
    logs: {
      async append(_execution, added) {
        lines.push(...added);
        return [];
      },
    },
    clock: () => NOW,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    link: ({ id }) => `https://registry.example.com/runs/${id}`,
  });
  return { sent, lines, notifier };
}

function run(more: Partial<StoredExecution> = {}): StoredExecution {
  return {
    id: 7,
    uid: "uid-7",
    namespace: "team-a",
    task: "nightly",
    taskUid: "uid",
    cause: "schedule",
    actor: "system:schedule",
    scheduledAt: null,
    dryRun: false,
    onlyFailedOf: null,
    tags: null,
    state: "partial",
    stopRequested: false,
    createdAt: NOW - 100_000,
    startedAt: NOW - 95_000,
    endedAt: NOW,
    heartbeatAt: NOW,
    error: "1 of 4 failed",
    createdRv: 1,
    rv: 2,
    deletedAt: null,
    itemsTotal: 4,
    itemsCopied: 2,
    itemsUnchanged: 1,
    itemsSkipped: 0,
    itemsFailed: 1,
    tagsDeleted: 0,
    blobsTotal: 10,
    blobsCopied: 5,
    blobsMounted: 1,
    blobsSkipped: 4,
    blobsFailed: 0,
    bytesTotal: 3_000_000,
    bytesCopied: 3_000_000,
    ...more,
  };
}

function task(when: "all" | "failed" | "never" = "all", channels = ["ops"]): SyncTask {
  const metadata = { name: "nightly", namespace: "team-a" };
  return { metadata, spec: { notifications: { when, channels } } } as unknown as SyncTask;
}

function item(error: string, repository = "library/nginx"): StoredItem {
  return { id: 1, repository, tag: "1.27", error } as StoredItem;
}

describe("what channels are sent", () => {
  const failed = [item("denied <!channel> & *[x](https://evil.example.com)* `y` @all\nnext line")];

  it("is signed JSON for webhooks", async () => {
    const { sent, notifier } = world({ failed });
    await notifier.runEnded(run(), task());
    const [message] = sent;
    const timestamp = message?.headers.get("x-entrepot-timestamp") ?? "";
    expect(timestamp).toBe(String(NOW / 1000));
    const expected = createHmac("sha256", SECRET).update(`${timestamp}.${message?.text}`).digest("hex");
    expect(message?.headers.get("x-entrepot-signature-256")).toBe(`sha256=${expected}`);
    expect(message?.headers.get("x-entrepot-event")).toBe("execution.ended");
    expect(message?.body).toMatchObject({
      event: "execution.ended",
      namespace: "team-a",
      task: { name: "nightly" },
      state: "partial",
      durationSeconds: 95,
      execution: { id: 7, name: "nightly-7", trigger: "schedule" },
      items: { total: 4, copied: 2, unchanged: 1, skipped: 0, failed: 1 },
      bytes: { copied: 3_000_000 },
      failures: [{ image: "library/nginx:1.27" }],
      link: "https://registry.example.com/runs/7",
    });
  });

  it("is escaped for Slack", async () => {
    const { sent, notifier } = world({ type: "slack", failed });
    await notifier.runEnded(run(), task());
    const blocks: readonly { text: { text: string } }[] = sent[0]?.body.blocks;
    const text = blocks.map((block) => block.text.text).join("\n");
    expect(text).toContain("nightly failed in part");
    expect(text).toContain("*Duration:* 1m35s");
    expect(text).toContain("denied &lt;!channel&gt; &amp;");
    expect(text).not.toContain("<!channel>");
    expect(text).toContain("<https://registry.example.com/runs/7|Open>");
  });

  it.each(["wecom", "dingtalk"] as const)("is harmless Markdown for %s", async (type) => {
    const { sent, notifier } = world({ type, failed });
    await notifier.runEnded(run(), task());
    const { body } = sent[0] ?? { body: undefined };
    expect(body.msgtype).toBe("markdown");
    const text: string = type === "wecom" ? body.markdown.content : body.markdown.text;
    expect(text).toContain("> **Tags:** 2 copied, 1 unchanged, 0 skipped, 1 failed");
    expect(text).toContain("> **Copied:** 2.9 MiB");
    expect(text).toContain(
      "library/nginx:1.27: denied ‹！channel› & ∗(x)(https://evil.example.com)∗ 'y' ＠all next line",
    );
    expect(text).toContain("[Open](https://registry.example.com/runs/7)");
  });

  it("is signed in the address for DingTalk", async () => {
    const { sent, notifier } = world({ type: "dingtalk" });
    await notifier.test("team-a", "ops");
    const query = sent[0]?.url.searchParams;
    expect(query?.get("access_token")).toBe("very-secret");
    expect(query?.get("timestamp")).toBe(String(NOW));
    expect(query?.get("sign")).toBe(createHmac("sha256", SECRET).update(`${NOW}\n${SECRET}`).digest("base64"));
    expect(sent[0]?.body.markdown.title).toBe("This is a test");
  });

  it("is as much as the services take", async () => {
    const long = Array.from({ length: 50 }, (_, index) => item("é".repeat(5000), `a${index}/${"b".repeat(200)}`));
    for (const type of ["slack", "wecom", "dingtalk"] as const) {
      const { sent, notifier } = world({ type, failed: long });
      await notifier.runEnded(run({ itemsFailed: 50, error: "x".repeat(5000) }), task());
      const { body } = sent[0] ?? { body: undefined };
      if (type === "wecom")
        expect(new TextEncoder().encode(body.markdown.content).byteLength).toBeLessThanOrEqual(4096);
      if (type === "slack") for (const { text } of body.blocks) expect(text.text.length).toBeLessThanOrEqual(3000);
      if (type === "dingtalk") expect(body.markdown.text).toContain("and 45 more");
    }
  });
});

describe("when", () => {
  it.each([
    ["all", "succeeded", 1],
    ["all", "canceled", 1],
    ["failed", "succeeded", 0],
    ["failed", "unchanged", 0],
    ["failed", "partial", 1],
    ["failed", "failed", 1],
    ["never", "failed", 0],
  ] as const)("%s, a run that %s is told %i times", async (when, state, times) => {
    const { sent, notifier } = world();
    await notifier.runEnded(run({ state }), task(when, ["ops", "ops"]));
    expect(sent).toHaveLength(times);
  });

  it("nothing is told of dry runs, nor to channels that are not enabled", async () => {
    const dry = world();
    await dry.notifier.runEnded(run({ dryRun: true }), task());
    const disabled = world({ enabled: false });
    await disabled.notifier.runEnded(run(), task());
    expect([...dry.sent, ...disabled.sent, ...dry.lines, ...disabled.lines]).toEqual([]);
    // A test is asked for.
    expect(await disabled.notifier.test("team-a", "ops")).toMatchObject({ ok: true });
  });
});

describe("a channel that fails", () => {
  const busy = () => new Response("busy", { status: 503 });
  const fine = () => Response.json({ errcode: 0 });

  it("nothing is told by a channel that the writer of the task may no longer use", async () => {
    const { sent, lines, notifier } = world({ refusals: { ops: "its writer, alice: they may not use it" } });
    await notifier.runEnded(run(), task());
    expect(sent).toEqual([]);
    expect(lines).toMatchObject([
      {
        message: "the channel ops could not be told: the task may not tell it: its writer, alice: they may not use it",
      },
    ]);
  });

  it("is tried three times", async () => {
    const recovers = world({ answers: [busy, busy, fine] });
    await recovers.notifier.runEnded(run(), task());
    expect(recovers.sent).toHaveLength(3);
    expect(recovers.lines).toEqual([]);
    const down = world({ answers: [busy] });
    await down.notifier.runEnded(run(), task());
    expect(down.sent).toHaveLength(3);
    expect(down.lines).toEqual([
      { at: NOW, level: "warn", message: "the channel ops could not be told: it answered 503" },
    ]);
  });

  it.each([
    [
      "wecom",
      () => Response.json({ errcode: 93000, errmsg: "invalid webhook url" }),
      "it answered 93000: invalid webhook url",
    ],
    ["dingtalk", () => new Response("<html>"), "it answered something that is not JSON"],
    ["slack", () => new Response("invalid_token", { status: 403 }), "it answered 403"],
    ["webhook", () => Response.redirect("https://elsewhere.example.com/"), "it sent somewhere else"],
  ] as const)("is told of: %s", async (type, answer, message) => {
    const { notifier, lines } = world({ type, answers: [answer] });
    expect(await notifier.test("team-a", "ops")).toEqual({ ok: false, message });
    await notifier.runEnded(run(), task());
    expect(JSON.stringify(lines)).not.toContain("very-secret");
  });

  it("has no private address", async () => {
    const { notifier, sent } = world({ address: "http://169.254.169.254/latest" });
    expect(await notifier.test("team-a", "ops")).toMatchObject({
      ok: false,
      message: expect.stringContaining("private"),
    });
    expect(sent).toEqual([]);
  });
});
