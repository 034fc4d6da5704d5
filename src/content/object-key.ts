import { uuidv7, uuidv7Time } from "../platform/index.ts";

/** What every object key starts with. */
export const KEY_PREFIX = "blobs/";

/** A fresh object key, `blobs/<xx>/<uuid>`: opaque, never used twice, and telling when it was made. */
export function newObjectKey(now: number): string {
  const id = uuidv7(now);
  return `${KEY_PREFIX}${id.slice(-2)}/${id}`;
}

/** When a key was made, in milliseconds; `undefined` for a key of another form. */
export function objectKeyTime(key: string): number | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1);
  return uuidv7Time(name.slice(0, 36));
}
