/** What may be wrong with one field. @see Kubernetes API, StatusCause */
export interface StatusCause {
  readonly reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueDuplicate"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany"
    | "FieldValueNotFound"
    | "FieldValueTypeInvalid"
    | "FieldManagerConflict";
  readonly message: string;
  /** Dotted path, such as `spec.source`. */
  readonly field: string;
}

/** Reasons and their codes. @see Kubernetes API conventions, "Response Status Kind" */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestTimeout: 408,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof STATUS_CODES;

/** What an error is about. `kind` is the plural resource, but the kind where the reason is `Invalid`. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The body of an error, and of some successes. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Record<string, never>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: StatusReason;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** An expected failure of the resource API. It is thrown through the layers of a request and rendered in one place. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly reason: StatusReason;
  readonly details: StatusDetails | undefined;

  constructor(reason: StatusReason, message: string, details?: StatusDetails) {
    super(message);
    this.reason = reason;
    this.details = details;
  }

  get code(): number {
    return STATUS_CODES[this.reason];
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** What the message of an error calls a resource: `synctasks.sync.entrepot.dev`, or `namespaces` in the core group. */
export function qualifiedResource(resource: { readonly group: string; readonly plural: string }): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

interface Named {
  readonly group: string;
  readonly plural: string;
}

export function notFound(resource: Named, name: string): StatusError {
  const details = { name, group: resource.group, kind: resource.plural };
  return new StatusError("NotFound", `${qualifiedResource(resource)} "${name}" not found`, details);
}

export function alreadyExists(resource: Named, name: string): StatusError {
  const details = { name, group: resource.group, kind: resource.plural };
  return new StatusError("AlreadyExists", `${qualifiedResource(resource)} "${name}" already exists`, details);
}

/** Another write came first. The words are those that clients look for. */
export function conflict(resource: Named, name: string): StatusError {
  const details = { name, group: resource.group, kind: resource.plural };
  return new StatusError(
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedResource(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    details,
  );
}

/** The object does not satisfy its kind. */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  causes: readonly StatusCause[],
): StatusError {
  const shown = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = shown.length === 1 ? shown[0] : `[${shown.join(", ")}]`;
  const qualified = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return new StatusError("Invalid", `${qualified} "${name}" is invalid: ${text}`, {
    name,
    group: kind.group,
    kind: kind.kind,
    causes,
  });
}

/** For expected failures that do not matter: `.catch(ignoring("NotFound"))`. */
export function ignoring(reason: StatusReason) {
  return function ignore(error: unknown): undefined {
    if (error instanceof StatusError && error.reason === reason) return undefined;
    throw error;
  };
}

export function badRequest(message: string): StatusError {
  return new StatusError("BadRequest", message);
}
