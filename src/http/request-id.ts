import { type Clock, type Log, uuidv7 } from "../platform/index.ts";

/** Where request ids come from. */
export interface RequestIdPorts {
  /** Cloudflare is in front, and writes `cf-ray` itself. Anywhere else a client could send it. */
  readonly cloudflare: boolean;
  readonly clock: Clock;
}

/**
 * One id for each Request object: the ray of Cloudflare, by which its logs know the request, or a new UUID. What a client
 * sends as `x-request-id` is never taken: it could give two requests one id.
 */
export function requestIds({ cloudflare, clock }: RequestIdPorts): (request: Request) => string {
  const ids = new WeakMap<Request, string>();
  return function requestId(request) {
    const known = ids.get(request);
    if (known !== undefined) return known;
    const ray = cloudflare ? request.headers.get("cf-ray") : null;
    const id = ray !== null && /^[0-9a-f]{16}(?:-[A-Z]{3})?$/.test(ray) ? ray : uuidv7(clock());
    ids.set(request, id);
    return id;
  };
}

/** Writes down why a request failed that should not have. Answers the request's id, which is in the answer's header too. */
export type ReportFailure = (request: Request, error: unknown) => string;

export function failureReporter(log: Log, requestId: (request: Request) => string): ReportFailure {
  return function reportFailure(request, error) {
    const id = requestId(request);
    log.error("request.failed", { id, error });
    return id;
  };
}
