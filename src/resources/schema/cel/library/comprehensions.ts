import type { Environment } from "@marcbachmann/cel-js";
import { spend } from "../budget.ts";
import type { Macro, TreeNode, TypeChecker } from "../tree.ts";

/** What the interpreter hands to macros. */
interface Context {
  forkWithVariable(name: string, type: unknown): Context;
  reuse(parent: Context): Context;
  setIterValue(value: unknown, evaluator: unknown): Context;
}

interface Checker extends TypeChecker {
  getType(name: string): { readonly kind: string };
}

interface Evaluator {
  run(node: TreeNode, context: unknown): unknown;
}

interface Call {
  readonly args: readonly TreeNode[];
  readonly receiver: TreeNode;
}

/** One turn: what the bodies gave for a key and a value. Ends the loop by returning something. */
interface Loop<State> {
  readonly bodies: number;
  readonly type: string;
  begin(): State;
  turn(state: State, key: unknown, value: unknown, run: (body: number) => unknown): boolean;
  end(state: State): unknown;
}

/**
 * Loops over the indexes and elements of lists, or the keys and values of maps.
 * @see cel-go, ext/comprehensions.go, TwoVarComprehensions
 */
export function registerTwoVariableMacros(environment: Environment): void {
  const add = <State>(name: string, parameters: number, loop: Loop<State>): void => {
    const asts = Array.from({ length: parameters }, () => "ast").join(", ");
    environment.registerFunction(`dyn.${name}(${asts}): dyn`, (call: Call) => macroOf(name, call, loop));
  };
  const quantifier = (end: boolean): Loop<{ result: boolean; failure?: unknown }> => ({
    bodies: 1,
    type: "bool",
    begin: () => ({ result: !end }),
    turn(state, _key, _value, run) {
      try {
        if (flag(run(0)) !== end) return true;
        state.result = end;
        delete state.failure;
        return false;
      } catch (error) {
        state.failure ??= error;
        return true;
      }
    },
    end({ result, failure }) {
      if (failure !== undefined) throw failure;
      return result;
    },
  });
  add("all", 3, quantifier(false));
  add("exists", 3, quantifier(true));
  const one: Loop<{ count: number }> = {
    bodies: 1,
    type: "bool",
    begin: () => ({ count: 0 }),
    turn(state, _key, _value, run) {
      if (flag(run(0))) state.count += 1;
      return true;
    },
    end: ({ count }) => count === 1,
  };
  add("existsOne", 3, one);
  add("exists_one", 3, one);
  for (const bodies of [1, 2]) {
    const isWanted = (run: (body: number) => unknown): boolean => bodies === 1 || flag(run(0));
    add<unknown[]>("transformList", bodies + 2, {
      bodies,
      type: "list<dyn>",
      begin: () => [],
      turn(list, _key, _value, run) {
        if (isWanted(run)) list.push(run(bodies - 1));
        return true;
      },
      end: (list) => list,
    });
    add<Map<unknown, unknown>>("transformMap", bodies + 2, {
      bodies,
      type: "map<dyn, dyn>",
      begin: () => new Map(),
      turn(map, key, _value, run) {
        if (isWanted(run)) map.set(key, run(bodies - 1));
        return true;
      },
      end: (map) => map,
    });
  }
}

function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new Error("the predicate of a loop must be a bool");
  return value;
}

function nameOf(name: string, node: TreeNode | undefined): string {
  if (node?.op !== "id" || typeof node.args !== "string") throw new Error(`${name}: a variable must be a plain name`);
  return node.args;
}

function macroOf<State>(name: string, { args, receiver }: Call, loop: Loop<State>): Macro {
  const [first, second] = [nameOf(name, args[0]), nameOf(name, args[1])];
  const bodies = args.slice(2);
  let outer: Context | undefined;
  let inner: Context | undefined;
  return {
    args: [receiver, ...bodies],
    typeCheck(checker, _macro, context) {
      const types = checker as Checker;
      const range = checker.check(receiver, context) as {
        kind: string;
        keyType?: unknown;
        valueType?: unknown;
      };
      const dyn = types.getType("dyn");
      if (!["list", "map", "dyn"].includes(range.kind)) throw new Error(`${name}: needs a list or a map`);
      const key = range.kind === "list" ? types.getType("int") : (range.keyType ?? dyn);
      outer = (context as Context).forkWithVariable(first, key);
      inner = outer.forkWithVariable(second, range.valueType ?? dyn);
      for (const body of bodies) checker.check(body, inner);
      return types.getType(loop.type);
    },
    evaluate(evaluator, _macro, context) {
      if (outer === undefined || inner === undefined) throw new Error(`${name}: was not checked`);
      const interpreter = evaluator as Evaluator;
      const range = interpreter.run(receiver, context);
      if (typeof range !== "object" || range === null) throw new Error(`${name}: needs a list or a map`);
      const [byKey, byValue] = [outer.reuse(context as Context), inner];
      const scope = byValue.reuse(byKey);
      const state = loop.begin();
      for (const [key, value] of entriesOf(range)) {
        spend(1);
        byKey.setIterValue(key, evaluator);
        scope.setIterValue(value, evaluator);
        const goOn = loop.turn(state, key, value, (body) => {
          const node = bodies[body];
          if (node === undefined) throw new Error(`${name}: has no such part`);
          return interpreter.run(node, scope);
        });
        if (!goOn) break;
      }
      return loop.end(state);
    },
  };
}

function entriesOf(range: object): Iterable<[unknown, unknown]> {
  if (Array.isArray(range)) return range.map((value: unknown, index) => [BigInt(index), value]);
  return range instanceof Map ? range.entries() : Object.entries(range);
}
