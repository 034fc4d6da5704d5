import type { SchemaNode, ValidationRule } from "../../kinds/kind.ts";
import type { StatusCause } from "../../status-error.ts";
import { type Budget, CostExceeded, MAX_COST } from "./budget.ts";
import { evaluateRule, firstLine, optionalOf, readsVariable } from "./environment.ts";
import { MAX_VALUES, shapeOf } from "./estimate.ts";
import { RuleChecker } from "./rule-checker.ts";
import { celName, celValue } from "./values.ts";
import { invalidValue } from "../causes.ts";
import { canonicalJson, elementOf, fieldOf, isRecord, jsonTypeOf, own } from "../values.ts";

const MAX_RULES = 200;

/** What is wrong with the rules of a whole object's schema, by the place of each rule in it. */
export function checkRuleSyntax(node: SchemaNode, path = ""): StatusCause[] {
  const causes: StatusCause[] = [];
  let count = 0;
  const visit = (current: SchemaNode, at: string, isCorrelatable: boolean, times: number): void => {
    const rules = current["x-kubernetes-validations"] ?? [];
    count += rules.length;
    const checkers = new Map<boolean, RuleChecker>();
    for (const [index, rule] of rules.entries()) {
      if (count > MAX_RULES) break;
      const field = elementOf(fieldOf(at, "x-kubernetes-validations"), index);
      const optional = rule.optionalOldSelf === true;
      const checker = checkers.get(optional) ?? new RuleChecker(current, optional, times);
      checkers.set(optional, checker);
      causes.push(...ruleProblems(rule, field, isCorrelatable, checker));
    }
    const below = Math.min(times * shapeOf(current).size, MAX_VALUES);
    for (const [name, child] of Object.entries(current.properties ?? {}))
      visit(child, `${fieldOf(at, "properties")}[${name}]`, isCorrelatable, times);
    if (typeof current.additionalProperties === "object")
      visit(current.additionalProperties, fieldOf(at, "additionalProperties"), isCorrelatable, below);
    if (current.items !== undefined)
      visit(current.items, fieldOf(at, "items"), isCorrelatable && current["x-kubernetes-list-type"] === "map", below);
  };
  visit(node, path, true, 1);
  if (count > MAX_RULES) causes.push(invalidValue(path, count, `must have at most ${MAX_RULES} rules`));
  return causes;
}

function ruleProblems(
  rule: ValidationRule,
  field: string,
  isCorrelatable: boolean,
  checker: RuleChecker,
): StatusCause[] {
  const causes: StatusCause[] = [];
  const check = (name: "rule" | "messageExpression", expected: "bool" | "string") => {
    const expression = rule[name];
    if (expression === undefined) return;
    const problem = checker.problem(expression, expected);
    if (problem !== undefined) causes.push(invalidValue(fieldOf(field, name), expression, problem));
  };
  check("rule", "bool");
  check("messageExpression", "string");
  if (!isCorrelatable && readsVariable(rule.rule, "oldSelf")) {
    const what = "oldSelf cannot be used where elements have no identity: within a list that is not of list-type map";
    causes.push(invalidValue(fieldOf(field, "rule"), rule.rule, what));
  }
  return causes;
}

/**
 * What is wrong with an object by the rules of its schema. The schema itself must have been satisfied before. Rules
 * that name `oldSelf` hold for changes only, unless they say `optionalOldSelf`.
 * @see Kubernetes, "Validation rules", "Transition rules"
 */
export function checkRules(object: unknown, oldObject: unknown, node: SchemaNode): StatusCause[] {
  if (!hasRules(node)) return [];
  const causes: StatusCause[] = [];
  try {
    const self = { json: object, cel: celValue(object, node) };
    const oldSelf = oldObject === undefined ? undefined : { json: oldObject, cel: celValue(oldObject, node) };
    visitValue(self, oldSelf, node, "", { causes, budget: { remaining: MAX_COST } });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    causes.push(invalidValue("", object, firstLine(error)));
  }
  return causes;
}

const withRules = new WeakMap<SchemaNode, boolean>();

function hasRules(node: SchemaNode): boolean {
  const known = withRules.get(node);
  if (known !== undefined) return known;
  const children = [...Object.values(node.properties ?? {}), node.items, node.additionalProperties];
  const result =
    (node["x-kubernetes-validations"]?.length ?? 0) > 0 ||
    children.some((child) => typeof child === "object" && hasRules(child));
  withRules.set(node, result);
  return result;
}

/** A value in both its forms: rules read one, the walk and the messages the other. */
interface Twofold {
  readonly json: unknown;
  readonly cel: unknown;
}

interface Visit {
  readonly causes: StatusCause[];
  readonly budget: Budget;
}

