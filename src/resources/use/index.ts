export { secretReference, secretReferenceAnywhere, uses } from "./secret-reference.ts";
export { type UsedObject, usedObjects, usesObjects } from "./used-objects.ts";
export { createUseRule, type UseRule } from "./use-rule.ts";
export { guarded } from "./guarded-connecter.ts";
