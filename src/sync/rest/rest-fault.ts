import { restError } from "../../http/index.ts";
import { StatusError } from "../../resources/index.ts";

/** One field that is wrong. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** An expected failure of an endpoint. It is thrown through the layers of a request and rendered in one place. */
export class RestFault extends Error {
  override readonly name = "RestFault";
  readonly status: number;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, details?: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(error);
    this.status = status;
    this.details = details;
    this.headers = headers;
  }
}

/** What was sent is not what the endpoint takes. */
export function invalidFields(problems: readonly FieldProblem[]): RestFault {
  return new RestFault(400, "the request is not valid", problems);
}

/** One field is wrong. */
export function invalidField(field: string, message: string): RestFault {
  return invalidFields([{ field, message }]);
}

/** The answer to an expected failure; `undefined` for any other error. */
export function faultResponse(error: unknown): Response | undefined {
  if (error instanceof RestFault) return restError(error.status, error.message, error.details, error.headers);
  if (!(error instanceof StatusError)) return undefined;
  const { code, reason, message, details } = error;
  const causes = details?.causes ?? [];
  const retry = details?.retryAfterSeconds;
  const headers: Record<string, string> = retry === undefined ? {} : { "retry-after": String(retry) };
  if (causes.length === 0) return restError(code, message, undefined, headers);
  const problems = causes.map((cause) => ({ field: restField(cause.field), message: cause.message }));
  // Here, what does not hold is a bad request.
  return restError(reason === "Invalid" ? 400 : code, "the request is not valid", problems, headers);
}

/** Fields of specs are below `rules` here. */
function restField(path: string): string {
  if (path === "metadata.name") return "name";
  return path.replace(/^spec\./, "rules.");
}
