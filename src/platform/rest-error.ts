/** An error as the REST endpoints write it: `{error, details}`. */
export function restError(
  status: number,
  error: string,
  details?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error, ...(details === undefined ? {} : { details }) }, { status, headers });
}
