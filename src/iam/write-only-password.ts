import { newPassword, PASSWORD_MESSAGES } from "../access/index.ts";
import { isRecord, LAST_APPLIED, type ResourceInput, type StatusCause } from "../resources/index.ts";

const FIELD = "spec.password";

/** A user without the password, and what is wanted of it. */
export interface TakenPassword {
  readonly object: ResourceInput;
  /** To be set; empty to have none; `undefined` to leave it as it is. */
  readonly password: string | undefined;
  readonly causes: readonly StatusCause[];
}

/**
 * Takes the password out of a user, out of the note that `kubectl apply` leaves on it, and out of the record of who owns
 * which field.
 * @param shown fields of the spec that may be noted; any other may be the password, misspelt
 */
export function takePassword(input: ResourceInput, shown: ReadonlySet<string>): TakenPassword {
  const { metadata, spec } = input;
  if (!isRecord(spec))
    return { object: { ...input, metadata: cleaned(metadata, shown) }, password: undefined, causes: [] };
  const { password: given, ...rest } = spec;
  const object = { ...input, metadata: cleaned(metadata, shown), spec: rest };
  if (given === undefined || given === null || given === "") {
    return { object, password: given ?? undefined, causes: [] };
  }
  if (typeof given !== "string")
    return refused(object, "FieldValueTypeInvalid", FIELD, "Invalid value: must be a string");
  const password = newPassword(given);
  if (!password.ok) {
    return refused(object, "FieldValueInvalid", FIELD, `Invalid value: ${PASSWORD_MESSAGES[password.error]}`);
  }
  const repeated = repetition(object.metadata, given);
  if (repeated !== undefined) {
    return refused(object, "FieldValueForbidden", repeated, `Forbidden: repeats ${FIELD}, which must stay secret`);
  }
  return { object, password: password.value, causes: [] };
}

function refused(object: ResourceInput, reason: StatusCause["reason"], field: string, message: string): TakenPassword {
  return { object, password: undefined, causes: [{ reason, field, message }] };
}

function cleaned(metadata: ResourceInput["metadata"], shown: ReadonlySet<string>): ResourceInput["metadata"] {
  const { annotations, managedFields } = metadata;
  const note = isRecord(annotations) ? annotations[LAST_APPLIED] : undefined;
  return {
    ...metadata,
    ...(note === undefined ? {} : { annotations: { ...annotations, [LAST_APPLIED]: cleanedNote(note, shown) } }),
    ...(Array.isArray(managedFields) ? { managedFields: managedFields.map(withoutOwner) } : {}),
  };
}

/** What cannot be read cannot be cleaned, and goes. */
function cleanedNote(note: unknown, shown: ReadonlySet<string>): string {
  try {
    const noted: unknown = JSON.parse(String(note));
    if (!isRecord(noted)) return "{}";
    const { apiVersion, kind, metadata, spec } = noted;
    const kept = isRecord(spec)
      ? Object.fromEntries(Object.entries(spec).filter(([name]) => shown.has(name)))
      : undefined;
    return `${JSON.stringify({ apiVersion, kind, metadata, spec: kept })}\n`;
  } catch {
    return "{}";
  }
}

/** Nobody owns the password: there is nothing to be in conflict with. */
function withoutOwner<T>(entry: T): T {
  if (!isRecord(entry) || !isRecord(entry["fieldsV1"])) return entry;
  const { "f:spec": spec, ...fields } = entry["fieldsV1"];
  if (!isRecord(spec) || !Object.hasOwn(spec, "f:password")) return entry;
  const { "f:password": _password, ...kept } = spec;
  return { ...entry, fieldsV1: Object.keys(kept).length === 0 ? fields : { ...fields, "f:spec": kept } };
}

/** The annotation or label that repeats a password. What a client sent has not been checked yet. */
function repetition(metadata: ResourceInput["metadata"], password: string): string | undefined {
  const needles = [password, JSON.stringify(password).slice(1, -1), new TextEncoder().encode(password).toBase64()];
  for (const map of ["annotations", "labels"] as const) {
    for (const [key, text] of Object.entries<unknown>(metadata[map] ?? {})) {
      if (typeof text === "string" && needles.some((needle) => text.includes(needle))) return `metadata.${map}[${key}]`;
    }
  }
  return undefined;
}
