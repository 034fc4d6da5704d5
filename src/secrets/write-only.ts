import { isRecord, LAST_APPLIED, type ResourceInput } from "../resources/index.ts";
import { secureValueSpec } from "./kinds.ts";

/** Fields of a spec that may be shown. A field that is not known may be the value, misspelt. */
const SHOWN = new Set(Object.keys(secureValueSpec.shape).filter((name) => name !== "value"));

/** A SecureValue without its value, and the value, whatever type it has. */
export interface Taken {
  readonly object: ResourceInput;
  readonly value: unknown;
}

/** Takes the value out of an object, and out of the note that `kubectl apply` leaves on it. */
export function takeValue(input: ResourceInput): Taken {
  const { annotations } = input.metadata;
  const note = annotations?.[LAST_APPLIED];
  const metadata =
    note === undefined
      ? input.metadata
      : { ...input.metadata, annotations: { ...annotations, [LAST_APPLIED]: withoutValue(note) } };
  const { spec } = input;
  const value = isRecord(spec) && Object.hasOwn(spec, "value") ? spec["value"] : undefined;
  return { object: { ...input, metadata, spec: isRecord(spec) ? shown(spec) : spec }, value: value ?? undefined };
}

/** The spec without its value. */
export function shown(spec: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => SHOWN.has(name)));
}

/** The note with nothing in its spec but what may be shown; what cannot be read cannot be cleaned, and goes. */
function withoutValue(note: string): string {
  try {
    const noted: unknown = JSON.parse(note);
    if (!isRecord(noted)) return "{}";
    const { apiVersion, kind, metadata, spec } = noted;
    return `${JSON.stringify({ apiVersion, kind, metadata, spec: isRecord(spec) ? shown(spec) : undefined })}\n`;
  } catch {
    return "{}";
  }
}
