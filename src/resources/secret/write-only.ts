import type { ResourceInput } from "../object.ts";
import { secureValueSpec } from "./kinds.ts";

/** Where `kubectl apply` notes what it was given, whole. @see Kubernetes, "Declarative Management Using Configuration Files" */
export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Fields of a spec that may be shown. A field that is not known may be the value, misspelt. */
const SHOWN = new Set(Object.keys(secureValueSpec.shape).filter((name) => name !== "value"));

/** A value shorter than this is not looked for in annotations: it would be found in anything. */
const TELLING_LENGTH = 12;

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

/** The annotations and labels that repeat a value, by path. Tools that note what they applied do. */
export function repetitions(metadata: ResourceInput["metadata"], value: string): string[] {
  if (value.length < TELLING_LENGTH) return [];
  const needles = [value, JSON.stringify(value).slice(1, -1), new TextEncoder().encode(value).toBase64()];
  return (["annotations", "labels"] as const).flatMap((map) =>
    // What a client sent has not been checked yet: the values may be of any type.
    Object.entries<unknown>(metadata[map] ?? {})
      .filter(([, text]) => typeof text === "string" && needles.some((needle) => text.includes(needle)))
      .map(([key]) => `metadata.${map}[${key}]`),
  );
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

/** Whether a value is an object of JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
