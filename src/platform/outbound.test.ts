import { describe, expect, it } from "vitest";
import { Outbound, OUTBOUND_LIMITS, type OutboundRequest } from "./outbound.ts";

interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** Answers by address; notes what was asked. */
function network(answers: Readonly<Record<string, () => Response | Promise<Response>>>, allowPrivate = false) {
  const seen: Seen[] = [];
  const waits: number[] = [];
  const outbound = new Outbound({
    async fetch(url, init) {
      const headers = Object.fromEntries(new Headers(init.headers as Record<string, string>));
      seen.push({ url, method: init.method ?? "GET", headers, body: init.body });
      const answer = answers[url];
      if (answer === undefined) throw new TypeError("unreachable");
      const given = answer();
      return given instanceof Promise
        ? Promise.race([
            given,
            new Promise<never>((_, reject) =>
              init.signal?.addEventListener("abort", () => reject(new Error("aborted"))),
            ),
          ])
        : given;
    },
    allowPrivate,
    sleep: async (duration) => void waits.push(duration),
    random: () => 1,
  });
  const request = (url: string, rest: Omit<OutboundRequest, "url"> = {}) =>
    outbound.request({ url: new URL(url), ...rest });
  return { seen, waits, request, outbound };
}

const redirect =
  (location: string, status = 302) =>
  () =>
    new Response(null, { status, headers: { location } });
const text = (body: string) => () => new Response(body);

describe("addresses", () => {
  it.each(["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest/meta-data/"])(
    "%s is denied",
    async (url) => {
      const { request, seen } = network({});
      expect(await request(url)).toEqual({ ok: false, error: { reason: "private-address" } });
      expect(seen).toEqual([]);
    },
  );

  it("private ones are called if allowed", async () => {
    const { request } = network({ "http://10.0.0.1/": text("in") }, true);
    const outcome = await request("http://10.0.0.1/");
    expect(outcome.ok && (await outcome.value.text())).toBe("in");
  });

  it.each(["ftp://example.com/", "file:///etc/passwd", "https://user:pass@example.com/"])(
    "%s is refused",
    async (url) => {
      expect(await network({}, true).request(url)).toEqual({ ok: false, error: { reason: "bad-address" } });
    },
  );
});

describe("redirects", () => {
  it("keep credentials on the same origin", async () => {
    const { request, seen } = network({ "https://a.example/x": redirect("/y"), "https://a.example/y": text("there") });
    await request("https://a.example/x", { headers: { authorization: "Bearer s" } });
    expect(seen[1]).toMatchObject({ url: "https://a.example/y", headers: { authorization: "Bearer s" } });
  });

  it.each(["https://b.example/y", "http://a.example/y", "https://a.example:8443/y", "//b.example/y"])(
    "lose credentials on the way to %s",
    async (location) => {
      const target = new URL(location, "https://a.example").href;
      const { request, seen } = network({ "https://a.example/x": redirect(location), [target]: text("there") });
      await request("https://a.example/x", {
        headers: { authorization: "Bearer s", cookie: "c", "x-api-key": "k", accept: "text/plain" },
        credentialHeaders: ["X-Api-Key"],
      });
      expect(seen[1]).toMatchObject({ url: target, headers: { accept: "text/plain" } });
      expect(Object.keys(seen[1]?.headers ?? {})).toEqual(["accept"]);
    },
  );

  it.each([false, true])("from public to private are refused (private allowed: %s)", async (allowed) => {
    const { request, seen } = network({ "https://a.example/": redirect("http://169.254.169.254/") }, allowed);
    expect(await request("https://a.example/")).toEqual({ ok: false, error: { reason: "private-address" } });
    expect(seen).toHaveLength(1);
  });

  it("stay where they may", async () => {
    const { request } = network({ "https://a.example/x": redirect("/elsewhere") });
    const within = (url: URL) => url.pathname.startsWith("/x");
    expect(await request("https://a.example/x", { within })).toEqual({ ok: false, error: { reason: "bad-redirect" } });
  });

  it("end", async () => {
    const { request, seen } = network({ "https://a.example/": redirect("/") });
    expect(await request("https://a.example/")).toEqual({ ok: false, error: { reason: "bad-redirect" } });
    expect(seen).toHaveLength(OUTBOUND_LIMITS.redirects + 1);
  });

  it.each([
    [303, "GET", undefined],
    [302, "GET", undefined],
    [307, "POST", "body"],
    [308, "POST", "body"],
  ])("%i repeats a POST as %s", async (status, method, body) => {
    const { request, seen } = network({
      "https://a.example/": redirect("/y", status),
      "https://a.example/y": text(""),
    });
    await request("https://a.example/", { method: "POST", body: "body", headers: { "content-type": "text/plain" } });
    expect(seen[1]).toMatchObject({ method, body });
    expect("content-type" in (seen[1]?.headers ?? {})).toBe(body !== undefined);
  });

  it.each(["", "http://[", "javascript:alert(1)"])("to %j go nowhere", async (location) => {
    const { request } = network({ "https://a.example/": redirect(location || "https://%") });
    expect((await request("https://a.example/")).ok).toBe(false);
  });
});

describe("bodies and time", () => {
  it("end after the cap", async () => {
    const { request } = network({ "https://a.example/": text("0123456789") });
    const whole = await request("https://a.example/", { maxBytes: 10 });
    expect(whole.ok && (await whole.value.text())).toBe("0123456789");
    const outcome = await request("https://a.example/", { maxBytes: 9 });
    await expect(outcome.ok && outcome.value.text()).rejects.toThrow(RangeError);
  });

  it("a silent host times out, and is not asked again", async () => {
    const { request, seen } = network({ "https://a.example/": () => new Promise<Response>(() => {}) });
    expect(await request("https://a.example/", { timeout: 20 })).toEqual({ ok: false, error: { reason: "timeout" } });
    expect(seen).toHaveLength(1);
  });
});

describe("repetition", () => {
  function flaky(status: number, headers: Record<string, string> = {}) {
    let calls = 0;
    return network({
      "https://a.example/": () => new Response(null, calls++ < 2 ? { status, headers } : { status: 200 }),
    });
  }

  it.each([429, 502, 503, 504])("of a GET after %i, with growing pauses", async (status) => {
    const { request, waits } = flaky(status);
    const outcome = await request("https://a.example/");
    expect(outcome.ok && outcome.value.status).toBe(200);
    expect(waits).toEqual([200, 400]);
  });

  it("waits as long as it is asked to, within reason", async () => {
    const patient = flaky(429, { "retry-after": "2" });
    await patient.request("https://a.example/");
    expect(patient.waits).toEqual([2000, 2000]);
    const impatient = flaky(429, { "retry-after": "60" });
    expect((await impatient.request("https://a.example/")).ok).toBe(true);
    expect(impatient.waits).toEqual([]);
  });

  it("is not for a POST, nor for what is final", async () => {
    const post = flaky(503);
    await post.request("https://a.example/", { method: "POST" });
    expect(post.seen).toHaveLength(1);
    const gone = flaky(404);
    await gone.request("https://a.example/");
    expect(gone.seen).toHaveLength(1);
  });

  it("of an unreachable host ends", async () => {
    const { request, seen } = network({});
    expect(await request("https://a.example/")).toEqual({ ok: false, error: { reason: "unreachable" } });
    expect(seen).toHaveLength(OUTBOUND_LIMITS.tries);
  });
});
