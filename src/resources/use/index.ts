export { type UsedObject, uses, usesObjects } from "./used-objects.ts";
export { createUseRule, type UseRule } from "./use-rule.ts";
export { guarded } from "./guarded-connecter.ts";
