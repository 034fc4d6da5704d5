import { Unavailable } from "../platform/index.ts";

/** An error as the REST endpoints write it: `{error, details}`. */
export function restError(
  status: number,
  error: string,
  details?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error, ...(details === undefined ? {} : { details }) }, { status, headers });
}

/** The answer where something failed that should not have, by the id that it is logged under. */
export function restFailure(error: unknown, id: string): Response {
  if (!(error instanceof Unavailable)) return restError(500, "internal error", { id });
  return restError(503, error.message, { id }, { "retry-after": String(error.retryAfterSeconds) });
}
