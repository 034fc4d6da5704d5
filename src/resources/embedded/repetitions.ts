import type { ResourceInput } from "../objects/object.ts";

/** A value shorter than this is not looked for in annotations: it would be found in anything. */
const TELLING_LENGTH = 12;

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
