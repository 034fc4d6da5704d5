import { afterEach, describe, expect, it, vi } from "vitest";
import { json, testRegistry } from "./network.fixture.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const signal = new AbortController().signal;
const BASIC = { kind: "basic", username: "me", password: "secret" } as const;

function redirect(location: string, status = 307): Response {
  return new Response(null, { status, headers: { location } });
}

afterEach(() => {
  vi.useRealTimers();
});

describe("redirects", () => {
  it("are followed by hand, with Authorization on the same origin only, not after a way back either", async () => {
    const { registry, network, acquired } = testRegistry(
      ({ url, headers }) => {
        if (!headers.has("authorization") && url.pathname.startsWith("/v2/")) {
          return new Response("", { status: 401, headers: { "www-authenticate": "Basic" } });
        }
        if (url.pathname.startsWith("/v2/")) return redirect("/here");
        if (url.pathname === "/here") return redirect("https://storage.example.net/blob?signature=a%2Fb");
        if (url.pathname === "/blob") return redirect("https://registry.example.com/back");
        return new Response("bytes");
      },
      { credential: BASIC },
    );
    const blob = await registry.repository("a", "pull").blob(DIGEST, 0, signal);
    expect(await new Response(blob?.stream).text()).toBe("bytes");
    expect(network.seen.slice(1).map(({ url, headers }) => [url.pathname, headers.has("authorization")])).toEqual([
      [`/v2/a/blobs/${DIGEST}`, true],
      ["/here", true],
      ["/blob", false],
      ["/back", false],
    ]);
    expect(network.seen[3]?.url.search).toBe("?signature=a%2Fb");
    expect(network.seen.every(({ headers }) => headers.get("accept-encoding") === "identity")).toBe(true);
    expect(network.seen.every(({ headers }) => headers.get("user-agent") === "entrepot")).toBe(true);
    expect(acquired).toHaveLength(network.seen.length);
  });

  it.each([
    ["http://storage.example.net/", "forbidden-address"],
    ["https://10.0.0.1/", "forbidden-address"],
    ["https://169.254.169.254/latest/meta-data", "forbidden-address"],
    ["https://user:pass@storage.example.net/", "forbidden-address"],
    ["file:///etc/passwd", "forbidden-address"],
    ["https://registry.example.com/loop", "refused"],
  ])("to %s are not", async (location, failure) => {
    for (const allowPrivate of [false, true]) {
      const { registry } = testRegistry(() => redirect(location), { allowPrivate });
      await expect(registry.repository("a", "pull").blob(DIGEST, 0, signal)).rejects.toMatchObject({ failure });
    }
  });

  it("to private addresses are followed from a private registry that is allowed", async () => {
    const answer = ({ url }: { url: URL }) =>
      url.port === "9000" ? new Response("bytes") : redirect("http://10.0.0.2:9000/x");
    const options = { url: "10.0.0.1:5000", insecure: true };
    const { registry } = testRegistry(answer, { ...options, allowPrivate: true });
    const blob = await registry.repository("a", "pull").blob(DIGEST, 0, signal);
    expect(await new Response(blob?.stream).text()).toBe("bytes");
    const refused = testRegistry(answer, { ...options, allowPrivate: false });
    await expect(refused.registry.check()).rejects.toMatchObject({ failure: "forbidden-address" });
    expect(refused.network.seen).toEqual([]);
  });

  it("of what writes are refused", async () => {
    const { registry } = testRegistry(() => redirect("https://elsewhere.example.net/"));
    await expect(registry.repository("a", "push").upload()).rejects.toMatchObject({ failure: "refused" });
  });
});

describe("time", () => {
  it("ends a request that is not answered", async () => {
    vi.useFakeTimers();
    const { registry } = testRegistry(() => new Response("{}"), {
      fetch: (_input, init) =>
        new Promise((_resolve, reject) => init.signal?.addEventListener("abort", () => reject(new Error()))),
    });
    const failed = expect(registry.check()).rejects.toMatchObject({
      failure: "transient",
      message: "there: GET /v2/: no answer within 30 seconds",
    });
    await vi.advanceTimersByTimeAsync(30_000);
    await failed;
  });

  it("ends a body that stands still, but not one that nobody reads", async () => {
    vi.useFakeTimers();
    let pulls = 0;
    const { registry } = testRegistry(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) =>
              pulls++ === 0 ? controller.enqueue(new Uint8Array(3)) : new Promise(() => undefined),
          }),
        ),
    );
    const blob = await registry.repository("a", "pull").blob(DIGEST, 0, signal);
    const reader = blob?.stream.getReader();
    await vi.advanceTimersByTimeAsync(600_000);
    expect((await reader?.read())?.value).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(600_000);
    const failed = expect(reader?.read()).rejects.toMatchObject({ failure: "transient" });
    await vi.advanceTimersByTimeAsync(60_000);
    await failed;
  });
});

describe("a body", () => {
  it.each([
    [4, "bytes"],
    [6, "bytes"],
  ])("that is not %i bytes long as announced is a broken connection", async (length, text) => {
    const { registry } = testRegistry(() => new Response(text, { headers: { "content-length": String(length) } }));
    const blob = await registry.repository("a", "pull").blob(DIGEST, 0, signal);
    await expect(new Response(blob?.stream).text()).rejects.toMatchObject({ failure: "transient" });
  });
});

it("a network that fails is transient, a caller that stops is the caller's own reason", async () => {
  const { registry } = testRegistry(() => undefined);
  await expect(registry.check()).rejects.toMatchObject({
    failure: "transient",
    message: "there: GET /v2/: the registry cannot be reached: fetch failed",
  });
  const stopped = testRegistry(() => json({}), { signal: AbortSignal.abort(new Error("stop")) });
  await expect(stopped.registry.check()).rejects.toThrow("stop");
  expect(stopped.network.seen).toEqual([]);
});

it("tells the budget what it costs and what the registry says of its quota", async () => {
  const headers = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "9;w=21600" };
  const { registry, acquired, reports } = testRegistry(() => new Response(null, { status: 404, headers }));
  await registry.repository("a", "pull").head("v1");
  await registry.repository("a", "pull").manifest("v1");
  expect(acquired).toEqual(["request", "manifest-get"]);
  expect(reports).toEqual(
    Array.from({ length: 2 }, () => ({ status: 404, limit: 100, remaining: 9, window: 21_600_000 })),
  );
});
