import { Environment } from "@marcbachmann/cel-js";
import { isNode } from "../tree.ts";
import { registerTwoVariableMacros } from "./comprehensions.ts";
import { registerLists, registerSets } from "./lists.ts";
import { registerMath } from "./numbers.ts";
import { registerQuantity } from "./quantity.ts";
import { registerTexts } from "./texts.ts";

/** The functions of rules, without variables. */
export function celLibrary(): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 5_000, maxDepth: 100 },
  });
  for (const register of [
    registerLists,
    registerSets,
    registerTexts,
    registerMath,
    registerQuantity,
    registerTwoVariableMacros,
  ]) {
    register(environment);
  }
  return environment;
}

/** Functions of Kubernetes' library that are not here. @see docs/resources.md, "Rules" */
const ABSENT: ReadonlySet<string> = new Set([
  "ip",
  "isIP",
  "cidr",
  "isCIDR",
  "semver",
  "isSemver",
  "format",
  "quote",
  "transformMapEntry",
  "jsonpatch",
  "authorizer",
]);

/** A function that an expression calls, and that Kubernetes would have. */
export function absentFunction(node: unknown): string | undefined {
  if (Array.isArray(node)) {
    for (const each of node) {
      const found = absentFunction(each);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isNode(node)) return undefined;
  const { op, args } = node;
  const [name] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  if ((op === "call" || op === "rcall") && typeof name === "string" && ABSENT.has(name)) return name;
  return absentFunction(args);
}
