import * as z from "zod";
import type { KindKey } from "../client.ts";
import type { UsedKind } from "../kind.ts";
import { SECURE_VALUES } from "../secret/names.ts";

const MAX_NAME = 253;

/**
 * Metadata of a field that names an object which whoever acts on this one uses. Whoever writes the object, and whoever
 * calls an endpoint below it, must be allowed to use what it names: `createUseRule` asks, for every kind alike.
 * @param except names that stand for something which is no object and has no secret
 */
export function uses({ group, plural }: KindKey, except?: readonly string[]): { "x-entrepot-uses": UsedKind } {
  return {
    "x-entrepot-uses": { resource: `${plural}.${group}`, ...(except === undefined ? {} : { except: [...except] }) },
  };
}

const secretName = z.string().min(1).max(MAX_NAME);

/** A field that names a SecureValue of the object's own namespace. @param description of its `name` */
export function secretReference(description: string) {
  return z.object({ name: secretName.describe(description) }).meta(uses(SECURE_VALUES));
}

/** A field that names a SecureValue of any namespace, for kinds that have none themselves. */
export function secretReferenceAnywhere() {
  return z
    .object({ namespace: secretName.describe("Its namespace."), name: secretName.describe("Its name.") })
    .meta(uses(SECURE_VALUES));
}