function visitValue(self: Twofold, oldSelf: Twofold | undefined, node: SchemaNode, path: string, visit: Visit): void {
  if (self.json === null || !hasRules(node)) return;
  for (const rule of node["x-kubernetes-validations"] ?? []) applyRule(rule, self, oldSelf, path, visit);
  if (Array.isArray(self.json) && node.items !== undefined) visitElements(self, oldSelf, node, node.items, path, visit);
  else visitFields(self, oldSelf, node, path, visit);
}

function visitFields(self: Twofold, oldSelf: Twofold | undefined, node: SchemaNode, path: string, visit: Visit): void {
  if (!isRecord(self.json)) return;
  for (const key of Object.keys(self.json)) {
    const schema = own(node.properties, key) ?? node.additionalProperties;
    if (typeof schema !== "object" || !hasRules(schema)) continue;
    const now = fieldIn(self, node, key);
    if (now !== undefined) visitValue(now, fieldIn(oldSelf, node, key), schema, fieldOf(path, key), visit);
  }
}

function fieldIn(value: Twofold | undefined, node: SchemaNode, key: string): Twofold | undefined {
  if (value === undefined || !isRecord(value.json) || !Object.hasOwn(value.json, key)) return undefined;
  return { json: value.json[key], cel: own(value.cel as Record<string, unknown>, celName(node, key)) };
}

function visitElements(
  self: Twofold,
  oldSelf: Twofold | undefined,
  node: SchemaNode,
  items: SchemaNode,
  path: string,
  visit: Visit,
): void {
  if (!hasRules(items)) return;
  const keys = node["x-kubernetes-list-type"] === "map" ? node["x-kubernetes-list-map-keys"] : undefined;
  const identity = (element: unknown) =>
    isRecord(element) ? canonicalJson((keys ?? []).map((key) => own(element, key) ?? null)) : "";
  const before = new Map<string, Twofold>();
  if (keys !== undefined) for (const element of elementsOf(oldSelf)) before.set(identity(element.json), element);
  for (const [index, element] of elementsOf(self).entries()) {
    visitValue(element, before.get(identity(element.json)), items, elementOf(path, index), visit);
  }
}

function elementsOf(value: Twofold | undefined): Twofold[] {
  if (!Array.isArray(value?.json) || !Array.isArray(value.cel)) return [];
  const { cel } = value;
  return value.json.map((json: unknown, index) => ({ json, cel: cel[index] as unknown }));
}

const transitions = new WeakMap<ValidationRule, boolean>();

function isTransition(rule: ValidationRule): boolean {
  const known = transitions.get(rule) ?? readsVariable(rule.rule, "oldSelf");
  transitions.set(rule, known);
  return known;
}

function applyRule(
  rule: ValidationRule,
  self: Twofold,
  oldSelf: Twofold | undefined,
  path: string,
  { causes, budget }: Visit,
): void {
  const isOptional = rule.optionalOldSelf === true;
  if (oldSelf === undefined && !isOptional && isTransition(rule)) return;
  const before = isOptional ? optionalOf(oldSelf?.cel) : oldSelf?.cel;
  const field = rule.fieldPath === undefined ? path : fieldOf(path, rule.fieldPath.replace(/^\./, ""));
  const type = jsonTypeOf(self.json);
  const evaluate = (expression: string) => evaluateRule(expression, self.cel, before, budget);
  try {
    // Each of many cheap rules costs something too.
    budget.remaining -= 10;
    if (evaluate(rule.rule) === true) return;
    causes.push(violation(rule, field, type, messageOf(rule, evaluate)));
  } catch (error) {
    const what = error instanceof CostExceeded ? "the rules cost too much for this object" : firstLine(error);
    causes.push(invalidValue(field, type, `${what} evaluating rule: ${rule.message ?? rule.rule.trim()}`));
  }
}

function messageOf(rule: ValidationRule, evaluate: (expression: string) => unknown): string {
  const plain = rule.message ?? `failed rule: ${rule.rule.trim()}`;
  if (rule.messageExpression === undefined) return plain;
  try {
    const message = evaluate(rule.messageExpression);
    // A message of several lines could pretend to be several messages.
    return typeof message === "string" && /^[^\n]*\S[^\n]*$/.test(message) ? message.slice(0, 1000) : plain;
  } catch {
    return plain;
  }
}

function violation(rule: ValidationRule, field: string, type: string, message: string): StatusCause {
  switch (rule.reason) {
    case "FieldValueForbidden":
      return { reason: rule.reason, message: `Forbidden: ${message}`, field };
    case "FieldValueRequired":
      return { reason: rule.reason, message: `Required value: ${message}`, field };
    case "FieldValueDuplicate":
      return { reason: rule.reason, message: `Duplicate value: "${type}": ${message}`, field };
    default:
      return invalidValue(field, type, message);
  }
}
