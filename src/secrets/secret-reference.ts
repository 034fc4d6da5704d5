import * as z from "zod";
import { uses } from "../resources/index.ts";
import { SECURE_VALUES } from "./names.ts";

const MAX_NAME = 253;

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
