import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http";
import { pipeline, type Readable, type Transform } from "node:stream";

/** What a request is about, as far as it matters for its cost. */
export type RequestKind =
  | "HEAD manifest"
  | "GET manifest"
  | "PUT manifest"
  | "HEAD blob"
  | "GET blob"
  | "POST upload"
  | "PATCH upload"
  | "PUT upload"
  | "GET upload"
  | "DELETE"
  | "tags"
  | "referrers"
  | "token"
  | "other";

/** A request that came through, when its answer has ended. */
export interface SeenRequest {
  readonly kind: RequestKind;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  /** First byte that was asked for; 0 without a range. */
  readonly start: number;
  /** Bytes of its body. */
  readonly sent: number;
  /** Bytes of the answer's body, as far as they were taken. */
  readonly received: number;
}

/** Changes how one request is answered. */
export interface Interference {
  /** Answers instead of the registry. */
  readonly answer?: (response: ServerResponse) => void;
  /** Changes the request's headers on their way. */
  readonly request?: (headers: Record<string, string | string[] | undefined>) => void;
  /** Changes the answer's headers on their way. */
  readonly response?: (headers: Record<string, string | string[] | undefined>) => void;
  /** What the answer's body goes through. */
  readonly body?: Transform;
  /** What the request's body goes through. */
  readonly upload?: Transform;
}

export type Interfere = (request: IncomingMessage, kind: RequestKind) => Promise<Interference | undefined>;

/** A proxy in front of a registry that counts. */
export interface CountingProxy {
  /** Without a slash at the end. */
  readonly url: string;
  readonly host: string;
  /** Those that ended, in that order. */
  readonly seen: readonly SeenRequest[];
  /** Requests of some kinds, or all. */
  count(...kinds: readonly RequestKind[]): number;
  /** Bytes of bodies that went through so far, by direction. */
  bytes(): { readonly sent: number; readonly received: number };
  /** Forgets what was counted. */
  reset(): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of loopback. Addresses in answers lead back through it, as they follow `Host`. */
export async function startCountingProxy(target: string, interfere?: Interfere): Promise<CountingProxy> {
  const seen: SeenRequest[] = [];
  const underWay = new Set<{ sent: number; received: number }>();
  const agent = new Agent({ keepAlive: true });
  const upstream = new URL(target);
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const kind = kindOf(request.method ?? "", request.url ?? "");
    const counted = { sent: 0, received: 0 };
    underWay.add(counted);
    response.once("close", () => {
      underWay.delete(counted);
      seen.push({
        kind,
        method: request.method ?? "",
        path: request.url ?? "",
        status: response.statusCode,
        start: Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0),
        ...counted,
      });
    });
    const change = await interfere?.(request, kind);
    if (change?.answer !== undefined) {
      // The body is read, so that the client comes to the answer.
      request.resume();
      change.answer(response);
      return;
    }
    const headers = { ...request.headers };
    change?.request?.(headers);
    const forwarded = send({
      host: upstream.hostname,
      port: upstream.port,
      agent,
      method: request.method,
      path: request.url,
      headers,
    });
    const body = change?.upload === undefined ? request : pipeline(request, change.upload, () => {});
    body.on("data", (piece: Buffer) => (counted.sent += piece.byteLength));
    const end = (): void => {
      forwarded.destroy();
      response.destroy();
    };
    forwarded.once("error", end);
    body.once("error", end);
    // Whoever went away does not want the rest.
    response.once("close", () => {
      if (!response.writableFinished) forwarded.destroy();
    });
    body.pipe(forwarded);
    const [answer] = (await once(forwarded, "response")) as [IncomingMessage];
    const answerHeaders = { ...answer.headers };
    change?.response?.(answerHeaders);
    response.writeHead(answer.statusCode ?? 502, answerHeaders);
    const through: Readable = change?.body === undefined ? answer : pipeline(answer, change.body, () => {});
    through.on("data", (piece: Buffer) => (counted.received += piece.byteLength));
    through.once("error", end);
    through.pipe(response);
  }

  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    url: `http://${host}`,
    host,
    seen,
    count: (...kinds) => (kinds.length === 0 ? seen : seen.filter(({ kind }) => kinds.includes(kind))).length,
    bytes: () => {
      const total = { sent: 0, received: 0 };
      for (const { sent, received } of [...seen, ...underWay]) {
        total.sent += sent;
        total.received += received;
      }
      return total;
    },
    reset: () => {
      seen.length = 0;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      agent.destroy();
    },
  };
}

const MANIFEST_KINDS: Readonly<Record<string, RequestKind>> = {
  HEAD: "HEAD manifest",
  GET: "GET manifest",
  PUT: "PUT manifest",
};
const UPLOAD_KINDS: Readonly<Record<string, RequestKind>> = {
  POST: "POST upload",
  PATCH: "PATCH upload",
  PUT: "PUT upload",
  GET: "GET upload",
};

/** @see distribution-spec, "Endpoints" */
export function kindOf(method: string, path: string): RequestKind {
  if (method === "DELETE") return "DELETE";
  if (/\/manifests\/[^/]+$/.test(path)) return MANIFEST_KINDS[method] ?? "other";
  if (/\/blobs\/uploads\//.test(path)) return UPLOAD_KINDS[method] ?? "other";
  if (/\/blobs\/[^/]+$/.test(path)) return method === "HEAD" ? "HEAD blob" : "GET blob";
  if (/\/tags\/list/.test(path)) return "tags";
  if (/\/referrers\//.test(path)) return "referrers";
  return path.startsWith("/token") ? "token" : "other";
}
