import type { SchemaNode } from "../../kinds/kind.ts";
import { PER_CHARACTER } from "./budget.ts";
import { isNode, type TreeNode } from "./tree.ts";
import { celName } from "./values.ts";

/**
 * What a rule may cost at the most, by what its schema allows: ten times what it may cost in fact, as in Kubernetes.
 * @see kubernetes/apiextensions-apiserver, pkg/apis/apiextensions/validation, StaticEstimatedCostLimit
 */
export const MAX_ESTIMATED_COST = 10_000_000;

/** Characters of an object at the most, and so the elements of a list that has no limit of its own. */
const MAX_CHARACTERS = 1024 * 1024;
/** The shortest element of a list, and the shortest field of a map, with what stands between them. */
const ELEMENT_CHARACTERS = 2;
const FIELD_CHARACTERS = 6;
/** Values of one node of a schema that there may be in an object. */
export const MAX_VALUES = MAX_CHARACTERS / ELEMENT_CHARACTERS;

/** How large a value can be: its elements or characters, and what they are in turn. */
interface Shape {
  readonly size: number;
  readonly element?: Shape;
  /** Only of an object with known fields. */
  readonly field?: (name: string) => Shape | undefined;
}

const SCALAR: Shape = { size: 1 };
const ANY: Shape = { size: MAX_CHARACTERS / ELEMENT_CHARACTERS };

/** How large values of a schema can be. */
export function shapeOf(node: SchemaNode): Shape {
  switch (node.type) {
    case "string":
      return { size: Math.min(node.maxLength ?? longestOf(node) ?? MAX_CHARACTERS, MAX_CHARACTERS) };
    case "integer":
    case "number":
    case "boolean":
      return SCALAR;
    case "array": {
      const size = Math.min(node.maxItems ?? MAX_CHARACTERS, MAX_CHARACTERS / ELEMENT_CHARACTERS);
      return { size, element: node.items === undefined ? ANY : shapeOf(node.items) };
    }
    case "object": {
      const { additionalProperties, properties = {} } = node;
      if (typeof additionalProperties === "object") {
        const size = Math.min(node.maxProperties ?? MAX_CHARACTERS, MAX_CHARACTERS / FIELD_CHARACTERS);
        return { size, element: shapeOf(additionalProperties) };
      }
      if (node["x-kubernetes-preserve-unknown-fields"] === true) return ANY;
      const fields = new Map(Object.entries(properties).map(([name, child]) => [celName(node, name), child]));
      return {
        size: fields.size,
        field(name) {
          const child = fields.get(name);
          return child === undefined ? undefined : shapeOf(child);
        },
      };
    }
    default:
      return node["x-kubernetes-int-or-string"] === true ? { size: MAX_CHARACTERS } : ANY;
  }
}

function longestOf(node: SchemaNode): number | undefined {
  return node.enum?.reduce<number>((longest, value) => Math.max(longest, String(value).length), 0);
}

/** A shape of which a part of an object is left: the elements of a loop cannot all be as long as the whole. */
function within({ size, element, field }: Shape, characters: number): Shape {
  return {
    size: Math.min(size, Math.max(1, characters)),
    ...(element === undefined ? {} : { element: within(element, characters) }),
    ...(field === undefined ? {} : { field: (name) => mapped(field(name), characters) }),
  };
}

function mapped(shape: Shape | undefined, characters: number): Shape | undefined {
  return shape === undefined ? undefined : within(shape, characters);
}

/** What it costs to read all of a value; never more than all characters of an object. */
function weightOf(shape: Shape): number {
  const each = shape.element === undefined ? PER_CHARACTER : weightOf(shape.element);
  return 1 + Math.min(shape.size * each, MAX_CHARACTERS);
}

interface Estimate {
  readonly cost: number;
  readonly shape: Shape;
}

type Scope = ReadonlyMap<string, Shape>;

/**
 * What an expression over values of a schema costs, asked of as many values as there may be in one object, for an object as large as it may be. It is an estimate, to
 * tell who defines a rule rather than who writes an object; what is spent in fact is counted.
 */
export function estimatedCost(node: unknown, self: SchemaNode, times: number): number {
  const shape = within(shapeOf(self), MAX_CHARACTERS / times);
  const scope = new Map([
    ["self", shape],
    ["oldSelf", shape],
  ]);
  return part(node, scope).cost * times;
}

function estimate(node: TreeNode, scope: Scope): Estimate {
  const { op } = node;
  const args = Array.isArray(node.args) ? (node.args as readonly unknown[]) : [node.args];
  switch (op) {
    case "value":
      return { cost: 1, shape: typeof node.args === "string" ? { size: node.args.length } : SCALAR };
    case "id":
      return { cost: 1, shape: scope.get(String(node.args)) ?? SCALAR };
    case ".":
    case ".?": {
      const left = part(args[0], scope);
      const { field, element } = left.shape;
      return { cost: left.cost + 1, shape: field?.(String(args[1])) ?? element ?? ANY };
    }
    case "[]":
    case "[?]": {
      const [left, index] = [part(args[0], scope), part(args[1], scope)];
      return { cost: left.cost + index.cost + 1, shape: left.shape.element ?? ANY };
    }
    case "list":
    case "map":
      return literal(args, scope);
    case "?:": {
      const [condition, first, second] = args.map((each) => part(each, scope));
      const branches = [first ?? NOTHING, second ?? NOTHING];
      const cost = (condition?.cost ?? 0) + Math.max(...branches.map((branch) => branch.cost)) + 1;
      return { cost, shape: larger(branches.map(({ shape }) => shape)) };
    }
    case "call":
      return call(String(args[0]), args[1] as readonly unknown[], scope);
    case "rcall":
      return method(String(args[0]), args[1], args[2] as readonly unknown[], scope);
    default:
      return operator(op, args, scope);
  }
}

