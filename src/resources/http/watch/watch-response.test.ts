import { describe, expect, it } from "vitest";
import type { ResourceObject } from "../../objects/object.ts";
import { StatusError } from "../../status-error.ts";
import type { WatchFrame } from "../../storage/storage.ts";
import { watchLines, type WatchOptions } from "./watch-response.ts";

const QUIET: WatchFrame = { type: "BOOKMARK", resourceVersion: "7" };
const ADDED: WatchFrame = {
  type: "ADDED",
  object: { apiVersion: "g/v1", kind: "K", metadata: { name: "a" } } as ResourceObject,
};

async function text(
  frames: readonly WatchFrame[],
  changed: Partial<WatchOptions> = {},
  error?: Error,
): Promise<string> {
  async function* source(): AsyncGenerator<WatchFrame, void> {
    yield* frames;
    if (error !== undefined) throw error;
  }
  const options: WatchOptions = {
    bookmarks: false,
    initialEvents: false,
    timeoutSeconds: undefined,
    over: () => false,
    stopping: () => false,
    checkRights: async () => {},
    present: {
      object: ({ metadata }) => metadata.name,
      bookmark: (rv, endsInitial) => `${rv}${endsInitial ? " initial" : ""}`,
    },
    ...changed,
  };
  let whole = "";
  for await (const part of watchLines(source(), options)) whole += part;
  return whole;
}

const LINE = '{"type":"ADDED","object":"a"}\n';
const MARK = '{"type":"BOOKMARK","object":"7"}\n';

describe("watchLines", () => {
  it("writes space while nothing happens, and never an empty line", async () => {
    expect(await text([QUIET, ADDED, QUIET, QUIET, ADDED])).toBe(` ${LINE}  ${LINE}`);
  });

  it("writes none where the client says when to end, and takes no bookmark", async () => {
    expect(await text([QUIET, ADDED, QUIET], { timeoutSeconds: 60 })).toBe(LINE);
  });

  it("marks where the first objects end, then once a minute", async () => {
    const marked = await text([ADDED, QUIET, QUIET], { bookmarks: true, initialEvents: true });
    expect(marked).toBe(`${LINE}{"type":"BOOKMARK","object":"7 initial"}\n ${MARK}`);
  });

  it("ends with a bookmark rather than with space, for clients that know them", async () => {
    expect(await text([QUIET, QUIET], { bookmarks: true })).toBe(`${MARK} ${MARK}`);
  });

  it("that has lived for long enough ends after a line", async () => {
    const over = () => true;
    expect(await text([QUIET, ADDED], { over })).toBe("");
    expect(await text([ADDED, QUIET, ADDED], { over })).toBe(LINE);
    let asked = 0;
    const overLater = () => (asked += 1) > 3;
    expect(await text([ADDED, QUIET, QUIET, QUIET, ADDED, QUIET, ADDED], { over: overLater })).toBe(
      `${LINE}   ${LINE}`,
    );
  });

  it("ends with what the watcher may not do any more, and shows nothing after that", async () => {
    let asked = 0;
    const checkRights = async () => {
      if ((asked += 1) > 2) throw new StatusError("Forbidden", "not you");
    };
    const [first = "", last = ""] = (await text([ADDED, QUIET, ADDED, ADDED], { checkRights })).trimEnd().split("\n");
    expect(`${first}\n`).toBe(LINE);
    expect(JSON.parse(last)).toMatchObject({
      type: "ERROR",
      object: { kind: "Status", code: 403, message: "not you" },
    });
  });

  it("ends with a failure as an event", async () => {
    const failure = new StatusError("Expired", "too old");
    expect(JSON.parse(await text([ADDED], {}, failure).then((all) => all.slice(LINE.length)))).toMatchObject({
      type: "ERROR",
      object: { code: 410, message: "too old" },
    });
  });
});
