/** A request before it is sent. */
interface RequestDraft {
  readonly url: URL;
  readonly headers: Headers;
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  signal?: AbortSignal;
}

/** Adds something to a request. Calls are composed of these. */
export type RequestPart = (draft: RequestDraft) => void;

/** One of the errors in an answer. @see distribution-spec, section "Error Codes" */
export interface ErrorEntry {
  readonly code: string;
  readonly message: string;
  readonly detail: unknown;
}

/** A complete answer; its body is in memory. */
export interface Answer {
  /** Method and path of the request, for messages. */
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export function header(name: string, value: string): RequestPart {
  return ({ headers }) => headers.append(name, value);
}

/** Adds to the query; what a `Location` brought stays. */
export function query(name: string, value: string): RequestPart {
  return ({ url }) => url.searchParams.append(name, value);
}

/** A body with a length. */
export function body(bytes: Uint8Array, contentType = "application/octet-stream"): RequestPart {
  return (draft) => {
    draft.headers.set("content-type", contentType);
    draft.body = new Uint8Array(bytes);
  };
}

/** A body under chunked transfer coding: the server learns its length at the end. */
export function streamed(bytes: Uint8Array, contentType = "application/octet-stream"): RequestPart {
  return (draft) => {
    draft.headers.set("content-type", contentType);
    draft.body = new Blob([new Uint8Array(bytes)]).stream();
  };
}

/** A chunked body that sends `bytes` and then neither more nor its end, until `signal` aborts the request. */
export function stalled(bytes: Uint8Array, signal: AbortSignal): RequestPart {
  return (draft) => {
    draft.headers.set("content-type", "application/octet-stream");
    draft.signal = signal;
    draft.body = new ReadableStream({ start: (controller) => controller.enqueue(bytes) });
  };
}

/** Credentials of scheme Basic (RFC 7617). */
export function basic(username: string, password: string): RequestPart {
  return header("authorization", `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
}

/** A registry, and what every request to it carries. */
export class Registry {
  readonly #always: readonly RequestPart[];
  readonly #shared: { address: string; names: number };

  constructor(shared = { address: "", names: 0 }, always: readonly RequestPart[] = []) {
    this.#shared = shared;
    this.#always = always;
  }

  /** Sets the address that this client, and all made from it, talk to. */
  connect(address: string): void {
    this.#shared.address = address;
  }

  /** The same registry, with more in every request. */
  with(...parts: RequestPart[]): Registry {
    return new Registry(this.#shared, [...this.#always, ...parts]);
  }

  /** A repository of a name that no other test uses. */
  repository(label = "repository"): Repository {
    this.#shared.names += 1;
    return this.named(`conformance/${label}-${this.#shared.names}`);
  }

  named(name: string): Repository {
    return new Repository(this, name);
  }

  /** @param target a path, or an absolute address as a `Location` may be */
  async send(method: string, target: string, ...parts: RequestPart[]): Promise<Answer> {
    const draft: RequestDraft = { url: new URL(target, this.#shared.address), headers: new Headers() };
    for (const part of [...this.#always, ...parts]) part(draft);
    const response = await fetch(draft.url, {
      method,
      headers: draft.headers,
      body: draft.body ?? null,
      signal: draft.signal ?? null,
      redirect: "manual",
      duplex: "half",
    } as RequestInit);
    const { status, headers } = response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { request: `${method} ${draft.url.pathname}${draft.url.search}`, status, headers, bytes };
  }
}

/** One repository of a registry. */
export class Repository {
  readonly registry: Registry;
  readonly name: string;

  constructor(registry: Registry, name: string) {
    this.registry = registry;
    this.name = name;
  }

  /** @param target a path below `/v2/<name>/`, or a `Location` */
  async send(method: string, target: string, ...parts: RequestPart[]): Promise<Answer> {
    const relative = !target.startsWith("/") && !/^https?:/.test(target);
    return this.registry.send(method, relative ? `/v2/${this.name}/${target}` : target, ...parts);
  }
}

/** The body as text. */
export function text(answer: Answer): string {
  return new TextDecoder().decode(answer.bytes);
}

/** The body, parsed. */
export function json(answer: Answer): unknown {
  return JSON.parse(text(answer));
}

/** Where an answer sends the client next; absent ones are empty, and fail in the request. */
export function location(answer: Answer): string {
  return answer.headers.get("location") ?? "";
}

/** The next page's address, if the answer has one (RFC 8288). */
export function nextPage(answer: Answer): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
}