const NOTHING: Estimate = { cost: 0, shape: SCALAR };

function part(node: unknown, scope: Scope): Estimate {
  return isNode(node) ? estimate(node, scope) : NOTHING;
}

function larger(shapes: readonly Shape[]): Shape {
  return shapes.reduce((largest, shape) => (weightOf(shape) > weightOf(largest) ? shape : largest), SCALAR);
}

function literal(args: readonly unknown[], scope: Scope): Estimate {
  const parts = args.flat().map((each) => part(each, scope));
  const cost = parts.reduce((total, each) => total + each.cost, 1);
  return { cost, shape: { size: args.length, element: larger(parts.map(({ shape }) => shape)) } };
}

function operator(op: string, args: readonly unknown[], scope: Scope): Estimate {
  const parts = args.map((each) => part(each, scope));
  const weights = parts.map(({ shape }) => weightOf(shape));
  const cost = parts.reduce((total, each) => total + each.cost, 1);
  switch (op) {
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return { cost: cost + Math.min(...weights), shape: SCALAR };
    case "in":
      return { cost: cost + (weights[1] ?? 0), shape: SCALAR };
    case "+": {
      const size = parts.reduce((total, { shape }) => total + shape.size, 0);
      const { element } = larger(parts.map(({ shape }) => shape));
      return {
        cost: cost + size * (element === undefined ? PER_CHARACTER : 1),
        shape: { size, ...(element === undefined ? {} : { element }) },
      };
    }
    default:
      return { cost, shape: SCALAR };
  }
}

/** Loops, and the number of variables before their bodies. */
const LOOPS: ReadonlySet<string> = new Set([
  "all",
  "exists",
  "exists_one",
  "existsOne",
  "filter",
  "map",
  "transformList",
  "transformMap",
]);

function call(name: string, args: readonly unknown[], scope: Scope): Estimate {
  const parts = args.map((each) => part(each, scope));
  const cost = parts.reduce((total, each) => total + each.cost, 1);
  if (name === "has" || name === "size" || name === "type") return { cost, shape: SCALAR };
  return { cost: cost + weightsOf(parts), shape: larger(parts.map(({ shape }) => shape)) };
}

function method(name: string, receiver: unknown, args: readonly unknown[], scope: Scope): Estimate {
  const on = part(receiver, scope);
  const [first, second] = args;
  if (name === "bind" && isNode(first)) {
    const value = part(second, scope);
    const body = part(args[2], new Map([...scope, [String(first.args), value.shape]]));
    return { cost: value.cost + body.cost + 1, shape: body.shape };
  }
  if (LOOPS.has(name) && isNode(first)) return loop(name, on, args, scope);
  const parts = args.map((each) => part(each, scope));
  const cost = parts.reduce((total, each) => total + each.cost, on.cost + 1);
  switch (name) {
    case "size":
    case "hasValue":
    case "value":
      return { cost, shape: name === "value" ? on.shape : SCALAR };
    case "orValue":
    case "or":
      return { cost, shape: larger([on.shape, ...parts.map(({ shape }) => shape)]) };
    case "matches":
    case "contains":
    case "indexOf":
    case "lastIndexOf":
    case "find":
    case "findAll":
    case "replace":
    case "split": {
      const product = weightOf(on.shape) * Math.max(1, ...parts.map(({ shape }) => weightOf(shape)));
      const grown = on.shape.size * Math.max(1, ...(name === "replace" ? parts.map(({ shape }) => shape.size) : []));
      return { cost: cost + product, shape: { size: grown, element: { size: on.shape.size } } };
    }
    default:
      return {
        cost: cost + weightOf(on.shape) + weightsOf(parts),
        shape: larger([on.shape, ...parts.map(({ shape }) => shape)]),
      };
  }
}

function weightsOf(parts: readonly Estimate[]): number {
  return parts.reduce((total, { shape }) => total + weightOf(shape), 0);
}

function loop(name: string, range: Estimate, args: readonly unknown[], scope: Scope): Estimate {
  const isOfTwo = args.length > 2 && isNode(args[1]) && args[1].op === "id" && name !== "map";
  const variables = args.slice(0, isOfTwo ? 2 : 1).map((each) => (isNode(each) ? String(each.args) : ""));
  const element = within(range.shape.element ?? ANY, MAX_CHARACTERS / Math.max(1, range.shape.size));
  const inner = new Map(scope);
  variables.forEach((variable, index) => inner.set(variable, isOfTwo && index === 0 ? SCALAR : element));
  const bodies = args.slice(variables.length).map((each) => part(each, inner));
  const turn = bodies.reduce((total, body) => total + body.cost, 2);
  const cost = range.cost + range.shape.size * turn;
  if (name === "filter") return { cost, shape: range.shape };
  if (name !== "map" && !name.startsWith("transform")) return { cost, shape: SCALAR };
  return { cost, shape: { size: range.shape.size, element: bodies.at(-1)?.shape ?? SCALAR } };
}
