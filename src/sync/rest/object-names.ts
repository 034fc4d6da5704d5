import { createHash } from "node:crypto";
import { checkName, type ObjectMeta } from "../../resources/index.ts";

/** The annotation with the name that people see, where it cannot be the object's own. */
export const DISPLAY_NAME = "sync.entrepot.dev/display-name";

/** Longest name of an object that is made here, in characters: names of runs and secrets are made of it. */
const MAX_NAME = 200;
const MAX_SLUG = 80;
const HASH_LENGTH = 8;

/**
 * The name of the object for a name that people see. It is the same one, or a readable part of it with some digits that
 * are made of the whole: equal names have equal objects, and different ones different objects.
 */
export function objectName(display: string): string {
  if (display.length <= MAX_NAME && checkName(display).length === 0) return display;
  const slug = display
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_SLUG)
    .replaceAll(/^-+|-+$/g, "");
  const digits = createHash("sha256").update(display).digest("hex").slice(0, HASH_LENGTH);
  return slug === "" ? `x-${digits}` : `${slug}-${digits}`;
}

/** The name that people see. */
export function displayName({ name, annotations }: Pick<ObjectMeta, "name" | "annotations">): string {
  return annotations?.[DISPLAY_NAME] ?? name;
}

/** The annotations with the name that people see, if it is not the object's own. */
export function withDisplayName(
  annotations: ObjectMeta["annotations"],
  name: string,
  display: string,
): Readonly<Record<string, string>> {
  const { [DISPLAY_NAME]: _old, ...others } = annotations ?? {};
  return display === name ? others : { ...others, [DISPLAY_NAME]: display };
}

/** When an object was written last, RFC 3339. */
export function updatedAt({ creationTimestamp, managedFields }: ObjectMeta): string {
  return (managedFields ?? []).reduce((latest, { time }) => (time > latest ? time : latest), creationTimestamp);
}
