/**
 * A node of the interpreter's tree. No public interface of the library says all of this, so its version is fixed; the
 * tests of costs and types fail if it no longer fits.
 */
export interface TreeNode {
  readonly op: string;
  readonly args: unknown;
  evaluate: Evaluate;
  /** Does what the operator or the function does, with what its operands gave. There once types were checked. */
  handle?: (...values: unknown[]) => unknown;
  /** The same. */
  readonly checkedType?: unknown;
  readonly meta: {
    readonly evaluate: Evaluate;
    /** What stands for the node: the loop of a macro, for example. */
    readonly alternate?: TreeNode;
    readonly macro?: Macro;
  };
}

export type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/** What checks and evaluates a macro that is no loop of the library. */
export interface Macro {
  readonly evaluate: Evaluate;
  typeCheck: (checker: TypeChecker, macro: Macro, context: unknown) => unknown;
  readonly args?: readonly TreeNode[];
}

export interface TypeChecker {
  check(node: TreeNode, context: unknown): unknown;
}

export function isNode(value: unknown): value is TreeNode {
  return typeof value === "object" && value !== null && "op" in value && "meta" in value && "evaluate" in value;
}

/** Visits every node of a tree once: those that were written, and those that macros made of them. */
export function visitNodes(root: unknown, visitNode: (node: TreeNode) => void): void {
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (isNode(value)) {
      visitNode(value);
      visit(value.args);
      visit(value.meta.alternate);
      visit(value.meta.macro);
    } else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
      Object.values(value).forEach(visit);
    }
  };
  visit(root);
}
