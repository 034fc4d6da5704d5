import type { Budget } from "../ports.ts";
import { createRemoteRegistry, type RemoteRegistryOptions } from "./remote-registry.ts";

/** A request as the fake network saw it. */
export interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Answers one request; `undefined` is a broken connection. */
export type Answering = (request: Seen) => Response | undefined | Promise<Response | undefined>;

/** A network of one function, which notes what is asked of it. For tests. */
export function testNetwork(answer: Answering) {
  const seen: Seen[] = [];
  return {
    seen,
    /** `GET https://…`, one per request. */
    lines: () => seen.map(({ method, url }) => `${method} ${url.href}`),
    fetch: async (input: string, init: RequestInit): Promise<Response> => {
      const body = init.body === undefined || init.body === null ? new Uint8Array() : await bytesOf(init.body);
      const request = { method: init.method ?? "GET", url: new URL(input), headers: new Headers(init.headers), body };
      seen.push(request);
      const response = await answer(request);
      if (response === undefined) throw new TypeError("fetch failed");
      return response;
    },
  };
}

async function bytesOf(body: BodyInit): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}

/** A budget that lets everything through and notes what it hears. */
export function testBudget() {
  const acquired: string[] = [];
  const reports: Parameters<Budget["report"]>[0][] = [];
  const budget: Budget = {
    acquire: async (kind) => void acquired.push(kind),
    report: (answer) => void reports.push(answer),
  };
  return { budget, acquired, reports };
}

/** A client of `https://registry.example.com` over a fake network. */
export function testRegistry(answer: Answering, more: Partial<RemoteRegistryOptions> = {}) {
  const network = testNetwork(answer);
  const counted = testBudget();
  const registry = createRemoteRegistry({
    name: "there",
    url: "registry.example.com",
    allowPrivate: false,
    fetch: network.fetch,
    budget: counted.budget,
    clock: () => 1_700_000_000_000,
    signal: new AbortController().signal,
    ...more,
  });
  return { registry, network, ...counted };
}

/** An answer in JSON. */
export function json(value: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(value), { headers: { "content-type": "application/json" }, ...init });
}

/** A stream of these bytes in small pieces. */
export function streamOf(bytes: Uint8Array, piece = 7): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(offset, offset + piece));
      offset += piece;
    },
  });
}
