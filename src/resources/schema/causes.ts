import type { StatusCause } from "../status-error.ts";
import { quoted } from "./values.ts";

// The texts that kubectl users know. @see Kubernetes API conventions, field errors

export function required(field: string): StatusCause {
  return { reason: "FieldValueRequired", message: "Required value", field };
}

export function wrongType(field: string, value: unknown, expected: string, actual: string): StatusCause {
  const message = `Invalid value: ${quoted(value)}: must be of type ${expected}: "${actual}"`;
  return { reason: "FieldValueTypeInvalid", message, field };
}

export function invalidValue(field: string, value: unknown, what: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${quoted(value)}: ${what}`, field };
}

export function unsupported(field: string, value: unknown, supported: readonly unknown[]): StatusCause {
  const list = supported.map(quoted).join(", ");
  return {
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${quoted(value)}: supported values: ${list}`,
    field,
  };
}

export function tooLong(field: string, limit: number): StatusCause {
  return { reason: "FieldValueTooLong", message: `Too long: may not be more than ${limit} characters`, field };
}

export function tooMany(field: string, count: number, limit: number): StatusCause {
  return { reason: "FieldValueTooMany", message: `Too many: ${count}: must have at most ${limit} items`, field };
}

/** `shown` is the text of the value, since the duplicate of a composite is told apart by its keys. */
export function duplicate(field: string, shown: string): StatusCause {
  return { reason: "FieldValueDuplicate", message: `Duplicate value: ${shown}`, field };
}

export function forbidden(field: string, what: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${what}`, field };
}
