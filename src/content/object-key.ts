import { uuidv7, uuidv7Time } from "../platform/index.ts";

/** What every object key starts with. */
export const KEY_PREFIX = "blobs/";

/** A fresh object key, `blobs/<xx>/<uuid>`: opaque, never used twice, and telling when it was made. */
export function newObjectKey(now: number): string {
  const id = uuidv7(now);
  return `${KEY_PREFIX}${id.slice(-2)}/${id}`;
}

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * When a key was made, in milliseconds; `undefined` for a key of another form. Parts and unfinished files have names
 * that hold the key's.
 */
export function objectKeyTime(key: string): number | undefined {
  const id = ID.exec(key)?.[0];
  return id === undefined ? undefined : uuidv7Time(id);
}
