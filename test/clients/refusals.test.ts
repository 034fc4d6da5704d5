import { hashSync } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { halfRequest } from "../faults/half-request.ts";
import { createClientHome } from "../support/client-home.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { rawRequest, rawStatus, sendRaw } from "../support/raw-http.ts";
import { type Server, startServer } from "../support/server.ts";
import { CLIENTS, createSenders, type Sending } from "./refusals/senders.ts";

const PASSWORD = "correct horse battery staple";
const TIMES = 30;
const MINUTE = 60_000;

const basic = (name: string): string => `authorization: Basic ${btoa(`${name}:${PASSWORD}`)}`;
const UPLOADS = "/v2/team-a/app/blobs/uploads/";

// A client that is sending when the connection is closed loses the answer that came before.
describe("a refusal of a request with a body", () => {
  let server: Server;
  let proxies: Readonly<Record<"buffering" | "streaming", Nginx>>;
  let senders: Awaited<ReturnType<typeof createSenders>>;
  const home = createClientHome();

  beforeAll(async () => {
    const HTPASSWD = `powerless:${hashSync(PASSWORD, 4)}`;
    server = await startServer({ env: { ADMIN_PASSWORD: PASSWORD, HTPASSWD, HTPASSWD_ROLE: "none" } });
    proxies = { buffering: await startNginx(server.url, true), streaming: await startNginx(server.url, false) };
    senders = await createSenders(home.folder);
  });
  afterAll(async () => {
    await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
    await server.stop();
    home.remove();
  });

  const ways = [
    ["directly", () => server],
    ["behind an nginx that buffers", () => proxies.buffering],
    ["behind an nginx that streams", () => proxies.streaming],
  ] as const;

  describe.each(ways)("reaches its client %s", (_way, at) => {
    it.each(CLIENTS)(
      "%s",
      async (client) => {
        for (const size of [1_000_000, 20_000_000]) {
          const url = `${at().url}${UPLOADS}unknown`;
          expect(await senders[client]({ method: "PATCH", url, size, times: TIMES })).toEqual({ 401: TIMES });
        }
      },
      5 * MINUTE,
    );
  });

  const opened = async (): Promise<string> => {
    const [name = "", value = ""] = basic("admin").split(": ");
    const response = await fetch(server.url + UPLOADS, { method: "POST", headers: { [name]: value } });
    return response.headers.get("location") ?? "";
  };
  const refusals: readonly (readonly [number, string, () => Promise<Omit<Sending, "size" | "times">>])[] = [
    [400, "a closing PUT without a digest", async () => ({ method: "PUT", url: await opened() })],
    [403, "for want of a role", async () => ({ method: "PATCH", url: await opened(), headers: [basic("powerless")] })],
    [404, "of an unknown upload", async () => ({ method: "PATCH", url: `${UPLOADS}unknown` })],
    [404, "of no endpoint", async () => ({ method: "POST", url: "/none" })],
    [404, "of a GET's endpoint", async () => ({ method: "POST", url: "/healthz" })],
    [405, "of a method", async () => ({ method: "POST", url: "/v2/team-a/app/manifests/v1" })],
    [413, "of a manifest", async () => ({ method: "PUT", url: "/v2/team-a/app/manifests/v1" })],
    [413, "of a bulk write", async () => ({ method: "POST", url: "/api/v1/apply" })],
    [
      416,
      "of a chunk out of order, which its session gives",
      async () => ({
        method: "PATCH",
        url: await opened(),
        headers: [basic("admin"), "content-range: 7-20000006"],
      }),
    ],
  ];

  it.each(refusals)("reaches the client that sends all before it reads: %i %s", async (status, _what, make) => {
    const { url, method, headers = [basic("admin")] } = await make();
    const size = 20_000_000;
    const seen = await senders.Python({ method, url: server.url + url, headers, size, times: 5 });
    expect(seen).toEqual({ [status]: 5 });
  });

  it("reaches it where another request writes to the upload: 429", async () => {
    const location = await opened();
    const [name = "", value = ""] = basic("admin").split(": ");
    const half = await halfRequest(server.url + location, "PATCH", 1000, new Uint8Array(10), { [name]: value });
    const url = server.url + location;
    const seen = await senders.Python({ method: "PATCH", url, headers: [basic("admin")], size: 20_000_000, times: 1 });
    half.destroy();
    expect(seen).toEqual({ 429: 1 });
  });

  it("comes, and its connection ends, where the body never does", async () => {
    const head = rawRequest(server.host, `PATCH ${UPLOADS}unknown`, ["Content-Length: 1000000000"]);
    const began = performance.now();
    expect(rawStatus(await sendRaw(server.host, `${head}some`, 2 * MINUTE))).toBe(401);
    expect(performance.now() - began).toBeLessThan(MINUTE);
  });
});
