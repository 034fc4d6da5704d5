import type { Environment, ParseResult } from "@marcbachmann/cel-js";
import type { SchemaNode } from "../../kinds/kind.ts";
import { firstLine, MAX_RULE_LENGTH } from "./environment.ts";
import { estimatedCost, MAX_ESTIMATED_COST } from "./estimate.ts";
import { absentFunction, celLibrary } from "./library/index.ts";
import { type TreeNode, visitNodes } from "./tree.ts";
import { declareType, type DeclaredType } from "./types.ts";

/** Checks the expressions of one node of a schema against what the node's values are. Nothing of it evaluates. */
export class RuleChecker {
  readonly #environment: Environment;
  readonly #type: DeclaredType;

  readonly #node: SchemaNode;
  readonly #times: number;

  /**
   * @param optionalOldSelf whether `oldSelf` is an optional
   * @param times how many values of the node there may be in one object
   */
  constructor(node: SchemaNode, optionalOldSelf: boolean, times = 1) {
    this.#node = node;
    this.#times = times;
    this.#environment = celLibrary();
    this.#type = declareType(this.#environment, node);
    const { name } = this.#type;
    this.#environment.registerVariable("self", name);
    this.#environment.registerVariable("oldSelf", optionalOldSelf ? `optional<${name}>` : name);
  }

  /** What is wrong with an expression, or nothing. `expected` is the type that it must have. */
  problem(expression: string, expected: "bool" | "string"): string | undefined {
    if (expression.trim() === "") return "must not be empty";
    if (expression.length > MAX_RULE_LENGTH) return `must not be longer than ${MAX_RULE_LENGTH} characters`;
    try {
      const program = this.#environment.parse(expression);
      const absent = absentFunction(program.ast);
      if (absent !== undefined) return `compilation failed: the function ${absent} of Kubernetes is not there`;
      checkPresence(program);
      const result = program.check();
      if (!result.valid) return `compilation failed: ${firstLine(result.error)}`;
      const missing = this.#missingOptional(program);
      if (missing !== undefined) return `compilation failed: No such key: ${missing}`;
      if (result.type === expected || result.type === "dyn") return this.#costProblem(program);
      return `must evaluate to a ${expected}, not to ${result.type}`;
    } catch (error) {
      return `compilation failed: ${firstLine(error)}`;
    }
  }

  #costProblem(program: ParseResult): string | undefined {
    const cost = estimatedCost(program.ast, this.#node, this.#times);
    if (cost <= MAX_ESTIMATED_COST) return undefined;
    const factor = Math.ceil((cost / MAX_ESTIMATED_COST) * 10) / 10;
    const times = factor > 100 ? "more than 100" : String(factor);
    const what = "simplify it, or set maxItems, maxProperties and maxLength where lists, maps and texts are declared";
    return `estimated cost exceeds the budget by a factor of ${times}: ${what}`;
  }

  /** A field behind `?.` that is never there, which the library takes for one that may be. */
  #missingOptional(program: ParseResult): string | undefined {
    let missing: string | undefined;
    visitNodes(program.ast, ({ op, args }) => {
      if (op !== ".?" && op !== ".") return;
      const [left, name] = args as readonly [TreeNode, string];
      const type = left.checkedType as { kind?: string; name?: string; valueType?: { name?: string } } | undefined;
      const fields = this.#type.fields.get((type?.kind === "optional" ? type.valueType?.name : type?.name) ?? "");
      if (fields !== undefined && !fields.has(name)) missing ??= name;
    });
    return missing;
  }
}

/** Has the check look into `has(…)` too, which the library takes for granted whatever field it names. */
function checkPresence(program: ParseResult): void {
  visitNodes(program.ast, (node) => {
    const { macro } = node.meta;
    const [asked] = macro?.args ?? [];
    if (macro === undefined || asked === undefined || node.op !== "call") return;
    const { typeCheck } = macro;
    macro.typeCheck = (checker, self, context) => {
      checker.check(asked, context);
      return typeCheck(checker, self, context);
    };
  });
}
