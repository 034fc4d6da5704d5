import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CountingProxy,
  type Interfere,
  type Interference,
  type RequestKind,
  startCountingProxy,
} from "./counting-proxy.ts";

/** Which requests something happens to. */
export interface FaultMatch {
  readonly kind: RequestKind;
  /** Found in the path; any if not given. */
  readonly path?: RegExp | string;
  /** How many of those go well before. */
  readonly after?: number;
  /** How many of those it happens to; all if not given. */
  readonly times?: number;
}

/** What happens to them. */
export type Fault =
  /** Answers that instead. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Ends the connection after so many bytes of the answer's body. */
  | { readonly cutAfter: number }
  /** Ends the connection after so many bytes of the request's body. */
  | { readonly cutUploadAfter: number }
  /** Changes a byte of the answer's body. */
  | { readonly corrupt: true }
  /** Waits so many milliseconds before the answer. */
  | { readonly delay: number }
  /** Lets through so many bytes of the answer's body a second. */
  | { readonly rate: number }
  /** Redirects to the same path there, which is taken to hold blobs in the open. */
  | { readonly redirect: string }
  /** Does as if ranges were unknown. */
  | { readonly noRange: true }
  /** Leaves out headers of the answer. */
  | { readonly without: readonly string[] }
  /** Does something before the registry gets the request. */
  | { readonly first: () => Promise<void> };

/** How tokens are given out. */
export interface TokenRules {
  readonly username: string;
  readonly password: string;
  /** In milliseconds; what is said to the client is a minute. */
  readonly lifetime: number;
}

/** A registry that fails as it is told. */
export interface FaultyRegistry extends CountingProxy {
  /** From now on. Of several that match a request the first one happens. */
  fail(match: FaultMatch, fault: Fault): void;
  /** Everything goes well again. */
  heal(): void;
  /** Faults that happened. */
  happened(): number;
}

interface Planned {
  readonly match: FaultMatch;
  readonly fault: Fault;
  met: number;
}

/** Puts faults before a registry that has none. With `tokens` it asks for a token of its own token service first. */
export async function startFaultyRegistry(target: string, tokens?: TokenRules): Promise<FaultyRegistry> {
  const planned: Planned[] = [];
  const service = tokens === undefined ? undefined : tokenService(tokens);
  let happened = 0;
  const interfere: Interfere = async (request, kind) => {
    const refused = service?.(request, kind);
    if (refused !== undefined) return refused;
    const fault = next(planned, request.url ?? "", kind);
    if (fault !== undefined) happened += 1;
    const change = fault === undefined ? undefined : await happening(fault, request);
    return service === undefined ? change : withoutAuthorization(change);
  };
  const proxy = await startCountingProxy(target, interfere);
  return Object.assign(proxy, {
    fail: (match: FaultMatch, fault: Fault) => void planned.push({ match, fault, met: 0 }),
    heal: () => {
      planned.length = 0;
    },
    happened: () => happened,
  });
}

function next(planned: readonly Planned[], path: string, kind: RequestKind): Fault | undefined {
  for (const plan of planned) {
    const { match } = plan;
    const there = match.path === undefined || path.search(match.path) >= 0;
    if (match.kind !== kind || !there) continue;
    plan.met += 1;
    const number = plan.met - (match.after ?? 0);
    if (number >= 1 && number <= (match.times ?? Number.POSITIVE_INFINITY)) return plan.fault;
  }
  return undefined;
}

async function happening(fault: Fault, request: IncomingMessage): Promise<Interference | undefined> {
  if ("status" in fault) {
    const { status, headers = {}, body = "" } = fault;
    return { answer: (response) => response.writeHead(status, headers).end(body) };
  }
  if ("cutAfter" in fault) return { body: cutting(fault.cutAfter) };
  if ("cutUploadAfter" in fault) return { upload: cutting(fault.cutUploadAfter) };
  if ("corrupt" in fault) return { body: corrupting() };
  if ("rate" in fault) return { body: pacing(fault.rate) };
  if ("redirect" in fault) {
    const location = fault.redirect + (request.url ?? "");
    return { answer: (response) => response.writeHead(307, { location }).end() };
  }
  if ("noRange" in fault) return { request: (headers) => delete headers["range"] };
  if ("without" in fault) {
    return {
      response: (headers) => {
        for (const name of fault.without) delete headers[name];
      },
    };
  }
  if ("delay" in fault) await sleep(fault.delay);
  else await fault.first();
  return undefined;
}

function cutting(after: number): Transform {
  let left = after;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const part = piece.subarray(0, left);
      left -= part.byteLength;
      if (part.byteLength > 0) this.push(part);
      // What came before is to get out first.
      if (left === 0) setTimeout(() => done(new Error("cut")), 20);
      else done();
    },
  });
}

function corrupting(): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const changed = Buffer.from(piece);
      changed[0] = (changed[0] ?? 0) ^ 1;
      done(undefined, changed);
    },
  });
}

function pacing(rate: number): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      setTimeout(() => done(undefined, piece), (piece.byteLength / rate) * 1000);
    },
  });
}

/** @see distribution, "Token authentication specification" */
function tokenService({ username, password, lifetime }: TokenRules) {
  const tokens = new Map<string, { readonly scopes: ReadonlySet<string>; readonly until: number }>();
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

  const grant = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers.authorization !== basic) return void response.writeHead(401).end();
    const { searchParams } = new URL(request.url ?? "", "http://registry");
    const scopes = new Set(searchParams.getAll("scope").flatMap((scope) => scope.split(" ").flatMap(actionsOf)));
    const token = randomBytes(16).toString("hex");
    tokens.set(token, { scopes, until: Date.now() + lifetime });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, expires_in: 60 }));
  };

  return (request: IncomingMessage, kind: RequestKind): Interference | undefined => {
    if (kind === "token") return { answer: (response) => grant(request, response) };
    const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(request.url ?? "")?.[1];
    const action = request.method === "GET" || request.method === "HEAD" ? "pull" : "push";
    const [scheme, text] = (request.headers.authorization ?? "").split(" ");
    const token = scheme === "Bearer" ? tokens.get(text ?? "") : undefined;
    const valid = token !== undefined && Date.now() < token.until;
    if (valid && (repository === undefined || token.scopes.has(`${repository}:${action}`))) return undefined;
    const actions = action === "pull" ? "pull" : "pull,push";
    const scope = repository === undefined ? "" : `,scope="repository:${repository}:${actions}"`;
    const challenge = `Bearer realm="http://${request.headers.host}/token",service="faulty"${scope}`;
    return { answer: (response) => response.writeHead(401, { "www-authenticate": challenge }).end() };
  };
}

/** `repository:name:pull,push` as `name:pull` and `name:push`. */
function actionsOf(scope: string): readonly string[] {
  const [, name, actions] = /^repository:(.+):([a-z,*]+)$/.exec(scope) ?? [];
  return (actions ?? "").split(",").map((action) => `${name}:${action}`);
}

/** The registry behind knows nothing of tokens. */
function withoutAuthorization(change: Interference | undefined): Interference {
  return {
    ...change,
    request: (headers) => {
      delete headers["authorization"];
      change?.request?.(headers);
    },
  };
}
